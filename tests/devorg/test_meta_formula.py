"""Formulas come to what Salesforce's come to, and are refused in its words."""

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.devorg.formula import FormulaError, Type, compile_formula

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
TYPES = {
    "$Record.Status__c": Type.PICKLIST,
    "$Record.Tags__c": Type.MULTIPICKLIST,
    "$Record.LastName": Type.TEXT,
    "$Record.Amount": Type.NUMBER,
    "$Record.CloseDate": Type.DATE,
    "$Record.CreatedDate": Type.DATETIME,
    "$Record.Hot__c": Type.BOOLEAN,
}


def types(path):
    try:
        return TYPES[path]
    except KeyError:
        raise FormulaError(f"Field {path} does not exist. Check spelling.") from None


class Lead:
    now = NOW

    def __init__(self, *, new=False, before=None, **values):
        self.is_new = new
        self._values = values
        self._before = before or {}

    def value(self, path):
        return self._values.get(path.rpartition(".")[2])

    def prior(self, path):
        return self._before.get(path.rpartition(".")[2])


def run(text, **values):
    return compile_formula(text, types).run(Lead(**values))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ^ 3 - 1", 7),
        ("-2 + 5", 3),
        ("10 / 4", Decimal("2.5")),
        ("MOD(-7, 3)", 2),
        ("ROUND(2.345, 2)", Decimal("2.35")),
        ("MAX(1, 5, 3)", 5),
        ('"a" & "b" + "c"', "abc"),
        ('LEN("Ümläut")', 6),
        ('MID("referral", 3, 3)', "fer"),
        ('RIGHT("abc", 2) & LEFT("abc", 1)', "bca"),
        ('LPAD("7", 3, "0")', "007"),
        ('FIND("l", "hello")', 3),
        ('SUBSTITUTE("a-b", "-", "+")', "a+b"),
        ('CONTAINS("abc", "B")', False),
        ('BEGINS("abc", "ab")', True),
        ('REGEX("AB12", "[A-Z]{2}\\\\d+")', True),
        ('VALUE("12.50") + 1', Decimal("13.5")),
        ('IF(1 > 2, "x", "y")', "y"),
        ('CASE(3, 1, "one", 3, "three", "many")', "three"),
        ("TRUE && !FALSE || FALSE", True),
        ('"x" = "X"', False),
        ('"x" <> "y"', True),
        ("TODAY()", date(2026, 3, 31)),
        ("TODAY() + 1", date(2026, 4, 1)),
        ("DATE(2026, 4, 2) - TODAY()", 2),
        ("ADDMONTHS(DATE(2026, 2, 28), 1)", date(2026, 3, 31)),
        ("WEEKDAY(DATE(2026, 3, 29))", 1),
        ("NOW()", NOW),
        ('TEXT(NOW()) & "|" & TEXT(1.50)', "2026-03-31 12:30:00Z|1.5"),
        ('CASESAFEID("00Q000000000001")', "00Q000000000001EAA"),
        ("/* a remark */ 1", 1),
    ],
)
def test_constant_formulas_come_to_their_value(text, expected):
    assert run(text) == expected


def test_a_null_text_is_the_empty_text_and_a_null_number_stays_null():
    assert run('{!$Record.LastName} = ""') is True
    assert run("ISBLANK({!$Record.LastName})") is True
    assert run("{!$Record.Amount} + 1") is None
    assert run("{!$Record.Amount} < 1") is False
    assert run("BLANKVALUE({!$Record.Amount}, 4)") == 4
    assert run("LEN({!$Record.LastName})") == 0


def test_a_picklist_is_read_through_its_own_functions():
    won = {"Status__c": "Won", "Tags__c": "a;b"}
    assert run('ISPICKVAL({!$Record.Status__c}, "Won")', **won) is True
    assert run('TEXT({!$Record.Status__c}) = "Won"', **won) is True
    assert run('CASE({!$Record.Status__c}, "Lost", 0, "Won", 1, 2)', **won) == 1
    assert run('INCLUDES({!$Record.Tags__c}, "b")', **won) is True
    assert run('ISPICKVAL({!$Record.Status__c}, "")') is True


