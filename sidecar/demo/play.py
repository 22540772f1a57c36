"""The play: referrals come in and move on, and the rep has a task and a mail."""

import json
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.status import Status
from rich.table import Table
from simple_salesforce.api import Salesforce
from sqlalchemy import select

from sidecar.demo.stage import Stage, Tell, build
from sidecar.errors import Permanent
from sidecar.mail.letters import message_id
from sidecar.referral.follow_up import follow_up_key
from sidecar.salesforce import lead_conversion
from sidecar.salesforce.caller import caller_for
from sidecar.salesforce.records import TASK_KEY
from sidecar.store.tables import event, follow_up

ACTIONS = {
    "Submitted": "call-prospect",
    "Contacted": "qualify-prospect",
    "Qualified": "make-offer",
    "Opportunity": "advance-opportunity",
    "Won": "thank-referrer",
}
STATUSES = tuple(ACTIONS)
_WON = {"StageName": "Closed Won"}
_PATIENCE_SECONDS = 60.0
_WIDE = 130
_FRAME = 3  # of each cell: a space on both sides and a line

_PEOPLE = ("Ada", "Ben", "Chloe", "Dario", "Elif", "Finn", "Greta", "Hugo")
_COMPANIES = ("Lighthouse", "Riverbank", "Northgate", "Orchard", "Stonebridge")
_REFERRERS = {
    "Mira Sample": "English",
    "Jon Sample": "German",
    "Lea Sample": "French",
}
"""Who refers, and in which language they hear of it."""
_SOURCES = ("Customer", "Partner", "Employee")


@dataclass(frozen=True)
class Line:
    """One milestone of one referral, as it stands."""

    prospect: str
    milestone: str
    received: str
    acknowledged_ms: str
    task: str
    mail_to: str
    subject: str


def run(directory: Path, *, once: bool, leads: int) -> int:
    """
    Build the stage, play, show.

    Returns:
        0 when each referral got exactly one task and one mail for each milestone.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    started = time.monotonic()
    try:
        with console.status("starting ...") as status:
            stage = build(directory, tell=_teller(console, status))
    except KeyboardInterrupt:
        return 130
    try:
        _addresses(console, stage, time.monotonic() - started)
        admin = stage.admin()
        people = _create(admin, stage, leads)
        with Live(console=console, refresh_per_second=4) as live:
            for status_value in STATUSES:
                _move(stage, admin, list(people), status_value)
                _watch(live, stage, people, status_value)
        if not console.is_terminal:
            console.print()  # what was live ends without a line's end
        faults = judge(stage, admin, people)
        for fault in faults:
            console.print(f"[red]{fault}[/red]")
        if not faults:
            told = f"{leads} referrals, {len(STATUSES)} milestones each"
            console.print(f"[green]{told}: one task and one mail for each.[/green]")
            console.print(_heard(stage))
        if not once:
            console.print("Everything stays up. Ctrl-C stops it.")
            _stay(stage)
        return 1 if faults else 0
    except KeyboardInterrupt:
        return 130
    finally:
        # One Ctrl-C is enough: a second must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with console.status("stopping ..."):
                stage.machine.stop()
        finally:
            # Where the terminal is gone, not even that could be said.
            stage.machine.stop()


def _teller(console: Console, status: Status) -> Tell:
    """Say which part is being started, wherever the words go."""

    def tell(part: str) -> None:
        if console.is_terminal:
            status.update(f"starting: {part}")
        else:
            console.print(f"starting: {part}")

    return tell


def _addresses(console: Console, stage: Stage, seconds: float) -> None:
    settings = stage.wiring.settings
    table = Table(
        title=f"up in {seconds:.1f} s", show_header=False, title_justify="left"
    )
    devorg = stage.machine.directory / "devorg" / "devorg.json"
    for name, address in (
        ("dev org", f"{stage.org.base_url}  (how to log in: {devorg})"),
        ("web", stage.web_url),
        ("PostgreSQL", settings.database_url),
        ("Redis", settings.redis_url),
        ("mail server", f"{settings.smtp_url}  (mails: {stage.mail_folder})"),
        ("logs", str(stage.machine.directory / "logs")),
    ):
        table.add_row(name, address)
    console.print(table)


def _create(admin: Salesforce, stage: Stage, leads: int) -> dict[str, str]:
    """Create referred leads for the reps; record id to the prospect's name."""
    referrers = _create_referrers(admin)
    records = []
    for number in range(leads):
        first = _PEOPLE[number % len(_PEOPLE)]
        last = f"Example {number + 1}"
        records.append(
            {
                "attributes": {"type": "Lead"},
                "FirstName": first,
                "LastName": last,
                "Company": f"{_COMPANIES[number % len(_COMPANIES)]} Ltd",
                "Email": f"{first.lower()}.{number + 1}@example.org",
                "Phone": f"+1 555 01{number % 100:02}",
                "OwnerId": stage.org.user_ids[stage.org.reps[number % 3]],
                "Referral_Status__c": STATUSES[0],
                "Referral_Source__c": _SOURCES[number % len(_SOURCES)],
                "Referral_Code__c": f"CODE{number + 1:04}",
                "Referrer_Name__c": list(referrers)[number % len(referrers)],
                "Referrer__c": list(referrers.values())[number % len(referrers)],
            }
        )
    people: dict[str, str] = {}
    for start in range(0, len(records), 200):
        some = records[start : start + 200]
        results = admin.restful(
            "composite/sobjects", method="POST", json={"records": some}
        )
        for record, result in zip(some, results or [], strict=True):
            people[result["id"]] = f"{record['FirstName']} {record['LastName']}"
    return people


