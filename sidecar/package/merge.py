"""Three-way merge of one metadata file or component.

base is what we installed last, theirs is what the org holds now, ours is what we want
to install. What the customer added stays; what the customer changed of ours stays and
is told; what we gave up is removed only where the customer left it as we installed it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One place where two versions differ."""

    path: str
    """Elements and keys: ``customValue[Won]/label``."""
    what: str
    """``added``, ``changed``, ``removed`` or ``moved``."""
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Merged:
    """The outcome; ``content`` is theirs, unaltered, where ``changes`` is empty."""

    content: bytes
    changes: tuple[Difference, ...]
    """What we do to theirs."""
    kept: tuple[Difference, ...]
    """What the customer did to what we had installed; it stays."""
    conflicts: tuple[Difference, ...]
    """Where both changed the same thing; theirs stays. old is theirs, new is ours."""


def merge(base: bytes | None, theirs: bytes, ours: bytes, *, path: str) -> Merged:
    """
    Merge one file of Metadata API format.

    Args:
        base: None where we never installed this file.
        path: in the zip; for messages.

    Raises:
        Unreadable: one of the three is not XML, or their roots differ.
    """
    raise NotImplementedError
