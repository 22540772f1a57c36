"""Driving a deployment from the command line, and showing how it stands."""

import logging
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from sidecar import logs
from sidecar.cli.frame import show_json
from sidecar.errors import Permanent
from sidecar.jobs.deploy import exporting
from sidecar.package import plan as plans
from sidecar.package.plan import Plan
from sidecar.salesforce.caller import Caller
from sidecar.store import answers, deployments
from sidecar.store.deployments import Deployment
from sidecar.wiring import Wiring

_LONGEST_NAP = 2.0
_COLOURS = {"blocks": "red", "warns": "yellow", "informs": "cyan"}


def run(
    wiring: Wiring,
    deployment_id: int,
    *,
    quiet: bool = False,
    export_to: Path | None = None,
) -> Deployment:
    """
    Take a deployment's turns until it is over, or needs a person who is not here.

    A worker may take some of them; whoever is first does.

    Args:
        quiet: say nothing on the way.
        export_to: where to write data when the deployment waits for it.
    """
    # The person sees the stages; the workers log the turns that they take.
    logs.configure(wiring.settings.log_format, level=logging.WARNING)
    console = Console(stderr=True, quiet=quiet)
    last = ""
    try:
        with console.status("...") as line:
            while True:
                wiring.deploy(deployment_id)
                row = _find(wiring, deployment_id)
                last = _tell(console, line, row, last)
                if row.state == "asking" and _answered(wiring, row, line, export_to):
                    continue
                if row.state in {"asking", "done", "dead"}:
                    return row
                _nap(wiring, row)
    except KeyboardInterrupt:
        click.echo(
            f"deployment {deployment_id} is not over: the workers go on with it; "
            f"`sidecar package install --resume {deployment_id}` shows how it ends, "
            f"`sidecar package cancel {deployment_id}` stops it",
            err=True,
        )
        sys.exit(1)


def show(row: Deployment, *, as_json: bool = False, diff: bool = False) -> None:
    """Print a deployment: what it found, what it changes, how it ended."""
    if as_json:
        show_json(as_dict(row))
        return
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(f"deployment {row.id}: {row.kind}, {_verdict(row)}")
    for each in row.findings:
        colour = _COLOURS[each["level"]]
        console.print(f"[{colour}]{each['level']}[/] {escape(each['message'])}")
        if each["remedy"]:
            console.print(f"    {escape(each['remedy'])}")
    for text in _changes(row):
        console.print(escape(text))
    if diff:
        for entry in row.plan.get("entries", []):
            console.print(escape(entry["diff"]), end="")
    for each in row.evidence.get("failures", []):
        place = f"{each.get('file', '')}:{each['line']}" if each.get("line") else ""
        place = place or each.get("file", "")
        console.print(f"[red]{escape(each['component'])}[/] {escape(place)}")
        console.print(f"    {escape(each['problem'])}")
        if each["cause"]:
            console.print(f"    {escape(each['cause'])}: {escape(each['remedy'])}")
    for each in row.evidence.get("self_test", {}).get("steps", []):
        mark = "[green]ok[/]" if each["ok"] else "[red]FAILED[/]"
        console.print(f"{mark} {escape(each['step'])}: {escape(each['words'])}")
    if row.error:
        console.print(f"[red]{escape(row.error)}[/]")
    _next_steps(console, row)


def as_dict(row: Deployment) -> dict[str, Any]:
    """Give a deployment for machines."""
    return {
        name: getattr(row, name)
        for name in Deployment.__dataclass_fields__
        if name not in {"attempts", "failures", "due_at", "async_id"}
    }


def _verdict(row: Deployment) -> str:
    if row.state == "asking":
        return f"waits for a person ({row.question})"
    if row.report:
        return str(row.report["report"]["verdict"])
    return f"{row.state}, {row.progress.get('words', row.stage)}"


def _changes(row: Deployment) -> list[str]:
    if "entries" in row.plan:
        made = Plan.from_dict({**row.plan, "archive": {}, "installed": {}})
        return plans.summary(made)
    told = [each["title"] for each in row.plan.get("steps", [])]
    told += [f"goes too: {each}" for each in row.plan.get("losses", [])]
    return told + list(row.plan.get("notes", []))


def _next_steps(console: Console, row: Deployment) -> None:
    verb = row.kind if row.kind in {"rollback", "uninstall"} else "install"
    if row.question == "yes":
        console.print(f"to agree: sidecar package {verb} --resume {row.id} --yes")
    elif row.question == "export":
        console.print(
            f"to go on: sidecar package uninstall --resume {row.id} --export DIR"
        )
    elif row.report:
        console.print(f"report: sidecar package report {row.id}")


def _find(wiring: Wiring, deployment_id: int) -> Deployment:
    with wiring.engine.connect() as db:
        row = deployments.find(db, deployment_id)
    if row is None:
        raise click.UsageError(f"there is no deployment {deployment_id}")
    return row


def _tell(console: Console, line: Status, row: Deployment, last: str) -> str:
    """Show where it is: a moving line for people, a line for each change elsewhere."""
    words = str(row.progress.get("words") or row.stage)
    for name in ("components", "tests"):
        done, total = row.progress.get(name) or (0, 0)
        if total:
            words += f", {done} of {total} {name}"
    if row.error and row.state == "waiting":
        words += f" (will try again: {row.error})"
    line.update(escape(words))
    if words != last and not console.is_terminal:
        console.print(escape(words))
    return words


def _answered(
    wiring: Wiring, row: Deployment, line: Status, export_to: Path | None
) -> bool:
    """Answer what a deployment asks, where somebody is here who can."""
    if row.question == "export" and export_to is not None:
        files = exporting.export(
            export_to,
            wanted=row.plan["export"],
            caller=_admin(wiring, row),
        )
        with wiring.engine.begin() as db:
            return answers.exported(db, row.id, files, now=wiring.now())
    if row.question == "yes" and sys.stdin.isatty() and sys.stdout.isatty():
        line.stop()
        show(row)
        if click.confirm("Go on?"):
            with wiring.engine.begin() as db:
                line.start()
                return answers.say_yes(
                    db, row.id, fingerprint=row.fingerprint, now=wiring.now()
                )
    return False


def _admin(wiring: Wiring, row: Deployment) -> Caller:
    with wiring.engine.connect() as db:
        known = deployments.admin(db, row.id, keyring=wiring.keyring)
    if known is None:
        raise Permanent("the deployment needs an admin's access token")
    return wiring.as_admin(known)


def _nap(wiring: Wiring, row: Deployment) -> None:
    rest: timedelta = row.due_at - wiring.now()
    time.sleep(min(max(rest.total_seconds(), 0.02), _LONGEST_NAP))
