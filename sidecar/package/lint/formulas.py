"""Formulas as far as references go: what they name, call and compare.

Not a parser of expressions: a list of tokens and the brackets around them is enough
to find the fields, and the texts that a picklist is compared with.

Source: "Formula Operators and Functions", Salesforce Help.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|/\*.*?\*/)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<merge>\{![^{}]*\})
  | (?P<number>\d+\.?\d*|\.\d+)
  | (?P<name>[$A-Za-z_][\w$]*(?:[.:][$A-Za-z_][\w$]*)*)
  | (?P<operator><>|!=|==|<=|>=|&&|\|\||[-+*/^&=<>!,()\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
# What Salesforce stores of a formula has at most 3900 characters, and 5000 compiled.
MOST = 10_000
# A bare name of these is no field.
_CONSTANTS = frozenset({"true", "false", "null"})
_SIGNS = frozenset({"+", "-", "!"})
_BETWEEN = frozenset(
    [
        "+",
        "-",
        "*",
        "/",
        "^",
        "&",
        ",",
        "=",
        "==",
        "<>",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        "&&",
        "||",
    ]
)
_EQUALS = frozenset({"=", "==", "<>", "!="})

# Function -> how many arguments it takes: least, and most (None: any number).
FUNCTIONS: Mapping[str, tuple[int, int | None]] = {
    **dict.fromkeys(("AND", "OR", "MAX", "MIN"), (1, None)),
    **dict.fromkeys(("PI", "NOW", "TODAY", "TIMENOW", "ISNEW", "ISCLONE"), (0, 0)),
    **dict.fromkeys(("BR", "GETSESSIONID"), (0, 0)),
    **dict.fromkeys(("NOT", "ISBLANK", "ISNULL", "ISNUMBER", "ISCHANGED"), (1, 1)),
    **dict.fromkeys(("PRIORVALUE", "LEN", "TRIM", "UPPER", "LOWER"), (1, 2)),
    **dict.fromkeys(("ABS", "CEILING", "FLOOR", "EXP", "LN", "LOG", "SQRT"), (1, 1)),
    **dict.fromkeys(("MCEILING", "MFLOOR", "DAY", "MONTH", "YEAR", "HOUR"), (1, 1)),
    **dict.fromkeys(("MINUTE", "SECOND", "MILLISECOND", "WEEKDAY"), (1, 1)),
    **dict.fromkeys(("DAYOFYEAR", "ISOWEEK", "ISOYEAR", "UNIXTIMESTAMP"), (1, 1)),
    **dict.fromkeys(("FROMUNIXTIME", "DATEVALUE", "DATETIMEVALUE"), (1, 1)),
    **dict.fromkeys(("TIMEVALUE", "CASESAFEID", "TEXT", "VALUE"), (1, 1)),
    **dict.fromkeys(("ASCII", "CHR", "REVERSE", "INITCAP", "HTMLENCODE"), (1, 1)),
    **dict.fromkeys(("JSENCODE", "JSINHTMLENCODE", "URLENCODE"), (1, 1)),
    **dict.fromkeys(("PICKLISTCOUNT", "CURRENCYRATE", "REQUIRESCRIPT"), (1, 1)),
    **dict.fromkeys(("ACOS", "ASIN", "ATAN", "COS", "SIN", "TAN"), (1, 1)),
    **dict.fromkeys(("IMAGEPROXYURL", "LINKTO", "URLFOR"), (1, None)),
    **dict.fromkeys(("BEGINS", "CONTAINS", "REGEX", "ISPICKVAL"), (2, 2)),
    **dict.fromkeys(("INCLUDES", "INCLUDE", "MOD", "ROUND", "ATAN2"), (2, 2)),
    **dict.fromkeys(("ADDMONTHS", "NULLVALUE", "BLANKVALUE", "LEFT"), (2, 2)),
    **dict.fromkeys(("RIGHT", "GEOLOCATION", "FORMATDURATION"), (1, 2)),
    **dict.fromkeys(("TRUNC", "PREVGROUPVAL", "PARENTGROUPVAL"), (1, 3)),
    **dict.fromkeys(("FIND", "LPAD", "RPAD", "HYPERLINK"), (2, 3)),
    **dict.fromkeys(("DATE", "MID", "SUBSTITUTE", "DISTANCE", "IF"), (3, 3)),
    **dict.fromkeys(("VLOOKUP", "IMAGE"), (2, 4)),
    **dict.fromkeys(("GETRECORDIDS", "JUNCTIONIDLIST", "PREDICT"), (1, None)),
    "CASE": (4, None),
}
# They compare the record with what it was, so only rules that run on a save have them.
ON_SAVE = frozenset({"ISCHANGED", "ISNEW", "PRIORVALUE", "ISCLONE"})


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a formula."""

    kind: str
    """``string``, ``merge``, ``number``, ``name``, ``operator`` or ``unknown``."""
    text: str
    """Of a string what it says, of a merge field its name."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function, with the tokens of each argument."""

    function: str
    arguments: tuple[slice, ...]
    """Places among the formula's tokens."""


@dataclass(frozen=True, slots=True)
class Formula:
    """What a formula says."""

    references: list[str] = field(default_factory=list)
    """Fields and globals in the order of their places: ``Referrer__r.Code__c``,
    ``$Permission.X``; merge fields without their braces."""
    calls: list[Call] = field(default_factory=list)
    compared: list[tuple[str, str]] = field(default_factory=list)
    """Field and text, as in ISPICKVAL(Status__c, "Won")."""
    problem: str = ""
    """Why it cannot be read; '' for a sound one."""


