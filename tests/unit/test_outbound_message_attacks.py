"""Hostile messages: any bytes give a message or a reason, soon, and reach nothing else."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hang_guard import ends
from hypothesis import example, given, settings
from hypothesis import strategies as st
from messages import message, notification, of_leads

from sidecar.errors import Unreadable
from sidecar.intake.arrivals import inspectable
from sidecar.intake.outbound_message import Message, Notification, read

SAMPLES = [
    path.read_bytes() for path in (Path(__file__).parent / "messages").glob("*.xml")
]
ONE = of_leads(1)
BARE = ONE.partition(b"?>\n")[2]


def is_message(read_: Message) -> None:
    """What every message has, whatever it was read from."""
    assert isinstance(read_, Message)
    assert read_.org_id
    for item in read_.notifications:
        assert isinstance(item, Notification)
        assert len(item.id) <= 255
        assert len(item.problem) < 500
        assert item.id or item.problem
        assert item.record_id is None or len(item.record_id) == 18
        assert item.problem or item.record_id is None or item.object_type


def message_or_reason(body: bytes) -> str:
    """Read; give the reason of a refusal, or nothing."""
    try:
        read_ = read(body)
    except Unreadable as exc:
        reason = str(exc)
    else:
        is_message(read_)
        return ""
    assert 0 < len(reason) < 1000
    return reason


# --- promise 24 ---


DOCTYPES = {
    "plain": b"<!DOCTYPE x>",
    "internal entity": b'<!DOCTYPE x [<!ENTITY a "b">]>',
    "external entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    "parameter entity": b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:1/"> %a;]>',
    "external subset": b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    "public": b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://127.0.0.1:1/">',
    "notation": b'<!DOCTYPE x [<!NOTATION a SYSTEM "b">]>',
    "billion laughs": b'<!DOCTYPE x [<!ENTITY a0 "lol">'
    + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)
    )
    + b"]>",
    "quadratic blow-up": b'<!DOCTYPE x [<!ENTITY a "' + b"x" * 100_000 + b'">]>',
}
# What may stand before it, and what only looks as if it ended.
BEFORE = {
    "nothing": b"",
    "space": b" \r\n\t",
    "comment": b"<!-- <a> -->",
    "instruction": b"<?a <b> ?>",
    "both": b"<?a?><!--b--> <?c?>",
    "comment that only seems to end": b"<!--><a -->",
    "comment that only seems to end, later": b"<!---><a -->",
    "doctype in a comment": b"<!-- <!DOCTYPE a> -->",
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("doctype", DOCTYPES)
def test_any_document_type_declaration_is_refused_before_parsing(
    doctype: str, before: str
) -> None:
    body = BEFORE[before] + DOCTYPES[doctype] + BARE.replace(b"Example Ltd", b"&a;")

    for whole in (
        body,
        b'<?xml version="1.0"?>' + body,
        b"\xef\xbb\xbf" + body,
        body.decode().encode("utf-16"),
        body.decode().lstrip().encode("utf-16-be"),
    ):
        with pytest.raises(Unreadable, match="document type, which is refused unread"):
            read(whole)


@pytest.mark.parametrize(
    "body",
    [
        # In UTF-7 a document type has no "<" that one could look for.
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4' + BARE,
        b'<?xml version="1.0" standalone="no" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4',
        b'<?xml version="1.0"'
        + b" " * 300
        + b'encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-',
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-',
        b"+/v8-<!DOCTYPE x>" + BARE,
        ('<?xml version="1.0" encoding="IBM037"?><!DOCTYPE x>' + BARE.decode()).encode(
            "cp037"
        ),
        b'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x>' + BARE,
        ("\ufeff<!DOCTYPE x>" + BARE.decode()).encode("utf-32-le"),
        ("<!DOCTYPE x>" + BARE.decode()).encode("utf-32-be"),
        b"<!doctype x>" + BARE,
        b"<!DOCTYPE",
        b"<!-- <!DOCTYPE x>",
        b"<!---",
        b"<?",
    ],
)
def test_no_encoding_and_no_trick_hides_a_document_type(body: bytes) -> None:
    assert message_or_reason(body)


def test_a_document_type_in_somebodys_text_is_text() -> None:
    company = {"Id": "00Q000000000001EAA", "Company": "<!DOCTYPE x>"}
    body = message([notification(1, company)])
    hidden = body.replace(b"&lt;!DOCTYPE x&gt;", b"<![CDATA[<!DOCTYPE x>]]>")

    for whole in (body, hidden, b"<!-- <!DOCTYPE x> -->" + BARE):
        (item,) = read(whole).notifications
        assert item.problem == ""
    assert read(hidden).notifications[0].fields["Company"] == "<!DOCTYPE x>"


def test_no_address_in_a_message_is_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/x".encode()
        root, include = b"<soapenv:Envelope", b"http://www.w3.org/2001/XInclude"
        for body in (
            b'<?xml-stylesheet href="' + address + b'"?>' + BARE,
            b'<!DOCTYPE x SYSTEM "' + address + b'">' + BARE,
            BARE.replace(root, root + b' xsi:schemaLocation="x ' + address + b'"'),
            BARE.replace(
                b"Example Ltd", b'<a xmlns="%b" href="%b"/>' % (include, address)
            ),
            BARE.replace(b"https://example.my.salesforce.com", address),
        ):
            message_or_reason(body)
        trap.settimeout(0.1)
        with pytest.raises(TimeoutError):
            trap.accept()


# --- any bytes ---


@given(st.binary())
def test_any_bytes_are_a_message_or_unreadable(body: bytes) -> None:
    message_or_reason(body)
    inspectable(body)


@settings(max_examples=300)
@given(data=st.data(), start=st.sampled_from(SAMPLES))
def test_a_message_with_broken_places_is_a_message_or_unreadable(
    data: st.DataObject, start: bytes
) -> None:
    body = bytearray(start)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(body)))
        cut = data.draw(st.integers(0, 40))
        piece = data.draw(st.one_of(st.binary(max_size=6), PIECES))
        body[place : place + cut] = piece
    message_or_reason(bytes(body))
    inspectable(bytes(body))


PIECES = st.sampled_from(
    [
        *(b"<", b">", b"/>", b"</", b"&", b";", b'"', b"'", b"=", b":", b"\0", b"\xff"),
        *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?", b"?>", b"<!DOCTYPE x>"),
        *(b"&#0;", b"&#xD800;", b"&#x110000;", b"&#65;", b"&lt;", b"&x;", b"%x;"),
        *(b'xmlns=""', b'xmlns:sf="x"', b'xsi:nil="true"', b'xsi:type="sf:Lead"'),
        *(b"<Id>", b"</Id>", b"<sf:Id>", b"<Notification>", b"<sObject/>", b"<a/>"),
        *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"<SessionId>", b"</SessionId>"),
    ]
)

# Trees that are made of a message's own words, in any order.
WORDS = ["e:Envelope", "e:Body", "notifications", "Notification", "Id", "sObject"]
WORDS += ["OrganizationId", "ActionId", "SessionId", "s:Id", "s:Name", "other", "e:Id"]
ATTRIBUTES = st.sampled_from(
    [
        "",
        ' xsi:type="s:Lead"',
        ' xsi:type=":"',
        ' xsi:type=""',
        ' xsi:type="Lead"',
        ' xsi:nil="true"',
        ' xmlns:s="other"',
        ' xmlns=""',
    ]
)
TEXTS = st.sampled_from(
    ["", " ", "x", "00D000000000001", "00Q000000000001EAA", "<!-- x -->", "<?x y?>"]
)
LEAVES = st.builds(
    "<{0}{1}>{2}</{0}>".format, st.sampled_from(WORDS), ATTRIBUTES, TEXTS
)
TREES = st.recursive(
    LEAVES,
    lambda below: st.builds(
        "<{0}{1}>{2}{3}</{0}>".format,
        st.sampled_from(WORDS),
        ATTRIBUTES,
        TEXTS,
        st.lists(below, max_size=4).map("".join),
    ),
    max_leaves=30,
)
ROOT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:s="urn:sobject.enterprise.soap.sforce.com"><e:Body><notifications'
    ' xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D000000000001'
    "</OrganizationId>{}</notifications></e:Body></e:Envelope>"
)


@settings(max_examples=300)
@given(st.lists(TREES, max_size=4).map("".join))
@example("<Notification/>")
@example("<Notification><sObject>text</sObject></Notification>")
def test_any_tree_of_its_words_is_a_message(tree: str) -> None:
    """Well-formed and from an org: whatever is wrong is wrong with a notification."""
    is_message(read(ROOT.format(tree).encode()))


# --- much of everything ---


LEAD = '<Notification><Id>04l%012d</Id><sObject xsi:type="s:Lead">%s</sObject></Notification>'
ID = "<s:Id>00Q000000000001EAA</s:Id>"


def around(inside: str, attributes: str = "") -> bytes:
    """A message with these notifications, and attributes on its root."""
    whole = ROOT.format(inside)
    return whole.replace(" xmlns:xsi", f" {attributes} xmlns:xsi", 1).encode()


def many(pattern: str, n: int) -> str:
    return " ".join(pattern.format(number) for number in range(n))


MUCH: dict[str, Callable[[], bytes]] = {
    "attributes": lambda: around(LEAD % (1, ID), many('a{}="1"', 100_000)),
    "namespaces in scope of many records": lambda: around(
        "".join(LEAD % (n, ID) for n in range(3000)), many('xmlns:a{}="u"', 100_000)
    ),
    "notifications": lambda: around("".join(LEAD % (n, ID) for n in range(30_000))),
    "fields": lambda: around(
        LEAD % (1, ID + "".join(f"<s:a{n}/>" for n in range(200_000)))
    ),
    "the same field": lambda: around(LEAD % (1, ID + "<s:a/>" * 300_000)),
    "a field": lambda: around(LEAD % (1, f"{ID}<s:a>{'x' * 9_000_000}</s:a>")),
    "references": lambda: around(LEAD % (1, f"{ID}<s:a>{'&#65;' * 1_000_000}</s:a>")),
    "comments": lambda: around(LEAD % (1, f"{ID}<s:a>{'x<!---->' * 400_000}</s:a>")),
    "depth": lambda: around("<a>" * 5000 + "</a>" * 5000),
    "depth without end": lambda: b"<a>" * 3_000_000,
    "depth of a field": lambda: around(LEAD % (1, ID + "<s:b>" * 200 + "</s:b>" * 200)),
    "a name": lambda: b"<" + b"a" * 9_000_000 + b"/>",
    "comments before": lambda: b"<!-- -->" * 500_000 + BARE,
    "comments without end": lambda: b"<!-- " * 1_500_000 + b"<!DOCTYPE",
    "instructions": lambda: b"<?a?>" * 500_000 + b"<!DOCTYPE x>" + BARE,
    "spaces": lambda: b"<?xml version='1.0'" + b" " * 9_000_000 + b"?>" + BARE,
    "bodies": lambda: (
        b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
        + b"<a/>" * 1_000_000
        + b"</e:Body></e:Envelope>"
    ),
    "a type": lambda: around(LEAD.replace("s:Lead", "s" * 5_000_000) % (1, ID)),
    "an id": lambda: around(LEAD % (1, f"<s:Id>{'x' * 200_000}</s:Id>")),
    "names of fields": lambda: around(
        LEAD % (1, ID + f"<s:{'n' * 40_000}>" * 2 + f"</s:{'n' * 40_000}>" * 2)
    ),
}


@pytest.mark.parametrize("much", MUCH)
def test_much_of_everything_is_read_or_refused_soon(much: str) -> None:
    body = MUCH[much]()
    with ends():
        message_or_reason(body)


@pytest.mark.parametrize("much", ["depth", "depth without end", "a name"])
def test_what_no_message_needs_is_refused(much: str) -> None:
    assert "not well-formed" in message_or_reason(MUCH[much]())


@pytest.mark.parametrize(
    "piece",
    [
        *("<SessionId ", "<SessionId", "<SessionId>", "<SessionId/>", "</SessionId>"),
        *(
            "<passw.-",
            "passw",
            "password=",
            "password",
            "<a.",
            "<",
            "<!--",
            "<![CDATA[",
        ),
        *("://a:", "://", "://a@", "00D", "00D000000000001!", "/hooks/a", "/hooks/a/"),
        *("bearer ", "secret' ", "secret':'", '"', "session_id", "<secret a='/>"),
    ],
)
@pytest.mark.parametrize("head", ["", "<", "<SessionId>", "<a ", "https://u:"])
def test_what_nobody_could_read_is_made_inspectable_soon(piece: str, head: str) -> None:
    with ends():
        inspectable((head + piece * (300_000 // len(piece))).encode())
