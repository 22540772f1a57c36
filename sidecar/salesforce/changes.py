"""What changed in an org's referrals, read page by page: deleted records included.

Sources: "QueryAll" and "Composite", REST API Developer Guide: a composite call may hold
five queries and counts as one call; "Date Formats and Date Literals", "LIMIT", SOQL and
SOSL Reference; "Tracking Field History": ``LeadHistory`` and its like hold changes, not
the first value, and are children of their records by the name of ``Histories``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from simple_salesforce.api import Salesforce

from sidecar.errors import Permanent
from sidecar.salesforce import refusals
from sidecar.salesforce.session import Sessions

PAGE = 2000
"""As many records come in one answer of a query."""

STATUS, KEY = "Referral_Status__c", "Referral_Key__c"
_A_REFERRAL = f"({STATUS} != null OR {KEY} != null)"
_HISTORIES = "Histories"


@dataclass(frozen=True)
class Shape:
    """What can be read of an object: fields, and whether their history is kept."""

    fields: Sequence[str]
    history: bool

    def as_dict(self) -> dict[str, Any]:
        """For a row of ours."""
        return asdict(self)


@dataclass(frozen=True)
class Wanted:
    """
    A page to be read.

    Attributes:
        since: records changed from then on.
        after: the last record read: its SystemModstamp and id; empty: from the start.
    """

    shape: Shape
    since: datetime
    after: Sequence[str]


@dataclass(frozen=True)
class Page:
    """Records in the order of their changes; ``after`` is None at the end."""

    records: Sequence[Mapping[str, Any]]
    after: Sequence[str] | None


@dataclass(frozen=True)
class Estimate:
    """How many records there are to be read, and the calls of today."""

    records: Mapping[str, int]
    used: int
    allowed: int

    @property
    def calls(self) -> int:
        """How many calls it takes to read them."""
        return sum(number // PAGE + 1 for number in self.records.values())

    @property
    def left(self) -> int:
        """How many calls are left today."""
        return max(0, self.allowed - self.used)


@dataclass
class ReferralChanges:
    """Reads through ``sessions``. Each method raises Retryable, Permanent."""

    sessions: Sessions

    def look(
        self, connection_id: int, wanted: Mapping[str, Sequence[str]]
    ) -> dict[str, Shape]:
        """
        Say what can be read of each object; one call an object.

        Args:
            wanted: fields by object. What our user does not see is left out, and so
                is an object without a referral's fields.
        """
        found: dict[str, Shape] = {}
        for name, fields in wanted.items():
            try:
                told = self.sessions.call(
                    connection_id, _get(f"sobjects/{name}/describe")
                )
            except Permanent as exc:
                if not str(exc).startswith("NOT_FOUND"):
                    raise
                continue
            seen = {field["name"] for field in told["fields"]}
            if {STATUS, KEY} <= seen:
                children = {
                    child.get("relationshipName")
                    for child in told.get("childRelationships") or ()
                }
                kept = tuple(field for field in fields if field in seen)
                found[name] = Shape(kept, _HISTORIES in children)
        return found

    def pages(
        self, connection_id: int, wanted: Mapping[str, Wanted]
    ) -> dict[str, Page]:
        """
        Read the next page of each object; one call in all.

        Args:
            wanted: by object, five at most.
        """
        queries = {name: _soql(name, each) for name, each in wanted.items()}
        answers = self._ask(connection_id, queries)
        return {name: _page(answer) for name, answer in answers.items()}

    def estimate(
        self, connection_id: int, objects: Sequence[str], since: datetime | None
    ) -> Estimate:
        """Count what there is to be read; one call in all."""
        changed = f" AND SystemModstamp >= {_literal(since)}" if since else ""
        answers = self._ask(
            connection_id,
            {
                name: f"SELECT COUNT() FROM {name} "  # noqa: S608
                f"WHERE {_A_REFERRAL}{changed}"
                for name in objects
            },
        )
        usage = self.sessions.usage(connection_id)
        records = {name: int(answer["totalSize"]) for name, answer in answers.items()}
        return Estimate(records, *usage)

    def _ask(
        self, connection_id: int, queries: Mapping[str, str]
    ) -> dict[str, Mapping[str, Any]]:
        if len(queries) == 1:
            ((name, soql),) = queries.items()
            params = {"q": soql}
            return {name: self.sessions.call(connection_id, _get("queryAll", params))}

        def ask(client: Salesforce) -> Any:
            base = f"/services/data/v{client.sf_version}/queryAll?q="
            parts = [
                {"method": "GET", "url": base + quote(soql), "referenceId": name}
                for name, soql in queries.items()
            ]
            body = {"allOrNone": False, "compositeRequest": parts}
            return client.restful("composite", method="POST", json=body)

        told = self.sessions.call(connection_id, ask)["compositeResponse"]
        for part in told:
            if part["httpStatusCode"] >= 300:
                raise refusals.of_errors(
                    part["body"], self.sessions.now(), status=part["httpStatusCode"]
                )
        return {part["referenceId"]: part["body"] for part in told}


def _get(path: str, params: Mapping[str, str] | None = None) -> Any:
    return lambda client: client.restful(path, params=params)


def _soql(name: str, wanted: Wanted) -> str:
    columns = list(wanted.shape.fields)
    if wanted.shape.history:
        columns.append(
            f"(SELECT OldValue, NewValue, CreatedDate FROM {_HISTORIES} "  # noqa: S608
            f"WHERE Field = '{STATUS}' ORDER BY CreatedDate)"
        )
    if wanted.after:
        # Several records may have been changed in one second.
        at, last = _literal(_moment(wanted.after[0])), wanted.after[1]
        place = f"SystemModstamp >= {at} AND (SystemModstamp > {at} OR Id > '{last}')"
    else:
        place = f"SystemModstamp >= {_literal(wanted.since)}"
    return (
        f"SELECT {', '.join(columns)} FROM {name} "  # noqa: S608
        f"WHERE {_A_REFERRAL} AND {place} ORDER BY SystemModstamp, Id LIMIT {PAGE}"
    )


def _page(answer: Mapping[str, Any]) -> Page:
    records = answer["records"]
    # Records with many fields come in smaller portions: the next query goes on there.
    if answer.get("done", True) and len(records) < PAGE:
        return Page(records, None)
    return Page(records, (records[-1]["SystemModstamp"], records[-1]["Id"]))


def _literal(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
