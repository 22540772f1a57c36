"""What an org looked like, in short: to see whether it was edited since."""

import hashlib
from collections.abc import Mapping

from sidecar.package.archive import MANIFEST
from sidecar.package.canonical import canonical
from sidecar.package.read import Tree


def origin_of(org: Tree) -> dict[str, str]:
    """Give the SHA-256 of each file's canonical form; package.xml is left out."""
    return {
        path: hashlib.sha256(canonical(content, path)).hexdigest()
        for path, content in sorted(org.items())
        if path != MANIFEST
    }


def digest(origin: Mapping[str, str]) -> str:
    """Give one SHA-256 for all of them."""
    whole = hashlib.sha256()
    for path, one in sorted(origin.items()):
        whole.update(f"{path}\0{one}\n".encode())
    return whole.hexdigest()
