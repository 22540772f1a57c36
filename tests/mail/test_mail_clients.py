"""Mails are made of what the large mail clients show, or of what they do without."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree, html
from mails import ALL, kinds, letter

KNOWN: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("mail_clients.yaml").read_text()
)
ENTRIES = {
    f"{kind} {name}": entry
    for kind in ("elements", "attributes", "properties", "media")
    for name, entry in KNOWN[kind].items()
}
WORDS = {"feature", "lacking", "instead", "stands_on", "elsewhere", "values"}
_FOR_OUTLOOK = re.compile(r"\[if mso\]>(?:</?(?:table|tr|td)\b[^<>]*>)+<!\[endif\]")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"[a-z0-9]*(\.[a-z-]+)?( [a-z0-9]+)*")


def faults(page: str) -> Iterator[str]:
    """Say what in a page some client would not show."""
    root = html.document_fromstring(page)
    for element in root.iter():
        if isinstance(element, etree._Comment):
            if not _FOR_OUTLOOK.fullmatch(element.text):
                yield f"a comment that no client needs: {element.text[:40]}"
            continue
        tag = str(element.tag)
        if tag not in KNOWN["elements"]:
            yield f"<{tag}>"
        for name, value in element.attrib.items():
            yield from _judged("attributes", name, value, tag)
        for name, value in _declarations(element.get("style", "")):
            yield from _judged("properties", name, value, tag)
        yield from _lost_to_word(element, tag)
    (style,) = root.iter("style")
    yield from _of_the_head(style.text)
    if len(page.encode()) > KNOWN["limits"]["page"]:
        yield f"{len(page.encode())} bytes: Gmail clips it"


def _judged(kind: str, name: str, value: str, tag: str) -> Iterator[str]:
    entry = KNOWN[kind].get(name)
    if entry is None:
        yield f"{name} on <{tag}>"
        return
    if "stands_on" in entry and tag not in [
        *entry["stands_on"],
        *entry.get("elsewhere", ()),
    ]:
        yield f"{name} on <{tag}>, where some client does not know it"
    if "values" in entry and not re.fullmatch(entry["values"], value):
        yield f"{name}: {value}"


def _lost_to_word(element: html.HtmlElement, tag: str) -> Iterator[str]:
    """What needs a companion that only Word reads has it."""
    own = dict(_declarations(element.get("style", "")))
    if tag == "a" and "padding" in own:
        around = dict(_declarations(element.getparent().get("style", "")))
        if around.get("mso-padding-alt") != own["padding"]:
            yield f"a button without its padding for Outlook: {element.text}"
    if "line-height" in own and tag != "div" and "mso-line-height-rule" not in own:
        yield f"line-height on <{tag}> without mso-line-height-rule"
    if own.get("border-spacing") == "0" and element.get("cellspacing") != "0":
        yield "border-spacing without cellspacing"
    if own.get("display") == "none" and own.get("mso-hide") != "all":
        yield "hidden, but not in Outlook"


def _of_the_head(sheet: str) -> Iterator[str]:
    if len(sheet.encode()) > KNOWN["limits"]["style"]:
        yield f"{len(sheet.encode())} bytes of styles: Gmail drops them"
    rest = sheet
    for condition, rules in re.findall(
        r"@media ([^{]+)\{((?:[^{}]*\{[^{}]*\})*)\s*\}", sheet
    ):
        if condition.strip() not in KNOWN["media"]:
            yield f"@media {condition}"
        rest = rest.replace(f"@media {condition}{{{rules}", "", 1)
        for selectors, body in _RULE.findall(rules):
            for selector in selectors.split(","):
                if not _SELECTOR.fullmatch(selector.strip()):
                    yield f"selector {selector.strip()}"
            for name, value in _declarations(body):
                if name not in KNOWN["properties"]:
                    yield f"{name} in @media"
                # Without it, the style in the element wins; Word and Orange want the
                # space before it.
                if not value.endswith(" !important"):
                    yield f"{name}: {value} in @media without !important"
    if rest.strip("} \n"):
        yield f"a rule in the head that some client drops: {rest.strip()[:40]}"


def _declarations(text: str) -> Iterator[tuple[str, str]]:
    for declaration in text.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            yield name.strip(), value.strip()


@pytest.mark.parametrize(("template", "language"), ALL)
def test_every_large_client_shows_a_mail_or_shows_it_as_well_without(
    template: str, language: str
) -> None:
    for kind, rendered in kinds(template, language):
        assert list(faults(rendered.html)) == [], kind


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("<h1", "<section></section><h1"), "<section>"),
        (("<h1", '<img src="https://example.com/a.png" alt="a"><h1'), "src: https"),
        (("<h1", '<div style="width: 9px"></div><h1'), "width on <div>, where"),
        (("<h1", '<p style="position: absolute"></p><h1'), "position on <p>"),
        (("<h1", '<p style="color: rgba(0, 0, 0, 0.5)"></p><h1'), "color: rgba(0"),
        (("<h1", '<p style="line-height: 9px"></p><h1'), "line-height on <p> without"),
        (("<h1", '<p onclick="x()"></p><h1'), "onclick on <p>"),
        (("<h1", "<!-- x --><h1"), "a comment that no client needs"),
        (("mso-padding-alt: 12px 24px", "x-y: 0"), "a button without its padding"),
        (("@media (max-width: 480px)", "@media print"), "@media print"),
        (("<style>", "<style>@import url(x);"), "a rule in the head"),
        (("<style>", "<style>p > a { color: #000000 }"), "a rule in the head"),
        ((".inside {", ".inside > p {"), "selector .inside > p"),
        ((" !important", "!important"), "without !important"),
        (("<h1", f"<p>{'x' * 110_000}</p><h1"), "Gmail clips it"),
        (("<style>", f"<style>{'p { } ' * 2000}"), "Gmail drops them"),
    ],
)
def test_what_a_client_does_not_show_is_found(
    change: tuple[str, str], fault: str
) -> None:
    page = letter("new_referral", "en").html
    assert change[0] in page

    assert any(
        found.startswith(fault) or fault in found
        for found in faults(page.replace(*change))
    )


def test_the_manual_names_every_mail() -> None:
    manual = Path(__file__).parents[2] / "docs/mail.md"

    named = re.findall(r"`([a-z_/]+)`", manual.read_text())
    assert {template for template, _ in ALL} <= set(named)


@pytest.mark.parametrize("name", ENTRIES)
def test_where_a_client_is_lacking_the_list_says_what_is_seen_instead(
    name: str,
) -> None:
    entry = ENTRIES[name]

    assert set(entry) <= WORDS
    assert set(entry.get("lacking", ())) <= set(KNOWN["clients"])
    assert bool(entry.get("lacking")) == bool(entry.get("instead"))


@pytest.mark.parametrize(("template", "language"), ALL)
def test_the_text_says_what_the_page_says_and_no_more(
    template: str, language: str
) -> None:
    for kind, rendered in kinds(template, language):
        text = " ".join(rendered.text.split()).casefold()
        left = text
        body = html.document_fromstring(rendered.html).body
        for hidden in body.find_class("preview"):
            hidden.drop_tree()
        said = [" ".join(str(part).split()) for part in body.itertext()]
        said += [str(link) for link in body.xpath("//a/@href[starts-with(., 'http')]")]
        said += body.xpath("//img/@alt")
        for part in sorted(filter(None, said), key=len, reverse=True):
            assert part.casefold() in text, (kind, part)
            left = left.replace(part.casefold(), " ")
        # Colons and the line of dashes are the text's own.
        assert re.sub(r"[\s:-]", "", left) == "", kind


@pytest.mark.parametrize(("template", "language"), ALL)
def test_a_page_can_be_read_aloud(template: str, language: str) -> None:
    for kind, rendered in kinds(template, language):
        root = html.document_fromstring(rendered.html)
        assert root.get("lang", "").startswith(language), kind
        assert root.get("dir") == "ltr"
        assert len(list(root.iter("h1"))) == 1
        assert root.findtext("head/title") == rendered.subject
        for link in root.iter("a"):
            assert link.text_content().strip(), kind
        for image in root.iter("img"):
            assert image.get("alt", "").strip(), kind
        for table in root.iter("table"):
            # A layout says so; a table of facts names its rows or columns.
            headed = table.xpath("./tbody/tr/th")
            assert bool(headed) != (table.get("role") == "presentation"), kind
