"""SOQL in pieces, and the shape of its error messages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.devorg.refusal import Refusal


@dataclass(slots=True, frozen=True)
class Token:
    """``kind``: name, string, datetime, date, number, op or end; ``at``: offset."""

    kind: str
    text: str
    at: int

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of these words, in any case."""
        return self.kind == "name" and self.text.upper() in words


_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<op><=|>=|!=|<>|[=<>(),.:])
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    # In LIKE these keep their backslash: they mean the character itself.
    "_": "\\_",
    "%": "\\%",
}


def tokens(text: str) -> Iterator[Token]:
    """
    Cut a query into tokens; the last is ``end``.

    Raises:
        Refusal: MALFORMED_QUERY, a character or string that SOQL does not know.
    """
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Refusal(
                "MALFORMED_QUERY",
                f"line 1:{at} no viable alternative at character '{text[at]}'",
            )
        kind = str(match.lastgroup)
        if kind != "space":
            yield Token(kind, match.group(), at)
        at = match.end()
    yield Token("end", "<EOF>", len(text))


def unquoted(text: str) -> str:
    """Return the value of a string token."""
    return re.sub(
        r"\\(.)",
        lambda match: _ESCAPES.get(match[1].lower(), match[1]),
        text[1:-1],
        flags=re.DOTALL,
    )


def malformed(query: str, token: Token) -> Refusal:
    """Return the refusal of a query that has ``token`` where it should not be."""
    shown = token.text if token.kind == "end" else f"'{token.text}'"
    return located("MALFORMED_QUERY", query, token.at, f"unexpected token: {shown}")


def located(code: str, query: str, at: int, message: str) -> Refusal:
    """Return a refusal that shows where in the query it is."""
    line_start = query.rfind("\n", 0, at) + 1
    row = query.count("\n", 0, at) + 1
    line_end = query.find("\n", at)
    line = query[line_start : line_end if line_end >= 0 else len(query)]
    column = at - line_start
    # Salesforce shows the words around, not a line of any length.
    start = max(0, column - 40)
    window = line[start : column + 40]
    caret = " " * (column - start) + "^"
    return Refusal(
        code,
        f"\n{window}\n{caret}\nERROR at Row:{row}:Column:{column + 1}\n{message}",
    )
