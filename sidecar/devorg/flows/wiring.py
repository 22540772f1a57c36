"""How elements of a flow hang together: names, and connectors between them."""

from __future__ import annotations

from sidecar.devorg.metadata.element import Element, Problem, child, text


def name_of(element: Element) -> str:
    """Return an element's API name."""
    return text(element, "name") or ""


def target(element: Element, name: str = "connector") -> str | None:
    """Return the name of the element that a connector leads to."""
    connector = child(element, name)
    return None if connector is None else text(connector, "targetReference")


def check_connectors(places: list[tuple[Element, str]], names: set[str]) -> None:
    """
    Check that every connector leads somewhere.

    Args:
        places: elements, and how messages name them.
        names: of all elements of the flow.

    Raises:
        Problem: one does not.
    """
    for element, where in places:
        for reference in element.iter("{*}targetReference"):
            name = (reference.text or "").strip()
            if name not in names:
                raise Problem(
                    f"{where} - The connector's target element {name} doesn't exist."
                )
