"""Running a report, to see what it returns.

Source: "Report Run", Reports and Dashboards REST API Developer Guide: a synchronous
run gives at most the first 2,000 rows of detail.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.errors import Permanent, Unreadable
from sidecar.salesforce.caller import Caller, query, quoted, rest


@dataclass(frozen=True)
class Run:
    """What one run of a report returned."""

    report_id: str
    rows: int
    values: frozenset[str]
    """The values and record ids in its detail rows."""
    complete: bool
    """Whether that was all of it."""


def run(caller: Caller, developer_name: str) -> Run:
    """
    Run a report.

    Raises:
        LoggedOut, Retryable.
        Permanent: there is no such report that this user may run.
        Unreadable: the answer is none of the Reports API's.
    """
    soql = f"SELECT Id FROM Report WHERE DeveloperName = {quoted([developer_name])}"  # noqa: S608
    found = query(caller, soql)
    if not found:
        raise Permanent(f"the org has no report {developer_name}, or hides it from us")
    report_id = str(found[0]["Id"])
    answer = rest(
        caller,
        "GET",
        f"analytics/reports/{report_id}",
        params={"includeDetails": "true"},
    )
    facts = answer.get("factMap") if isinstance(answer, dict) else None
    if not isinstance(facts, dict):
        raise Unreadable("Salesforce's answer to a report holds no factMap")
    rows = [row for fact in facts.values() for row in fact.get("rows") or ()]
    return Run(
        report_id=report_id,
        rows=len(rows),
        values=frozenset(value for row in rows for value in _values(row)),
        complete=bool(answer.get("allData", True)),
    )


def _values(row: Mapping[str, Any]) -> Iterator[str]:
    for cell in row.get("dataCells", ()):
        for name in ("value", "recordId", "label"):
            if isinstance(value := cell.get(name), str):
                yield value
