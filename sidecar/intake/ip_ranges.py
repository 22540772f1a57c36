"""Addresses from which Salesforce calls, as it publishes them.

Source: ``ip-ranges.json``, "Hyperforce IP Addresses to Allow", Salesforce Help: a list
``prefixes`` of entries with ``ip_prefix`` and ``ipv6_prefix``, each a range or several,
some with a ``direction``. The list changes, so it is read again whenever its file does.
"""

import json
import threading
from bisect import bisect_right
from collections.abc import Iterator
from ipaddress import IPv6Address, collapse_addresses, ip_address, ip_network
from pathlib import Path
from typing import Any

from sidecar.errors import Permanent
from sidecar.intake.peer import Network
from sidecar.logs import log

LOOK_AGAIN_SECONDS = 5.0
_LONGEST_FILE = 16 * 1024 * 1024


class IpRanges:
    """The published ranges; shared by the threads of a process."""

    def __init__(self, path: Path) -> None:
        """
        Args:
            path: of the file; replaced as a whole by whoever fetches it.

        Raises:
            Permanent: it cannot be read now.
        """
        self._path = path
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._version = self._stat()
        self._table = _table(_read(path))

    def hold(self, address: str, *, at: float) -> bool:
        """
        Tell whether an address is one of Salesforce's.

        Args:
            at: of a clock that never goes back, in seconds.
        """
        self._look_again(at)
        try:
            known = ip_address(address)
        except ValueError:
            return False
        if isinstance(known, IPv6Address) and known.ipv4_mapped is not None:
            known = known.ipv4_mapped
        begins, ends = self._table[known.version]
        place = bisect_right(begins, int(known)) - 1
        return place >= 0 and int(known) <= ends[place]

    def _look_again(self, at: float) -> None:
        """Read the file again when it is another; a broken one changes nothing."""
        if at < self._looked_at + LOOK_AGAIN_SECONDS:
            return
        with self._lock:
            if at < self._looked_at + LOOK_AGAIN_SECONDS:
                return
            self._looked_at = at
            try:
                version = self._stat()
                if version == self._version:
                    return
                self._version = version
                self._table = _table(_read(self._path))
            except Permanent as exc:
                log().error("ip_ranges.not_read", reason=str(exc))
            else:
                log().info("ip_ranges.read", ranges=len(self._table[4][0]))

    def _stat(self) -> tuple[int, int, int]:
        try:
            told = self._path.stat()
        except OSError as exc:
            raise Permanent(f"the IP ranges cannot be read: {exc}") from exc
        return told.st_mtime_ns, told.st_size, told.st_ino


_Table = dict[int, tuple[list[int], list[int]]]  # version: first and last of each


def _table(ranges: list[Network]) -> _Table:
    table: _Table = {4: ([], []), 6: ([], [])}
    for version in (4, 6):
        some = [network for network in ranges if network.version == version]
        for network in collapse_addresses(some):  # type: ignore[type-var]
            begins, ends = table[version]
            begins.append(int(network.network_address))
            ends.append(int(network.broadcast_address))
    return table


def _read(path: Path) -> list[Network]:
    try:
        if path.stat().st_size > _LONGEST_FILE:
            raise ValueError("it is too long")
        document = json.loads(path.read_bytes())
        found = list(_ranges(document))
    except (OSError, ValueError, RecursionError) as exc:
        raise Permanent(f"the IP ranges in {path} cannot be read: {exc}") from exc
    if not found:
        raise Permanent(f"there are no IP ranges in {path}")
    return found


def _ranges(document: Any) -> Iterator[Network]:
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    for listed in ("prefixes", "ipv6_prefixes"):
        for entry in document.get(listed) or ():
            if not isinstance(entry, dict) or not _towards_us(entry):
                continue
            for name in ("ip_prefix", "ipv6_prefix"):
                texts = entry.get(name) or ()
                for text in [texts] if isinstance(texts, str) else texts:
                    yield ip_network(str(text), strict=False)


def _towards_us(entry: dict[str, Any]) -> bool:
    """Outbound is Salesforce's word for it; an entry without a word is for both."""
    direction = entry.get("direction")
    return not direction or "outbound" in str(direction).lower()
