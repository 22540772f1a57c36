"""Metadata XML in a form in which equal content is equal bytes.

Salesforce gives back what was deployed with other white space, in another order of
elements, with defaults written out. None of that has a meaning; the canonical form
leaves it out, so that "the customer's own things are untouched" can be proven.
"""

from sidecar.package.read import Tree


def canonical(content: bytes, path: str) -> bytes:
    """
    Give the canonical form of one file; what is not XML comes back as it is.

    Raises:
        Unreadable: a metadata file that is not well-formed.
    """
    raise NotImplementedError


def differing(one: Tree, other: Tree) -> list[str]:
    """List the paths that are in one tree alone, or differ in canonical form."""
    raise NotImplementedError
