"""The last stage: sign what happened, forget what only a running deployment knows."""

from typing import Any

from sqlalchemy import Connection

from sidecar.jobs.deploy.turn import Step, Turn, go
from sidecar.keyring import Keyring, signed_by
from sidecar.package import report as reports
from sidecar.store import audit, deployments


def report(turn: Turn) -> Step:
    """Write and sign the report, and end."""
    row = turn.deployment
    failure = row.evidence.get("failure")
    now = turn.now()
    content = reports.build(
        {
            "id": row.id,
            "kind": row.kind,
            "connection": turn.connection.name,
            "org_id": row.org_id,
            "modules": row.modules,
            "version": turn.bundle.version,
            "requested_by": row.requested_by,
            "created_at": row.created_at.isoformat(),
            "ended_at": now.isoformat(),
            "org": row.facts,
            "findings": row.findings,
            "plan": row.plan,
            "evidence": row.evidence,
        }
    )
    return go(
        "report",
        state="dead" if failure else "done",
        error=failure,
        question=None,
        report=signed(content, turn.keyring),
        settled_at=now,
        due_at=now,
        then=lambda db: _end(db, turn, "dead" if failure else "done"),
    )


def _end(db: Connection, turn: Turn, state: str) -> None:
    row = turn.deployment
    deployments.end(db, row.id)
    audit.note(
        db,
        who="the installer",
        what=f"package.{row.kind}.ended",
        about=f"connection {row.connection_id}",
        details={"deployment": row.id, "state": state},
        now=turn.now(),
    )


def signed(content: dict[str, Any], keyring: Keyring) -> dict[str, Any]:
    """Put a report and its signature together."""
    public_key, value = keyring.sign(reports.canonical_json(content))
    return {
        "report": content,
        "signature": {
            "algorithm": "Ed25519",
            "public_key": public_key,
            "value": value,
        },
    }


def check(document: dict[str, Any], keyring: Keyring) -> str:
    """
    Say what is wrong with a report; nothing where it is as it was signed, by us.

    Args:
        document: the whole JSON object, from wherever it came.
    """
    content, signature = document.get("report"), document.get("signature")
    if not isinstance(content, dict) or not isinstance(signature, dict):
        return "this is no report of ours"
    key, value = str(signature.get("public_key")), str(signature.get("value"))
    if not signed_by(key, value, reports.canonical_json(content)):
        return "the report was changed after it was signed"
    if not keyring.is_ours(key):
        return "the report was signed with a key that is not in this key ring"
    return ""