@pytest.mark.parametrize(
    "text",
    [
        "ISBLANK({!$Record.Status__c})",
        '{!$Record.Status__c} = "Won"',
        "LEN({!$Record.Status__c})",
        'IF(TRUE, {!$Record.Status__c}, "")',
    ],
)
def test_a_bare_picklist_is_refused_where_text_is_wanted(text):
    with pytest.raises(FormulaError) as refused:
        compile_formula(text, types)
    assert str(refused.value) == (
        "Field Status__c is a picklist field. "
        "Picklist fields are only supported in certain functions."
    )


def test_a_new_record_has_changed_in_no_field():
    text = "ISCHANGED({!$Record.Status__c})"
    assert run(text, new=True, Status__c="Won") is False
    assert run(text, before={"Status__c": "Lost"}, Status__c="Won") is True
    assert run(text, before={"Status__c": "Won"}, Status__c="Won") is False
    assert run(text, before={"Status__c": "Won"}) is True


def test_the_prior_value_of_a_new_record_is_its_value():
    text = "PRIORVALUE({!$Record.Amount})"
    assert run(text, new=True, Amount=Decimal(3)) == 3
    assert run(text, before={"Amount": Decimal(2)}, Amount=Decimal(3)) == 2


def test_an_alternative_that_is_not_taken_is_not_computed():
    assert run("IF(TRUE, 1, 1 / 0)") == 1
    assert run("OR(TRUE, 1 / 0 = 1)") is True
    with pytest.raises(FormulaError, match="#Error!"):
        run("1 / 0")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FOO(1)", "Unknown function FOO. Check spelling."),
        ("VLOOKUP(1)", "Function VLOOKUP may not be used in this type of formula"),
        ("Nope__c = 1", "Field Nope__c does not exist. Check spelling."),
        ("AND(TRUE, TRUE", "Syntax error.  Missing ')'"),
        ("TRUE)", "Syntax error.  Extra ')'"),
        ("1 +", "Syntax error.  Found end of formula"),
        (
            "IF(TRUE, 1)",
            "Incorrect number of parameters for function 'IF()'. Expected 3, received 2",
        ),
        (
            "LEN(1)",
            "Incorrect parameter type for function 'LEN()'. Expected Text, received Number",
        ),
        (
            '1 + "a"',
            "Incorrect parameter type for operator '+'. Expected Text, received Number",
        ),
        (
            '"a" < "b"',
            "Incorrect parameter type for operator '<'. Expected Number, Date, DateTime, received Text",
        ),
        (
            "NOT(1)",
            "Incorrect parameter type for function 'NOT()'. Expected Boolean, received Number",
        ),
        (
            "1 = TRUE",
            "Incorrect parameter type for operator '='. Expected Number, received Boolean",
        ),
    ],
)
def test_a_formula_is_refused_in_salesforce_s_words(text, words):
    with pytest.raises(FormulaError) as refused:
        compile_formula(text, types)
    assert str(refused.value) == words


def test_a_condition_must_come_to_true_or_false():
    with pytest.raises(FormulaError) as refused:
        compile_formula("1 + 1", types, expected=Type.BOOLEAN)
    assert str(refused.value) == (
        "Formula result is data type (Number), "
        "incompatible with expected data type (true or false)."
    )


def test_the_fields_that_a_formula_reads_are_known():
    formula = compile_formula(
        "OR(ISCHANGED({!$Record.Status__c}), LEN({!$Record.LastName}) > 2)", types
    )
    assert formula.references == {"$Record.Status__c", "$Record.LastName"}


@given(st.text())
def test_any_text_between_quotes_is_that_text(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert run(f'"{quoted}"') == text


@given(st.text(alphabet="AND(NOT){!$Record.Amount}+-*/&|<>=\"' 1.,", max_size=30))
def test_nonsense_is_refused_and_never_breaks_the_reader(text):
    with contextlib.suppress(FormulaError):
        compile_formula(text, types)