def _create_referrers(admin: Salesforce) -> dict[str, str]:
    """Create who refers, all of whom want to hear of it; name to record id."""
    records = [
        {
            "attributes": {"type": "Referrer__c"},
            "Name": name,
            "Email__c": _address(name),
            "Keep_Informed__c": True,
            "Language__c": language,
        }
        for name, language in _REFERRERS.items()
    ]
    made = admin.restful("composite/sobjects", method="POST", json={"records": records})
    return {name: each["id"] for name, each in zip(_REFERRERS, made or [], strict=True)}


def _address(referrer: str) -> str:
    return f"{referrer.lower().replace(' ', '.')}@example.com"


def _move(
    stage: Stage, admin: Salesforce, lead_ids: Sequence[str], status: str
) -> None:
    """Take all referrals one step on, each as a rep would."""
    if status == STATUSES[0]:
        return
    # Times in an org have whole seconds: the next status belongs into the next one.
    time.sleep(1.1)
    if status == "Opportunity":
        _convert(stage, lead_ids)
    elif status == "Won":
        _update(admin, "Opportunity", _opportunities(admin, lead_ids), _WON)
    else:
        _update(admin, "Lead", lead_ids, {"Referral_Status__c": status})


def _convert(stage: Stage, lead_ids: Sequence[str]) -> None:
    """The package's flow makes an opportunity of the referral."""
    org = stage.org
    ca_file = Path(org.ca_file) if org.ca_file else None
    caller = caller_for(org.base_url, org.admin_token, ca_file=ca_file)
    status = lead_conversion.converted_status(caller)
    for number, lead_id in enumerate(lead_ids, start=1):
        lead_conversion.convert(
            caller, lead_id, status=status, opportunity_name=f"Referral {number}"
        )


def _opportunities(admin: Salesforce, lead_ids: Sequence[str]) -> list[str]:
    """The key, stamped on the lead, leads from it to its opportunity."""
    rows = admin.query_all(
        "SELECT Id, Referral_Key__c FROM Opportunity WHERE Referral_Key__c != null"
    )["records"]
    return [row["Id"] for row in rows if row["Referral_Key__c"] in lead_ids]


