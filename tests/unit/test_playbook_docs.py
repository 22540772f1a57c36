"""The guide's examples are used as they stand, and the schema agrees with the reader."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from test_reading_playbooks import GOOD, TEMPLATES, TREES

from sidecar.mail.render import names
from sidecar.playbooks import expressions
from sidecar.playbooks.calendars import calendar
from sidecar.playbooks.read import WrongPlaybook, read, standard_text
from sidecar.playbooks.schema import schema

GUIDE = (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text("utf-8")


def examples(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.M | re.S)


def faults(raw: Any, templates: tuple[str, ...] = TEMPLATES) -> list[str]:
    validator = Draft202012Validator(schema(templates))
    return [error.message for error in validator.iter_errors(raw)]


def test_the_playbook_of_the_guide_can_be_used() -> None:
    (text,) = examples("yaml playbook")

    found = read(text, templates=tuple(names()))
    assert {rule.name for rule in found.clocks} == {"first-response"}
    assert found.types


def test_the_words_of_the_guide_can_be_used() -> None:
    (text,) = examples("yaml words")

    found = read(text, templates=())
    assert {type(action.rule).__name__ for action in found.all_actions()} == {
        *("WordRule", "AskRule", "NudgeRule")
    }


def test_the_calendar_of_the_guide_can_be_used() -> None:
    (text,) = examples("yaml calendar")

    assert set(calendar(text, "UTC").teams) == {"new-york", "night"}


def test_the_conditions_of_the_guide_can_be_used() -> None:
    (text,) = examples("cel")

    for line in text.splitlines():
        assert expressions.condition(line).text == line
    assert len(text.splitlines()) >= 4


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema(TEMPLATES))


@pytest.mark.parametrize(
    "text", [GOOD, standard_text(), *examples("yaml playbook")], ids=str.split
)
def test_the_schema_takes_what_the_reader_takes(text: str) -> None:
    """As an editor reads it, numbers as numbers."""
    assert faults(yaml.safe_load(text), tuple(names())) == []


CLOCK = {
    "milestones": ["submitted"],
    "within": "8 working hours",
    "others": [{"type": "Partner", "within": "4 working hours"}],
    "rests_at": ["Parked"],
    "writes_due": "true",
    "at_risk": {"at": "75 %", "actions": []},
    "overdue": {"after": "1 working hour"},
    "backup": {"after": "2 working hours"},
}
GOOD_TREE = {
    "version": "1",
    "milestones": {
        "submitted": [
            {
                "action": "a",
                "when": "true",
                "after": "3 days",
                "task": {"subject": "x"},
            },
            {"action": "b", "email": {"template": "new_referral", "to": "backup"}},
            {"action": "c", "chat": {"channel": "sales", "text": "New: {prospect}"}},
            {"action": "d", "set_field": {"field": "Tier__c", "value": "{source}"}},
            {
                "action": "e",
                "add_to_campaign": {"campaign": "701000000000001", "status": "Sent"},
            },
            {
                "action": "f",
                "tell_referrer": {"template": "lost", "reasons": ["Moved away"]},
            },
            {"action": "g", "after": "90 days", "nudge_referrer": {}},
            {"action": "h", "after": "10 days", "ask_testimonial": {}},
        ]
    },
    "types": {"Partner": {"won": [{"action": "a", "task": {"subject": "x"}}]}},
    "clocks": {"first-response": CLOCK},
}


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(tree, dict):
        for key, below in tree.items():
            found += places(below, (*path, key))
    if isinstance(tree, list):
        for number, below in enumerate(tree):
            found += places(below, (*path, number))
    return found


def changed(path: tuple[Any, ...], value: object) -> Any:
    """The good tree with another value, or none, at one place."""
    tree: Any = json.loads(json.dumps(GOOD_TREE))
    if not path:
        return value
    at = tree
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return tree


WRONG = [
    *("Referral_Status__c", "referral_key__c", "Rating", "701000000000001"),
    *("", "x", "0 working days", "1 working hour", "10 days", "75 %", "true", "yes"),
    *("manager", "High", "new_referral", "won", "1000 working days", "A B", "{nope}"),
]
SOMETHING: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.sampled_from(WRONG),
    st.sampled_from(WRONG).map(lambda text: [text]),
    st.sampled_from(WRONG).map(lambda text: {text: text}),
)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(TREES, st.builds(changed, st.sampled_from(places(GOOD_TREE)), SOMETHING))
)
def test_what_the_reader_takes_the_schema_takes(tree: object) -> None:
    """Nobody's editor calls wrong what works."""
    with suppress(WrongPlaybook):
        read(json.dumps(tree), templates=TEMPLATES)
        assert faults(as_text(tree)) == []


