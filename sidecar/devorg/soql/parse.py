"""From SOQL text to its tree.

Source: "SOQL SELECT Syntax", SOQL and SOSL Reference. Left out, and refused as
unexpected tokens: TYPEOF, WITH, GROUP BY ROLLUP and CUBE, DISTANCE.
"""

from datetime import date, datetime
from decimal import Decimal

from sidecar.devorg.refusal import Refusal
from sidecar.devorg.soql.ast import (
    AllFields,
    And,
    Call,
    Comparison,
    Condition,
    DateLiteral,
    FieldRef,
    Literal,
    Not,
    Or,
    Order,
    Query,
    Selected,
)
from sidecar.devorg.soql.tokens import Token, malformed, tokens, unquoted

_COMPARE = {"=", "!=", "<>", "<", "<=", ">", ">="}
_KEYWORDS = """
FROM WHERE GROUP HAVING ORDER LIMIT OFFSET FOR USING WITH ALL AND OR ASC DESC NULLS
UPDATE
"""
# Words that end a list of fields, and so are no alias.
_RESERVED = frozenset(_KEYWORDS.split())
_FUNCTIONS = """
COUNT COUNT_DISTINCT SUM AVG MIN MAX TOLABEL FORMAT CONVERTTIMEZONE CALENDAR_YEAR
CALENDAR_QUARTER CALENDAR_MONTH DAY_IN_MONTH DAY_IN_WEEK DAY_ONLY HOUR_IN_DAY
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())


def parse(text: str) -> Query:
    """
    Read one query.

    Raises:
        Refusal: MALFORMED_QUERY, with the place.
    """
    parser = _Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._next = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _unexpected(self) -> Refusal:
        return malformed(self._text, self._token)

    def _advance(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _take_word(self, *words: str) -> bool:
        if self._token.is_word(*words):
            self._next += 1
            return True
        return False

    def _take(self, op: str) -> bool:
        if self._token.kind == "op" and self._token.text == op:
            self._next += 1
            return True
        return False

    def _expect_word(self, *words: str) -> Token:
        if not self._token.is_word(*words):
            raise self._unexpected()
        return self._advance()

    def _expect(self, op: str) -> None:
        if not self._take(op):
            raise self._unexpected()

    def _name(self) -> Token:
        if self._token.kind != "name":
            raise self._unexpected()
        return self._advance()

    def expect_end(self) -> None:
        if self._token.kind != "end":
            raise self._unexpected()

    def query(self) -> Query:
        self._expect_word("SELECT")
        select = [self._selected()]
        while self._take(","):
            select.append(self._selected())
        self._expect_word("FROM")
        source = self._name()
        query = Query(select, source.text, source.at)
        # A child relationship may be written with the parent's name before it.
        while self._take("."):
            query.from_ = self._name().text
        if self._token.kind == "name" and self._token.text.upper() not in _RESERVED:
            query.alias = self._advance().text
        self._clauses(query)
        return query

    def _clauses(self, query: Query) -> None:
        if self._take_word("USING"):
            self._expect_word("SCOPE")
            self._name()
        if self._take_word("WHERE"):
            query.where = self._condition()
        if self._take_word("GROUP"):
            self._expect_word("BY")
            query.group_by.append(self._operand())
            while self._take(","):
                query.group_by.append(self._operand())
        if self._take_word("HAVING"):
            query.having = self._condition()
        if self._take_word("ORDER"):
            self._expect_word("BY")
            query.order_by.append(self._order())
            while self._take(","):
                query.order_by.append(self._order())
        if self._take_word("LIMIT"):
            query.limit = self._whole_number()
        if self._take_word("OFFSET"):
            query.offset = self._whole_number()
        while self._take_word("FOR"):
            self._expect_word("VIEW", "REFERENCE", "UPDATE")
        if self._take_word("ALL"):
            self._expect_word("ROWS")
            query.all_rows = True

    def _whole_number(self) -> int:
        if self._token.kind != "number" or not self._token.text.isdigit():
            raise self._unexpected()
        return int(self._advance().text)

    def _selected(self) -> Selected:
        if self._take("("):
            inner = self.query()
            self._expect(")")
            return inner
        if self._token.is_word("FIELDS") and self._tokens[self._next + 1].text == "(":
            at = self._advance().at
            self._expect("(")
            kind = self._expect_word("ALL", "STANDARD", "CUSTOM").text.upper()
            self._expect(")")
            return AllFields(kind, at)
        if self._token.is_word("FROM"):
            raise self._unexpected()
        operand = self._operand()
        if self._token.kind == "name" and self._token.text.upper() not in _RESERVED:
            operand.alias = self._advance().text
        return operand

    def _operand(self) -> FieldRef | Call:
        first = self._name()
        if self._take("("):
            if first.text.upper() not in FUNCTIONS:
                raise malformed(self._text, first)
            argument = None if self._token.text == ")" else self._argument()
            self._expect(")")
            return Call(first.text.upper(), argument, first.at)
        path = [first.text]
        while self._take("."):
            path.append(self._name().text)
        return FieldRef(tuple(path), first.at)

    def _argument(self) -> FieldRef:
        operand = self._operand()
        if isinstance(operand, FieldRef):
            return operand
        # convertTimezone() within a date function: the org's zone is UTC.
        if operand.function == "CONVERTTIMEZONE" and operand.argument is not None:
            return operand.argument
        raise malformed(self._text, Token("name", operand.function, operand.at))

    def _order(self) -> Order:
        by = self._operand()
        descending = self._take_word("DESC")
        if not descending:
            self._take_word("ASC")
        nulls_first = True
        if self._take_word("NULLS"):
            nulls_first = self._expect_word("FIRST", "LAST").text.upper() == "FIRST"
        return Order(by, descending, nulls_first)

    def _condition(self) -> Condition:
        first = self._factor()
        parts = [first]
        joined: str | None = None
        while self._token.is_word("AND", "OR"):
            word = self._token.text.upper()
            # SOQL knows no precedence: AND and OR mixed need parentheses.
            if joined not in {None, word}:
                raise self._unexpected()
            joined = word
            self._advance()
            parts.append(self._factor())
        if joined is None:
            return first
        return And(parts) if joined == "AND" else Or(parts)

    def _factor(self) -> Condition:
        if self._take_word("NOT"):
            return Not(self._factor())
        if self._take("("):
            inner = self._condition()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        left = self._operand()
        token = self._token
        if token.kind == "op" and token.text in _COMPARE:
            self._advance()
            operator = "!=" if token.text == "<>" else token.text
            return Comparison(left, operator, self._literal())
        if self._take_word("LIKE"):
            return Comparison(left, "LIKE", self._literal())
        operator = self._expect_word("IN", "NOT", "INCLUDES", "EXCLUDES").text.upper()
        if operator == "NOT":
            self._expect_word("IN")
            operator = "NOT IN"
        return Comparison(left, operator, self._set())

    def _set(self) -> list[Literal] | Query:
        self._expect("(")
        right: list[Literal] | Query
        if self._token.is_word("SELECT"):
            right = self.query()
        else:
            right = [self._literal()]
            while self._take(","):
                right.append(self._literal())
        self._expect(")")
        return right

    def _literal(self) -> Literal:
        token = self._advance()
        try:
            match token.kind:
                case "string":
                    return Literal(unquoted(token.text), token.at)
                case "number":
                    return Literal(Decimal(token.text), token.at)
                case "date":
                    return Literal(date.fromisoformat(token.text), token.at)
                case "datetime":
                    return Literal(datetime.fromisoformat(token.text), token.at)
                case "name":
                    return self._named_literal(token)
        except ValueError:
            pass
        self._next -= 1
        raise self._unexpected()

    def _named_literal(self, token: Token) -> Literal:
        word = token.text.upper()
        if word in {"TRUE", "FALSE"}:
            return Literal(word == "TRUE", token.at)
        if word == "NULL":
            return Literal(None, token.at)
        number = self._whole_number() if self._take(":") else None
        return Literal(DateLiteral(word, number), token.at)
