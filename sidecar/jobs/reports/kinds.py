"""What a report is: when it comes, what it says to whom, and how that is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from sidecar.mail.letters import Letter
from sidecar.referral.period import Period
from sidecar.salesforce.records import Rep
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Planned, Sending


@dataclass(frozen=True)
class Occasion:
    """
    One run of a report.

    Attributes:
        period: what it is about.
        at: when it was to run; a run that was missed has run later than that.
        recipients: users' ids and addresses that an admin has named; empty for those
            whom the report itself finds.
        language: of readers of whom only the address is known.
    """

    connection: OrgConnection
    period: Period
    at: datetime
    recipients: Sequence[str] = ()
    language: str = "en_US"


@dataclass(frozen=True)
class Words:
    """So many words to referrers a report has planned anew; it has no mails itself."""

    number: int


@dataclass(frozen=True)
class Report:
    """
    One report.

    Attributes:
        cron: when it comes, unless somebody sets another time.
        period: what a run at a moment is about.
        plan: reads what is to be said, and says to whom; an empty list sends nothing.
            What goes to referrers it plans as words, and says how many.
            It runs in the transaction that remembers the run, and calls nobody.
            Raises Retryable, Permanent.
        write: makes the letter for one reader; the same each time, but for names of
            people who are erased meanwhile. Raises Permanent.
    """

    cron: str
    period: Callable[[datetime, ZoneInfo], Period]
    plan: Callable[[Connection, Occasion], Sequence[Planned] | Words]
    write: Callable[[OrgConnection, Sending, Rep], Letter]


Reports = Mapping[str, Report]
"""By name, as it is in the tables and on the command line."""