def _update(
    admin: Salesforce, of: str, ids: Sequence[str], values: Mapping[str, str]
) -> None:
    for start in range(0, len(ids), 200):
        records = [
            {"attributes": {"type": of}, "Id": id_, **values}
            for id_ in ids[start : start + 200]
        ]
        answers = admin.restful(
            "composite/sobjects", method="PATCH", json={"records": records}
        )
        refused = [each["errors"] for each in answers or [] if not each["success"]]
        if refused:
            raise Permanent(f"the dev org refuses a step: {refused[0]}")


def _watch(live: Live, stage: Stage, people: dict[str, str], status: str) -> None:
    """Show how it goes until this status is worked off, or patience ends."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    wanted = len(people) * (STATUSES.index(status) + 1)
    while True:
        lines = _lines(stage, people)
        live.update(_table(lines[-40:], width=live.console.width))
        complete = [line for line in lines if line.task and line.mail_to]
        if len(complete) >= wanted or time.monotonic() > deadline:
            return
        time.sleep(0.1)


def _table(lines: Sequence[Line], *, width: int) -> Table:
    """One row, one line: where there is no room for all, the less telling go."""
    rows = [
        {
            "prospect": line.prospect,
            "milestone": line.milestone,
            "received": line.received,
            "ack ms": line.acknowledged_ms,
            "task": line.task or "...",
            "mail to": line.mail_to or "...",
        }
        for line in lines
    ]
    names = ["prospect", "milestone", "ack ms", "task"]
    if width >= _WIDE:
        names = ["prospect", "milestone", "received", "ack ms", "task", "mail to"]
    table = Table()
    room = width - 1
    for name in names:
        longest = max((len(row[name]) for row in rows), default=0)
        needed = max(longest, len(name))
        table.add_column(name, no_wrap=True, min_width=needed)
        room -= needed + _FRAME
    table.add_column("subject", no_wrap=True, max_width=max(room - _FRAME, 8))
    for row, line in zip(rows, lines, strict=True):
        table.add_row(*(row[name] for name in names), line.subject or "...")
    return table


def _lines(stage: Stage, people: dict[str, str]) -> list[Line]:
    with stage.wiring.engine.connect() as db:
        rows = db.execute(
            select(
                follow_up.c.referral_key,
                follow_up.c.milestone,
                follow_up.c.kind,
                follow_up.c.key,
                follow_up.c.receipt,
                follow_up.c.event_id,
                event.c.received_at,
            )
            .join(event, event.c.id == follow_up.c.event_id)
            .where(follow_up.c.kind.in_(("task", "email")))
            .order_by(follow_up.c.id)
        ).all()
    mails = {mail["Message-ID"]: mail for mail in read_mails(stage.mail_folder)}
    took = _acknowledged(stage.web_log)
    # The events of one message were received at one moment.
    took_at = {
        row.received_at: took[row.event_id] for row in rows if row.event_id in took
    }
    domain = stage.wiring.sender.email.rpartition("@")[2]
    found: dict[tuple[str, str], Line] = {}
    for row in rows:
        place = (row.referral_key, row.milestone)
        known = found.get(place)
        mail = mails.get(message_id(row.key, domain=domain))
        task = (row.receipt or "") if row.kind == "task" else ""
        found[place] = Line(
            prospect=people.get(row.referral_key, row.referral_key),
            milestone=row.milestone,
            received=f"{row.received_at:%H:%M:%S.%f}"[:-3],
            acknowledged_ms=took_at.get(row.received_at, ""),
            task=task or (known.task if known else ""),
            mail_to=str(mail["To"]) if mail else (known.mail_to if known else ""),
            subject=str(mail["Subject"]) if mail else (known.subject if known else ""),
        )
    return list(found.values())


def _acknowledged(web_log: Path) -> dict[int, str]:
    """First event of a message to the milliseconds until it was acknowledged."""
    took: dict[int, str] = {}
    for line in web_log.read_text().splitlines():
        if '"outbound.answered"' in line and line.startswith("{"):
            told = json.loads(line)
            if told["first_event"] is not None:
                took[told["first_event"]] = f"{told['ms']:.1f}"
    return took


def read_mails(folder: Path) -> list[EmailMessage]:
    """Read what the mail server kept, in the order it came."""
    parser = BytesParser(EmailMessage, policy=policy.default)
    return [
        parser.parsebytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))
    ]


def judge(stage: Stage, admin: Salesforce, people: dict[str, str]) -> list[str]:
    """
    Compare what the org and the mail server hold with what should be there.

    Returns:
        What is wrong; empty when each referral has exactly one task and one mail for
        each milestone, each was acknowledged to its referrer, no referrer got more
        than one mail with news, and there is nothing else.
    """
    tasks = Counter(
        row[TASK_KEY]
        for row in admin.query_all(
            f"SELECT Id, {TASK_KEY} FROM Task WHERE {TASK_KEY} != null"  # noqa: S608
        )["records"]
    )
    mails, words = _sorted(read_mails(stage.mail_folder))
    domain = stage.wiring.sender.email.rpartition("@")[2]
    faults = []
    for id_, name in people.items():
        word = follow_up_key(stage.org.org_id, id_, "submitted", "word-to-referrer")
        if words.pop(message_id(word, domain=domain), None) is None:
            faults.append(f"{name}: the referrer was not told that it has arrived")
        for status in STATUSES:
            milestone = status.lower()
            task_key = follow_up_key(stage.org.org_id, id_, milestone, ACTIONS[status])
            mail_key = follow_up_key(stage.org.org_id, id_, milestone, "tell-owner")
            found = tasks.pop(task_key, 0)
            if found != 1:
                faults.append(f"{name}: {found} tasks for {milestone}, not one")
            found = mails.pop(message_id(mail_key, domain=domain), 0)
            if found != 1:
                faults.append(f"{name}: {found} mails for {milestone}, not one")
    if tasks:
        faults.append(f"{sum(tasks.values())} tasks that nobody asked for")
    if mails:
        faults.append(f"{sum(mails.values())} mails that nobody asked for")
    flooded = [who for who, number in Counter(words.values()).items() if number > 1]
    faults += [f"{who} got news more than once a day" for who in flooded]
    return faults


def _sorted(mails: Sequence[EmailMessage]) -> tuple[Counter[str], dict[str, str]]:
    """Count mails to reps by Message-ID; those to referrers, with whom they went to."""
    referrers = {_address(name) for name in _REFERRERS}
    to_reps: Counter[str] = Counter()
    words = {}
    for mail in mails:
        key, to = str(mail["Message-ID"]), parseaddr(str(mail["To"]))[1]
        if to in referrers and key not in words:
            words[key] = to
        else:
            to_reps[key] += 1
    return to_reps, words


def _heard(stage: Stage) -> str:
    """Say what the referrers heard, and how soon."""
    with stage.wiring.engine.connect() as db:
        rows = db.execute(
            select(
                follow_up.c.milestone,
                follow_up.c.state,
                follow_up.c.settled_at - event.c.received_at,
            )
            .join(event, event.c.id == follow_up.c.event_id)
            .where(follow_up.c.kind == "word")
        ).all()
    took = [row[2].total_seconds() for row in rows if row.milestone == "submitted"]
    news = sum(row.milestone != "submitted" and row.state == "done" for row in rows)
    waits = sum(row.state == "waiting" for row in rows)
    return (
        f"Referrers were told of each referral within {max(took):.1f} s; of what came "
        f"after, {news} words today and {waits} tomorrow: news once a day."
    )


def _stay(stage: Stage) -> None:
    while all(
        child.process is None or child.process.poll() is None
        for child in stage.machine.children
    ):
        time.sleep(0.5)
