"""Help: each verb says what it does, and its examples can be run."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from sidecar.cli import cli
from sidecar.settings import Settings

README = Path(__file__).parents[2] / "README.md"


def verbs(
    group: click.Group = cli, before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb with the words that lead to it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, (*before, name))
        else:
            yield (*before, name), command


VERBS = dict(verbs())
PATHS = [pytest.param(path, id=" ".join(path)) for path in VERBS]


def test_without_a_verb_the_verbs_are_listed(run) -> None:
    result = run()

    assert result.exit_code == 2
    for path in VERBS:
        assert path[0] in result.output


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_of_a_verb_says_what_it_does(run, path, option) -> None:
    result = run(*path, option)

    assert result.exit_code == 0
    said = VERBS[path].help
    assert said
    first = said.strip().partition("\n\n")[0]
    assert first.endswith((".", "(RQ).", "(gunicorn)."))
    assert len(first) > 10
    assert " ".join(first.split()) in " ".join(result.output.split())


EXAMPLES = [
    pytest.param(path, example, id=" ".join(path))
    for path, command in VERBS.items()
    for example in re.findall(
        r"Example: (sidecar .*?)(?:\n\n|\Z)", command.help or "", re.S
    )
]


@pytest.mark.parametrize(("path", "example"), EXAMPLES)
def test_an_example_is_of_this_verb_and_has_all_that_it_needs(path, example) -> None:
    _, *words = shlex.split(example)

    assert tuple(words[: len(path)]) == path
    command = VERBS[path]
    given = {word for word in words if word.startswith("--")}
    known = {name for option in command.params for name in option.opts}
    assert given <= known
    needed = {
        option.opts[-1]
        for option in command.params
        if isinstance(option, click.Option) and option.required
    }
    assert needed <= given


def test_where_it_takes_more_than_a_name_an_example_is_given() -> None:
    """A verb with three options that must be given is not guessed."""
    for path, command in VERBS.items():
        needed = [option for option in command.params if option.required]
        assert len(needed) < 3 or "Example:" in (command.help or ""), path


@pytest.mark.parametrize(
    "verb",
    [
        *("web", "worker", "clock", "resync", "completeness", "db upgrade"),
        *("keys new", "keys rotate", "secrets rotate", "audit list", "clocks pause"),
        *("events replay", "followups retry", "referrals unowned", "playbooks set"),
        *("reports list", "reports run"),
    ],
)
def test_what_is_done_every_day_has_an_example(verb) -> None:
    assert f"Example: sidecar {verb}" in (VERBS[tuple(verb.split())].help or "")


def test_an_unknown_verb_is_a_misuse(run) -> None:
    assert run("evnets").exit_code == 2
    assert run("events", "lits").exit_code == 2
    assert run("events", "list", "--jsno").exit_code == 2


def test_the_version_is_told(run) -> None:
    result = run("--version")

    assert result.exit_code == 0
    assert re.search(r"version \d+\.\d+\.\d+", result.output)


def test_every_verb_is_named_in_the_readme() -> None:
    section = README.read_text().partition("## Commands")[2].partition("\n## ")[0]
    for *group, verb in VERBS:
        within = (
            rf"\b{group[0]} [a-z| -]*\b{verb}\b" if group else rf"`(sidecar )?{verb}`"
        )
        assert re.search(within, section), (*group, verb)


def test_every_command_that_the_readme_shows_exists() -> None:
    text = README.read_text().replace("\\\n", " ")
    shown = re.findall(r"(?:`|\bbin/|^ *)sidecar ([a-z][^`\n]*)", text, re.M)
    assert len(shown) > 5
    for line in shown:
        words = shlex.split(line.partition("|")[0])
        path = tuple(words[:2]) if tuple(words[:2]) in VERBS else tuple(words[:1])
        assert path in VERBS, line
        given = {word for word in words if word.startswith("--")}
        assert given <= {name for o in VERBS[path].params for name in o.opts}, line


def test_every_setting_is_named_in_the_readme_and_no_other() -> None:
    named = set(re.findall(r"SIDECAR_[A-Z_]+", README.read_text()))

    assert named == {f"SIDECAR_{field.name.upper()}" for field in fields(Settings)}
