"""Who called: the other end of the connection, or whom a proxy of ours names."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

from sidecar.errors import Permanent

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Network: TypeAlias = IPv4Network | IPv6Network

_HOPS = 32


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """
    Read addresses and ranges.

    Raises:
        Permanent: one of them is neither; it is named.
    """
    found = []
    for text in texts:
        try:
            found.append(ip_network(text.strip(), strict=False))
        except ValueError as exc:
            raise Permanent(f"{text!r} is neither an address nor a range") from exc
    return tuple(found)


def within(address: str, ranges: Sequence[Network]) -> bool:
    """Tell whether a text is an address, and lies in one of the ranges."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(known, "ipv4_mapped", None)
    return any((mapped or known) in network for network in ranges)


def address(environ: "WSGIEnvironment", proxies: Sequence[Network] = ()) -> str:
    """
    Give the caller's address.

    What ``X-Forwarded-For`` says is believed as far back as proxies of ours have
    written it, and no further: anybody can send the header.

    Args:
        proxies: ours; with none the header is not looked at.
    """
    caller = str(environ.get("REMOTE_ADDR") or "")
    if not proxies:
        return caller
    named = str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    for hop in reversed(named[-_HOPS:]):
        if not within(caller, proxies) or not hop.strip():
            break
        caller = hop.strip()[:64]
    return caller
