"""Elements that repeat under one tag: in which order they stand, and which may go.

They are given by key; equal keys are numbered, so that the last item of a key is
``1``, ``2`` ... A repeat that goes would leave its number to the one behind it, which
would pass for it at the next merge; so numbers are given up from the end only.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Mapping

from sidecar.package.identity import Key, Node

Keyed = Mapping[Key, Node]


def in_order(base: Keyed, theirs: Keyed, ours: Keyed, found: Keyed) -> list[Key]:
    """
    Order what stays: as the customer did, or as we do where the customer did nothing.

    Whatever one side alone has comes behind what stands before it there.
    """
    common = [key for key in base if key in theirs and key in ours]
    wished = common and common != [k for k in ours if k in base and k in theirs]
    left = common == [k for k in theirs if k in base and k in ours]
    first, second = (ours, theirs) if wished and left else (theirs, ours)
    after: dict[Key | None, list[Key]] = defaultdict(list)
    place: Key | None = None
    for key in second:
        if key in first and key in found:
            place = key
        elif key in found:
            after[place].append(key)
    order = list(after[None])
    for key in first:
        if key in found:
            order += [key, *after[key]]
    return order


def held_in_place(
    base: Keyed, theirs: Keyed, ours: Keyed, left_alone: Callable[[Key], bool]
) -> set[Key]:
    """
    Name what we installed and do not want any more, but has to stay.

    Args:
        left_alone: says whether the customer left it as it was installed.
    """
    stay: set[Key] = set()
    held: set[Key] = set()
    for key in reversed(list(theirs)):
        following = _next(key, 1)
        if key[-1] == "1" and following not in theirs:
            continue
        if following in stay and key in base:
            held.add(key)
        if key in held or key in ours or key not in base or not left_alone(key):
            stay.add(key)
    return held


def is_new(key: Key, base: Container[Key], theirs: Container[Key]) -> bool:
    """Say whether ours alone has it."""
    return key not in base and key not in theirs


def leaves_gap(key: Key, found: Container[Key]) -> bool:
    """Say whether the repeat before this one is not there."""
    return key[-1] != "1" and _next(key, -1) not in found


def _next(key: Key, by: int) -> Key:
    return (*key[:-1], str(int(key[-1]) + by))
