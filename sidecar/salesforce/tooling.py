"""Flows, their versions, and deployments begun, through the Tooling API.

A deployment makes a version of a flow; which version runs is a matter of its own: in
production a version that is deployed as Active arrives inactive, unless the org allows
otherwise.

Source: "FlowDefinition" and "Flow", Tooling API Developer Guide; "Deploy Processes and
Flows as Active", Salesforce Help.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sidecar.salesforce.caller import Caller, query, quoted, rest


@dataclass(frozen=True)
class FlowState:
    """Which versions of a flow there are, by number; 0 where there is none."""

    id: str
    name: str
    active: int
    latest: int
    versions: tuple[int, ...]


def flows(caller: Caller, names: Collection[str]) -> dict[str, FlowState]:
    """
    Find flows by name; one that the org has not is missing.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    if not names:
        return {}
    definitions = query(
        caller,
        "SELECT Id, DeveloperName, ActiveVersionId, LatestVersionId "  # noqa: S608
        f"FROM FlowDefinition WHERE DeveloperName IN ({quoted(sorted(names))})",
        tooling=True,
    )
    if not definitions:
        return {}
    ids = quoted(sorted(row["Id"] for row in definitions))
    rows = query(
        caller,
        "SELECT Id, DefinitionId, VersionNumber FROM Flow "  # noqa: S608
        f"WHERE DefinitionId IN ({ids})",
        tooling=True,
    )
    numbers = {row["Id"]: int(row["VersionNumber"]) for row in rows}
    return {
        row["DeveloperName"]: FlowState(
            id=row["Id"],
            name=row["DeveloperName"],
            active=numbers.get(row["ActiveVersionId"], 0),
            latest=numbers.get(row["LatestVersionId"], 0),
            versions=tuple(
                sorted(
                    int(version["VersionNumber"])
                    for version in rows
                    if version["DefinitionId"] == row["Id"]
                )
            ),
        )
        for row in definitions
    }


def activate(caller: Caller, flow: FlowState, number: int) -> None:
    """
    Let a version of a flow run; 0 lets none run. Doing it twice does no harm.

    Raises:
        LoggedOut, Retryable, Permanent: the last also where flow tests must pass first.
    """
    rest(
        caller,
        "PATCH",
        f"tooling/sobjects/FlowDefinition/{flow.id}",
        json={"Metadata": {"activeVersionNumber": number}},
    )


def deployment_since(caller: Caller, *, user_id: str, since: datetime) -> str | None:
    """
    Find the newest deployment that a user began; validations are none.

    Args:
        since: aware; leave room for clocks that differ.

    Returns:
        Its id, ``0Af...``; None where there is none.

    Raises:
        LoggedOut, Retryable, Permanent: the last where the org does not say.

    Source: "DeployRequest", Tooling API Developer Guide.
    """
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = query(
        caller,
        "SELECT Id FROM DeployRequest WHERE CheckOnly = false "  # noqa: S608
        f"AND CreatedById = {quoted([user_id])} AND CreatedDate >= {moment} "
        "ORDER BY CreatedDate DESC LIMIT 1",
        tooling=True,
    )
    return str(rows[0]["Id"]) if rows else None