def read(text: str) -> Formula:
    """Read a formula; nothing that stands in it makes this fail."""
    if len(text) > MOST:
        return Formula(problem=f"it has {len(text)} characters, at most {MOST} may be")
    tokens = list(_tokens(text))
    if not tokens:
        return Formula(problem="it is empty")
    calls, problem = _calls(tokens)
    problem = problem or _order(tokens)
    unknown = next((token for token in tokens if token.kind == "unknown"), None)
    if unknown is not None:
        problem = f"{unknown.text!r} has no meaning in a formula"
    references = [
        token.text
        for place, token in enumerate(tokens)
        if _refers(token) and not _called(tokens, place)
    ]
    return Formula(references, calls, list(_compared(tokens, calls)), problem)


def merged(text: str) -> list[str]:
    """List the merge fields of a text: ``{!$Record.Name}`` gives ``$Record.Name``."""
    return [found.strip() for found in re.findall(r"\{!([^{}]*)\}", text)]


def _tokens(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            yield Token("unknown", text[place])
            place += 1
            continue
        place = match.end()
        kind, found = match.lastgroup or "", match[0]
        if kind == "string":
            found = re.sub(r"\\(.)", r"\1", found[1:-1], flags=re.DOTALL)
        elif kind == "merge":
            found = found[2:-1].strip()
        if kind != "space":
            yield Token(kind, found)


def _refers(token: Token) -> bool:
    return token.kind == "merge" or (
        token.kind == "name" and token.text.lower() not in _CONSTANTS
    )


def _called(tokens: list[Token], place: int) -> bool:
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return after == Token("operator", "(") and tokens[place].kind == "name"


def _calls(tokens: list[Token]) -> tuple[list[Call], str]:
    """Pair the brackets; give every call, and what is wrong with the brackets."""
    calls: list[Call] = []
    open_: list[tuple[str, list[int]]] = []  # function, and where its parts begin
    for place, token in enumerate(tokens):
        if token.kind != "operator":
            continue
        if token.text == "(":
            named = place > 0 and tokens[place - 1].kind == "name"
            open_.append((tokens[place - 1].text.upper() if named else "", [place]))
        elif token.text == "," and open_:
            open_[-1][1].append(place)
        elif token.text == ")":
            if not open_:
                return calls, "a bracket is closed that was not opened"
            function, starts = open_.pop()
            ends = [*starts[1:], place]
            arguments = [
                slice(start + 1, end) for start, end in zip(starts, ends, strict=True)
            ]
            if len(arguments) == 1 and arguments[0].start == arguments[0].stop:
                arguments.clear()
            if function:
                calls.append(Call(function, tuple(arguments)))
    return calls, "a bracket is not closed" if open_ else ""


def _order(tokens: list[Token]) -> str:
    """Say where a value stands beside a value, or an operator beside another."""
    value_next = True
    before = ""
    for token in tokens:
        text = token.text if token.kind == "operator" else ""
        if value_next:
            closes = text == ")" and before == "("
            if text and text not in {"(", "[", "]", *_SIGNS} and not closes:
                return f"a value is missing before {token.text}"
            value_next = text in {"(", "[", *_SIGNS}
        elif text in _BETWEEN or (text == "(" and before == "name"):
            value_next = True
        elif text not in {")", "]", "["}:
            return f"an operator or a comma is missing before {token.text}"
        before = text or token.kind
    return "a value is missing at its end" if value_next else ""


def _compared(tokens: list[Token], calls: list[Call]) -> Iterator[tuple[str, str]]:
    for call in calls:
        if call.function in {"ISPICKVAL", "INCLUDES"}:
            texts = call.arguments[1:2]
        elif call.function == "CASE":
            texts = call.arguments[1:-1:2]
        else:
            continue
        subject = _subject(tokens[call.arguments[0]]) if call.arguments else ""
        for argument in texts:
            found = tokens[argument]
            if subject and len(found) == 1 and found[0].kind == "string":
                yield subject, found[0].text
    for place, token in enumerate(tokens):
        if token.kind != "operator" or token.text not in _EQUALS or not place:
            continue
        left, right = tokens[max(0, place - 4) : place], tokens[place + 1 : place + 5]
        if right and right[0].kind == "string":
            subject, text = _at_end(left), right[0].text
        elif left[-1].kind == "string":
            subject, text = _at_start(right), left[-1].text
        else:
            continue
        if subject:
            yield subject, text


def _subject(tokens: list[Token]) -> str:
    """Give the field of ``Status__c``, ``TEXT(Status__c)`` or PRIORVALUE of it."""
    while len(tokens) > 3 and tokens[0].text.upper() in {"TEXT", "PRIORVALUE"}:
        tokens = tokens[2:-1]
    return tokens[0].text if len(tokens) == 1 and _refers(tokens[0]) else ""


def _at_end(tokens: list[Token]) -> str:
    """The same for tokens of which only the last belong to it."""
    last = tokens[-1]
    return last.text if _refers(last) else _subject(tokens)


def _at_start(tokens: list[Token]) -> str:
    """The same for tokens of which only the first belong to it."""
    if not tokens:
        return ""
    return _subject(tokens[:4]) or ("" if _called(tokens, 0) else _subject(tokens[:1]))
