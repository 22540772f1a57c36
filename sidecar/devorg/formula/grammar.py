"""The text of a formula becomes a tree; every operator is a call by its sign.

Source: "Formula Operators and Functions", Salesforce Help, customize_functions;
the words of the errors as the formula editor and the Metadata API show them.
"""

import re
from dataclasses import dataclass
from decimal import Decimal


class FormulaError(Exception):
    """The formula cannot be compiled, or came to ``#Error!``; in Salesforce's words."""


@dataclass(frozen=True)
class Literal:
    """A number, text, TRUE, FALSE or NULL."""

    value: Decimal | str | bool | None


@dataclass(frozen=True)
class Reference:
    """A merge field without its braces: ``$Record.Status`` or ``Status``."""

    path: str


@dataclass(frozen=True)
class Call:
    """A function or operator; ``name`` is upper case, or the operator's sign."""

    name: str
    arguments: tuple["Node", ...]


Node = Literal | Reference | Call

_TOKENS = re.compile(
    r"""
      (?P<skip>\s+|/\*.*?\*/)
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | \{!\s*(?P<merge>[$\w.:]+)\s*\}
    | (?P<name>\$?[A-Za-z]\w*(?::[A-Za-z]\w*)?(?:\.\$?\w+(?::[A-Za-z]\w*)?)*)
    | (?P<sign>&&|\|\||<>|!=|<=|>=|==|[-+*/^&=<>(),!])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_SAME = {"==": "=", "!=": "<>"}
_CONSTANTS: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}

# Operators from the loosest to the tightest; all lean to the left.
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("=", "<>"),
    ("<", "<=", ">", ">="),
    ("+", "-", "&"),
    ("*", "/"),
    ("^",),
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse(text: str) -> Node:
    """
    Read one formula.

    Raises:
        FormulaError: with the words that Salesforce shows for a syntax error.
    """
    reader = _Reader(_tokens(text))
    node = reader.expression(0)
    if (rest := reader.next) is not None:
        raise FormulaError(
            "Syntax error.  Extra ')'"
            if rest.text == ")"
            else f"Syntax error.  Extra {rest.text}"
        )
    return node


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise FormulaError(f"Syntax error.  Found '{text[at]}'")
        at = match.end()
        kind = match.lastgroup or ""
        if kind != "skip":
            found.append(_Token(kind, match.group(kind)))
    return found


class _Reader:
    """A place in the list of tokens; recursive descent."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def expression(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self.expression(level + 1)
        while (sign := self._sign()) and sign in _LEVELS[level]:
            self._at += 1
            left = Call(sign, (left, self.expression(level + 1)))
        return left

    def _sign(self) -> str | None:
        token = self.next
        if token is None or token.kind != "sign":
            return None
        return _SAME.get(token.text, token.text)

    def _unary(self) -> Node:
        match self._sign():
            case "-":
                self._at += 1
                return Call("-", (Literal(Decimal(0)), self._unary()))
            case "+":
                self._at += 1
                return self._unary()
            case "!":
                self._at += 1
                return Call("NOT", (self._unary(),))
        return self._primary()

    def _primary(self) -> Node:
        token = self.next
        if token is None:
            raise FormulaError("Syntax error.  Found end of formula")
        self._at += 1
        match token.kind:
            case "number":
                return Literal(Decimal(token.text))
            case "text":
                return Literal(_unquoted(token.text))
            case "merge":
                return Reference(token.text)
            case "name":
                return self._named(token.text)
        if token.text == "(":
            inner = self.expression(0)
            self._close()
            return inner
        raise FormulaError(f"Syntax error.  Found '{token.text}'")

    def _named(self, name: str) -> Node:
        if self._sign() == "(":
            self._at += 1
            return Call(name.upper(), self._arguments())
        if name.upper() in _CONSTANTS:
            return Literal(_CONSTANTS[name.upper()])
        return Reference(name)

    def _arguments(self) -> tuple[Node, ...]:
        if self._sign() == ")":
            self._at += 1
            return ()
        found = [self.expression(0)]
        while self._sign() == ",":
            self._at += 1
            found.append(self.expression(0))
        self._close()
        return tuple(found)

    def _close(self) -> None:
        if self._sign() != ")":
            raise FormulaError("Syntax error.  Missing ')'")
        self._at += 1


def _unquoted(quoted: str) -> str:
    return re.sub(
        r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), quoted[1:-1], flags=re.DOTALL
    )
