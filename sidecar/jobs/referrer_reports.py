"""What referrers get by the calendar: a word where all is quiet, and the month's list.

Both are words like others: planned here, and delivered where the referrer's wish is
read. See ``jobs.deliver.words``.
"""

from functools import partial

from sqlalchemy import Connection

from sidecar.errors import Permanent
from sidecar.jobs.reports.kinds import Occasion, Report, Words
from sidecar.keyring import Keyring
from sidecar.mail.letters import Letter
from sidecar.referral import words
from sidecar.referral.business_calendar import person
from sidecar.referral.follow_up import FollowUp, Word, follow_up_key
from sidecar.referral.period import day_of, month_before
from sidecar.referral.words import NO_NEWS_AFTER
from sidecar.salesforce.records import Rep
from sidecar.store import digests, follow_ups, inbox, referrals, unheard
from sidecar.store.connections import OrgConnection
from sidecar.store.report_mails import Sending

EACH_DAY, EACH_MONTH = "30 9 * * 1-5", "0 9 1 * *"


def quiet_referrals(keyring: Keyring) -> Report:
    """Build the daily look for open referrals of which their referrers hear nothing."""
    return Report(EACH_DAY, day_of, partial(_plan_notes, keyring=keyring), _nothing)


def monthly_digest(keyring: Keyring) -> Report:
    """Build the monthly list of a referrer's referrals."""
    plan = partial(_plan_digests, keyring=keyring)
    return Report(EACH_MONTH, month_before, plan, _nothing)


def _plan_notes(db: Connection, occasion: Occasion, *, keyring: Keyring) -> Words:
    """
    Plan a word for who has heard of a referral before, and for long no more.

    Who did not want to hear, or could not, is not tried again and again.
    """
    at, connection = occasion.at, occasion.connection
    number = 0
    inbox.lock_lane(db, connection.id)
    quiet = {
        item.key: item
        for item in unheard.unheard(
            db,
            before=at - NO_NEWS_AFTER,
            connection_id=connection.id,
            last_state="done",
        )
    }
    for key, referral in referrals.load(
        db, connection.org_id, quiet, keyring=keyring
    ).items():
        referrer_id = referral.details.get("referrer_id")
        if referrer_id is None or referral.milestone is None:
            continue
        name = f"no-news-{at:%Y-%m-%d}"
        word = Word(
            "no_news",
            referrer_id,
            person(referral.owner_id) or connection.fallback_owner_id,
            words.facts(referral),
        )
        id_ = follow_up_key(connection.org_id, key, referral.milestone, name)
        number += follow_ups.add(
            db,
            [(quiet[key].event_id, key, FollowUp(id_, referral.milestone, name, word))],
            connection_id=connection.id,
            org_id=connection.org_id,
            playbook_version=quiet[key].playbook_version,
            record_ids={key: referral.record_id},
            now=at,
            keyring=keyring,
        ).total()
    return Words(number)


def _plan_digests(db: Connection, occasion: Occasion, *, keyring: Keyring) -> Words:
    """Plan a list for each referrer who hears of us, and of whom there is news."""
    period, connection = occasion.period, occasion.connection
    inbox.lock_lane(db, connection.id)
    month = f"{period.first:%Y-%m}"
    number = 0
    for referrer in digests.with_news(
        db, connection.org_id, since=period.starts, until=period.ends
    ):
        number += digests.add(
            db,
            referrer,
            connection_id=connection.id,
            org_id=connection.org_id,
            key=follow_up_key(connection.org_id, referrer.record_id, "digest", month),
            month=period.starts,
            now=occasion.at,
            keyring=keyring,
        )
    return Words(number)


def _nothing(_connection: OrgConnection, _sending: Sending, _rep: Rep) -> Letter:
    raise Permanent("what referrers get is sent as words, and not as a report")
