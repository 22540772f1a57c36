"""Auto-number fields: the next number, in its display format."""

import re
from datetime import date

_PLACE = re.compile(r"\{(0+)\}|\{(YYYY|YY|MM|DD)\}")


class AutoNumber:
    """
    The counter of one auto-number field.

    A number that was given out and whose save failed is not given out again, as in
    Salesforce.
    """

    def __init__(self, display_format: str, first: int) -> None:
        """``display_format`` as ``REF-{00000}``; ``first`` is the first number."""
        self.display_format = display_format
        self._next = first

    def give(self, today: date) -> str:
        """Return the next value."""
        number, self._next = self._next, self._next + 1
        dates = {
            "YYYY": f"{today:%Y}",
            "YY": f"{today:%y}",
            "MM": f"{today:%m}",
            "DD": f"{today:%d}",
        }

        def fill(match: re.Match[str]) -> str:
            if match[1]:
                return str(number).zfill(len(match[1]))
            return dates[match[2]]

        return _PLACE.sub(fill, self.display_format)
