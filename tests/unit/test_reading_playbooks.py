"""Playbooks: what an admin wrote is understood, or each fault is told with its place."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.mail.render import names
from sidecar.playbooks.read import WrongPlaybook, read, standard
from sidecar.referral.journey import Milestone
from sidecar.referral.playbook import Action, ChatRule, EmailRule, Playbook, TaskRule
from sidecar.referral.working_time import Promise

TEMPLATES = ("new_referral", "referral_won")
GOOD = """
version: "2026-01"
milestones:
  submitted:
    - action: call
      task:
        subject: "Call {prospect}"
        description: "{{braces}} and {referrer}"
        due: 4 working hours
        priority: High
    - action: tell
      email: {template: new_referral}
    - action: post
      chat: {channel: sales, text: "New: {prospect}"}
  won:
    - action: thank
      task: {subject: Thank them}
"""


def faults(text: str) -> list[str]:
    """What is told of a playbook, without the first line."""
    with pytest.raises(WrongPlaybook) as raised:
        read(text, templates=TEMPLATES)
    return str(raised.value).splitlines()[1:]


def of_action(action: str) -> list[str]:
    """What is told of one action of the first milestone."""
    return faults(f"version: x\nmilestones:\n  submitted:\n    - {action}\n")


def test_a_playbook_is_read_as_it_is_written() -> None:
    assert read(GOOD, templates=TEMPLATES) == Playbook(
        "2026-01",
        {
            Milestone.SUBMITTED: (
                Action(
                    "call",
                    TaskRule(
                        "Call {prospect}",
                        "{{braces}} and {referrer}",
                        Promise(hours=4),
                        "High",
                    ),
                ),
                Action("tell", EmailRule("new_referral")),
                Action("post", ChatRule("sales", "New: {prospect}")),
            ),
            Milestone.WON: (
                Action("thank", TaskRule("Thank them", "", Promise(days=1), "Normal")),
            ),
        },
    )


def test_the_packages_own_playbook_is_right_and_acts_at_each_milestone() -> None:
    playbook = standard(tuple(names()))

    assert set(playbook.actions) == set(Milestone)
    assert all(playbook.actions.values())


def test_yaml_takes_no_word_for_something_else() -> None:
    """Unquoted, YAML would make of them a number, false, a date and nothing."""
    playbook = read(
        "version: 1.10\nmilestones: {won: ["
        "{action: no, task: {subject: 2026-01-02, description: null}}]}",
        templates=(),
    )

    (action,) = playbook.actions[Milestone.WON]
    assert playbook.version == "1.10"
    assert action.name == "no"
    assert isinstance(action.rule, TaskRule)
    assert (action.rule.subject, action.rule.description) == ("2026-01-02", "null")


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("{task: {subject: x}}", ["action: Missing data for required field."]),
        ("{action: Call, task: {subject: x}}", ["action: use small letters, digits"]),
        (
            "{action: a}",
            [": an action is one of task, email, chat, set_field, add_to_campaign"],
        ),
        (
            "{action: a, task: {subject: x}, email: {template: new_referral}}",
            [": an action is one of task, email, chat, set_field, add_to_campaign"],
        ),
        ("{action: a, task: {}}", ["task.subject: Missing data"]),
        ("{action: a, task: {subject: ''}}", ["task.subject: Length must be between"]),
        ("{action: a, task: text}", ["task: Invalid input type."]),
        ("{action: a, task: {subject: [x]}}", ["task.subject: Not a valid string."]),
        ("{action: a, task: {subject: '{name}'}}", ["task.subject: {name} is unknown"]),
        ("{action: a, task: {subject: '{}'}}", ["task.subject: {} is unknown"]),
        ("{action: a, task: {subject: '{0}'}}", ["task.subject: {0} is unknown"]),
        (
            "{action: a, task: {subject: '{code.__class__}'}}",
            ["task.subject: {code.__class__} is unknown"],
        ),
        (
            "{action: a, task: {subject: '{code!r}'}}",
            ["task.subject: {code} is unknown"],
        ),
        ("{action: a, task: {subject: '50% {'}}", ["task.subject: Single '{'"]),
        (
            "{action: a, task: {subject: x, description: '}'}}",
            ["task.description: Single '}'"],
        ),
        (
            "{action: a, task: {subject: x, due: 1 day}}",
            ["task.due: write it as '2 working days'"],
        ),
        (
            "{action: a, task: {subject: x, due: 1000 working days}}",
            ["task.due: write it as"],
        ),
        (
            "{action: a, task: {subject: x, priority: Urgent}}",
            ["task.priority: Must be one of: High, Normal, Low."],
        ),
        ("{action: a, email: {template: other}}", [": no template 'other'; there are"]),
        ("{action: a, email: {}}", ["email.template: Missing data"]),
        # These names mean something to the library that checks.
        (
            "{action: a, task: {subject: x, key: 1}, value: 2}",
            ["task.key: Unknown field.", "value: Unknown field."],
        ),
        ("text", [": Invalid input type."]),
    ],
)
def test_each_fault_is_told_with_its_place(action: str, told: list[str]) -> None:
    lines = of_action(action)

    assert len(lines) == len(told)
    for line, begin in zip(sorted(lines), sorted(told), strict=True):
        place = "milestones.submitted[0]"
        assert line.startswith(place + ("" if begin[0] == ":" else ".") + begin)


def test_all_faults_are_told_at_once() -> None:
    told = faults(
        """
        milestones:
          submited: []
          won: all of them
          lost:
            - {action: a, email: {template: referral_won}}
            - {action: b, task: {subject: x, due: soon}}
        mood: good
        """
    )

    assert [line.partition(": ")[0] for line in told] == [
        "version",
        "milestones.submited",
        "milestones.won",
        "milestones.lost[1].task.due",
        "mood",
    ]


def test_all_templates_and_names_that_do_not_fit_are_told_at_once() -> None:
    told = faults(
        """
        version: x
        milestones:
          won:
            - {action: a, email: {template: referral_won}}
            - {action: a, email: {template: referral_won}}
            - {action: b, email: {template: nope}}
          lost:
            - {action: a, email: {template: nope}}
        """
    )

    assert [line.partition(": ")[::2] for line in told] == [
        ("milestones.won[1]", "a second action 'a'"),
        (
            "milestones.won[2]",
            "no template 'nope'; there are new_referral, referral_won",
        ),
        (
            "milestones.lost[0]",
            "no template 'nope'; there are new_referral, referral_won",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "none of the words that make one"),
        ("- a\n- b", "none of the words that make one"),
        ("version: x\n milestones: {}", "line 2"),
        # The later one would win without a word.
        ("version: x\nmilestones:\n  won: []\n  won: []", "'won' a second time"),
        ("version: x\nversion: x", "line 2, column 1"),
        ("version: x\nmilestones: &all {won: *all}", "recursive"),
        ("!!python/object/apply:os.system [exit]", "none of the words that make one"),
        ("[" * 20_000, "not YAML"),
        ('"\\UFFFFFFFF"', "not YAML"),
        # PostgreSQL keeps neither, and would refuse each follow-up planned by it.
        ('version: "a\\0"\nmilestones: {}', "no database keeps"),
        ('version: "a\\ud800"\nmilestones: {}', "no database keeps"),
        (f"%YAML {'9' * 5000}.1\n--- x", "not YAML"),
    ],
)
def test_what_is_no_playbook_is_told_so(text: str, told: str) -> None:
    with pytest.raises(WrongPlaybook, match=told):
        read(text, templates=TEMPLATES)


# Pieces of which texts grow that are nearly playbooks.
PIECES = st.sampled_from(
    [
        *GOOD.splitlines(keepends=True),
        *"{}[]&*!|>?:-,'\"%@`#\n\t~",
        "  ",
        "version: ",
        "milestones: ",
        "won: ",
        "- action: a\n",
        "task: ",
        "email: ",
        "subject: ",
        "!!int ",
        "!!timestamp ",
        "!!binary ",
        "!!bool ",
        "&a ",
        "*a ",
        "<<: ",
        "2026-99-99",
        "0x",
        "1_",
        "=",
        "key: ",
        "value: ",
        "_schema: ",
        "{prospect}",
        "{",
    ]
)


@settings(max_examples=300)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join)))
def test_whatever_the_text_it_is_a_playbook_or_a_wrong_one(text: str) -> None:
    with suppress(WrongPlaybook):
        assert isinstance(read(text, templates=TEMPLATES), Playbook)


# Trees in the shape of a playbook, with leaves that fit and leaves that do not.
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["1 working day", "High", "new_referral", "a", "{prospect}"]),
)
WORDS = [
    *("version", "milestones", "submitted", "won", "action", "task", "email"),
    *("subject", "due", "priority", "template", "description"),
    *(
        "chat",
        "channel",
        "text",
        "set_field",
        "field",
        "value",
        "add_to_campaign",
        "campaign",
        "status",
    ),
    *("key", "value", "_schema"),
]
TREES = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(
            st.sampled_from(WORDS),
            below,
            max_size=4,
        ),
    ),
    max_leaves=25,
)


@settings(max_examples=300)
@given(TREES)
def test_whatever_the_tree_it_is_a_playbook_or_a_wrong_one(tree: object) -> None:
    """JSON is YAML too."""
    with suppress(WrongPlaybook):
        assert isinstance(read(json.dumps(tree), templates=TEMPLATES), Playbook)