def as_text(tree: Any) -> Any:
    """As the reader sees it: every value is text."""
    if isinstance(tree, dict):
        return {key: as_text(below) for key, below in tree.items()}
    if isinstance(tree, list):
        return [as_text(below) for below in tree]
    return tree if isinstance(tree, str) else json.dumps(tree)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), None),
        (("mood",), "good"),
        (("milestones", "submited"), []),
        (("milestones", "submitted", 0, "task", "subject"), None),
        (("milestones", "submitted", 0, "after"), "soon"),
        (("milestones", "submitted", 0, "email"), {"template": "new_referral"}),
        (("milestones", "submitted", 0, "chat"), {"channel": "sales", "text": "x"}),
        (("milestones", "submitted", 0, "nudge_referrer"), "x"),
        (("milestones", "submitted", 2, "chat", "channel"), "Sales"),
        (("milestones", "submitted", 2, "chat", "text"), None),
        (("milestones", "submitted", 3, "set_field", "field"), "Tier c"),
        (("milestones", "submitted", 3, "set_field", "field"), "referral_STATUS__c"),
        (("milestones", "submitted", 3, "set_field", "value"), None),
        (("milestones", "submitted", 4, "add_to_campaign", "campaign"), "00Q1"),
        (("milestones", "submitted", 4, "add_to_campaign", "status"), ""),
        (("milestones", "submitted", 1, "email", "template"), "nope"),
        (("milestones", "submitted", 1, "email", "to"), "everybody"),
        (("clocks", "first-response", "within"), "0 working hours"),
        (("clocks", "first-response", "milestones"), ["won"]),
        (("clocks", "first-response", "milestones"), []),
        (("clocks", "first-response", "others", 0, "type"), None),
        (("clocks", "first-response", "at_risk", "at"), "150 %"),
        (("clocks", "First Response"), CLOCK),
    ],
)
def test_what_the_schema_refuses_the_reader_refuses(
    path: tuple[Any, ...], value: object
) -> None:
    tree = changed(path, value)

    assert faults(tree)
    with pytest.raises(WrongPlaybook):
        read(json.dumps(tree), templates=TEMPLATES)


def test_the_good_tree_is_good() -> None:
    assert faults(GOOD_TREE) == []
    read(json.dumps(GOOD_TREE), templates=TEMPLATES)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (
            ("milestones", "submitted", 0, "when"),
            "referral.nope == 1",
            "milestones.submitted[0].when: referral.nope is unknown",
        ),
        (
            ("milestones", "submitted", 5, "tell_referrer", "template"),
            "new_referral",
            "milestones.submitted[5].tell_referrer.template: Must be one of: received",
        ),
        (
            ("milestones", "submitted", 5, "tell_referrer", "notes"),
            "x",
            "milestones.submitted[5].tell_referrer.notes: Unknown field.",
        ),
        (
            ("milestones", "submitted", 2, "chat", "text"),
            "{nope}",
            "milestones.submitted[2].chat.text: {nope} is unknown",
        ),
        (
            ("milestones", "submitted", 3, "set_field", "field"),
            "Referral_Status__c",
            "milestones.submitted[3].set_field.field: Referral_Status__c is set by no "
            "playbook: a playbook acts on it, and would act on itself",
        ),
        (
            ("milestones", "submitted", 4, "add_to_campaign", "campaign"),
            "Summer",
            "milestones.submitted[4].add_to_campaign.campaign: write the campaign's id",
        ),
        (
            ("types", "Partner", "won", 0, "task", "due"),
            "soon",
            "types.Partner.won[0].task.due: write it as",
        ),
        (
            ("types", "Partner", "won", 0, "action"),
            "A",
            "types.Partner.won[0].action: use small letters",
        ),
        (
            ("clocks", "first-response", "within"),
            "0 working hours",
            "clocks.first-response.within: promise more than nothing",
        ),
        (
            ("clocks", "first-response", "backup", "after"),
            "0 working hours",
            "clocks.first-response.backup.after: comes before the one above",
        ),
        (
            ("clocks", "first-response", "at_risk", "actions"),
            [{"action": "a", "email": {"template": "nope"}}],
            "clocks.first-response.at_risk.actions[0]: no template 'nope'",
        ),
        (
            ("clocks", "first-response", "at_risk", "actions"),
            [{"action": "a", "after": "3 days", "task": {"subject": "x"}}],
            "clocks.first-response.at_risk.actions[0].after: Unknown field.",
        ),
        (
            ("clocks", "first-response", "writes_due"),
            "perhaps",
            "clocks.first-response.writes_due: write true or false",
        ),
    ],
)
def test_each_fault_is_told_with_its_place(
    path: tuple[Any, ...], value: object, place: str
) -> None:
    with pytest.raises(WrongPlaybook) as raised:
        read(json.dumps(changed(path, value)), templates=TEMPLATES)

    (line,) = str(raised.value).splitlines()[1:]
    assert line.startswith(place)
