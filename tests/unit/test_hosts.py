"""Hosts: Salesforce's are called, and nobody else's, whoever names them."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

from sidecar.errors import Permanent
from sidecar.salesforce.hosts import checked


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://example.my.salesforce.com", "https://example.my.salesforce.com"),
        ("https://EXAMPLE.my.salesforce.com/", "https://example.my.salesforce.com"),
        (
            "https://example--test.sandbox.my.salesforce.com/services/oauth2/token?x#y",
            "https://example--test.sandbox.my.salesforce.com",
        ),
        ("https://login.salesforce.com:443", "https://login.salesforce.com:443"),
        ("https://example.my.salesforce.mil", "https://example.my.salesforce.mil"),
    ],
)
def test_hosts_of_salesforces_are_called_without_their_path(
    url: str, called: str
) -> None:
    assert checked(url, demo=False) == called
    assert checked(url, demo=True) == called


ELSEWHERE = [
    "",
    "example.my.salesforce.com",
    "http://example.my.salesforce.com",
    "ftp://example.my.salesforce.com",
    "https://example.com",
    "https://salesforce.com.example.com",
    "https://notsalesforce.com",
    "https://example.com/.salesforce.com",
    "https://example.com#.salesforce.com",
    "https://example.com?.salesforce.com",
    "https://example.com\\.salesforce.com",
    "https://example.com%2f.salesforce.com",
    "https://example.com:443\\@login.salesforce.com",
    "https://login.salesforce.com@example.com",
    "https://user:hush-hush@login.salesforce.com",
    "https://@login.salesforce.com",
    "https://login.salesforce.com:port",
    "https://login.salesforce.com:99999",
    "https://login.salesforce.com.",
    "https://login.salesforc\u0435.com",  # a Cyrillic e
    "https://[",
    "https://[::1",
    "https://169.254.169.254",
    "//login.salesforce.com",
]


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("url", ELSEWHERE)
def test_other_hosts_are_not_called(url: str, demo: bool) -> None:
    with pytest.raises(Permanent) as raised:
        checked(url, demo=demo)

    assert "hush-hush" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:8443", "http://localhost:8000", "https://[::1]:8443"]
)
def test_this_machine_is_called_in_the_demo_alone(url: str) -> None:
    assert checked(url + "/path", demo=True) == url
    with pytest.raises(Permanent):
        checked(url, demo=False)


def test_the_demo_speaks_http_alone() -> None:
    with pytest.raises(Permanent):
        checked("file://localhost/etc/passwd", demo=True)


HOSTS = ["example.com", ".salesforce.com", "127.0.0.1", "[::1]", "localhost"]
PIECES = st.sampled_from(["https://", *HOSTS, *"@:/\\#?.%[] \t\n;0é"])


@given(st.one_of(st.text(), st.lists(PIECES, max_size=8).map("".join)))
@example("https://example.com\n.salesforce.com")
@example("https://example.com\t@.salesforce.com")
def test_whatever_the_address_who_calls_it_reaches_salesforce(text: str) -> None:
    """The two readers that requests uses must see the same host."""
    try:
        url = checked(text, demo=False)
    except Permanent:
        return

    assert (urlsplit(url).hostname or "").endswith((".salesforce.com", ".force.com"))
    assert parse_url(url).host == urlsplit(url).hostname
