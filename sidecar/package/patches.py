"""Our section in the layouts that the customer made.

A layout of ours would replace the customer's own, so the package only says what it
wants to see there: ``salesforce_metadata/patches/<module>.json``. Each retrieved
layout of the object gets the section, after its first one; taking it out again takes
our fields and leaves whatever the customer put beside them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One section that we want on every layout of an object."""

    object: str
    label: str
    style: str
    columns: tuple[tuple[str, ...], ...]
    """Field names, column by column."""
    readonly: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Patches:
    """What the package adds to files that are the customer's."""

    sections: tuple[Section, ...] = ()

    @property
    def objects(self) -> frozenset[str]:
        """Objects whose layouts are patched: ``{"Lead", "Contact"}``."""
        return frozenset(section.object for section in self.sections)


NONE = Patches()


def read_patches(*contents: bytes) -> Patches:
    """
    Read the declarations of one or several modules.

    Args:
        contents: of ``patches/core.json`` and the like.

    Raises:
        Unreadable: not the JSON that is described in this room.
    """
    raise NotImplementedError


def write_patches(patches: Patches) -> bytes:
    """Write what ``read_patches`` reads, with sorted keys."""
    raise NotImplementedError


def insert(layout: bytes, patches: Patches, *, path: str) -> bytes:
    """
    Put the sections of the layout's object into it; idempotent.

    A field that stands anywhere on the layout already is not put there again.

    Args:
        layout: as retrieved.
        path: ``layouts/Lead-Lead Layout.layout``; the object is read from it.

    Returns:
        The given bytes where nothing is missing.
    """
    raise NotImplementedError


def take_out(
    layout: bytes, patches: Patches, *, path: str, before: bytes | None = None
) -> bytes:
    """
    Take our fields out of our sections, and a section that is empty then.

    Args:
        before: the layout before we came, if known: a section that stood there
            already stays even when it is empty.

    Returns:
        The given bytes where nothing of ours is left.
    """
    raise NotImplementedError


def layouts_of(patches: Patches, layouts: Sequence[str]) -> list[str]:
    """Choose from listed layout names those of the patched objects."""
    raise NotImplementedError


def as_json(patches: Patches) -> Mapping[str, object]:
    """Give the declaration as JSON-ready values."""
    raise NotImplementedError
