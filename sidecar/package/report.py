"""The report of a deployment: what changed, what proves it, how to undo it.

A report is a JSON object ``{"report": {...}, "signature": {...}}``. What is signed are
the bytes of ``report`` as ``canonical_json`` writes them: keys sorted, no white space,
UTF-8, nothing escaped that need not be. Whoever has the public key can check it with
any Ed25519 library (RFC 8032); whether the key is ours tells the key ring.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template

FORMAT = "sidecar deployment report, 1"

_UNDO = {
    "install": "sidecar package rollback {connection}",
    "upgrade": "sidecar package rollback {connection}",
    "rollback": "sidecar package install {connection}",
    "uninstall": "sidecar package install {connection}",
}


def build(facts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Put together what is to be signed.

    Args:
        facts: of one deployment: ``id``, ``kind``, ``connection``, ``org_id``,
            ``modules``, ``version``, ``requested_by``, ``created_at``, ``ended_at``
            (ISO 8601), ``org`` (preflight's facts), ``findings``, ``plan``,
            ``evidence``.
    """
    evidence = facts["evidence"]
    failure = evidence.get("failure")
    entries = facts["plan"].get("entries", [])
    return {
        "format": FORMAT,
        "deployment": facts["id"],
        "kind": facts["kind"],
        "verdict": failure or _SUCCESS[facts["kind"]],
        "good": failure is None,
        "connection": facts["connection"],
        "org": {
            "id": facts["org_id"],
            "name": facts["org"].get("org_name", ""),
            "edition": facts["org"].get("edition", ""),
            "sandbox": facts["org"].get("sandbox", False),
        },
        "package": {"version": facts["version"], "modules": facts["modules"]},
        "requested_by": facts["requested_by"],
        "deployed_by": facts["org"].get("username", ""),
        "began_at": facts["created_at"],
        "ended_at": facts["ended_at"],
        "findings": facts["findings"],
        "changes": {
            "counts": facts["plan"].get("counts", {}),
            "entries": [
                {
                    name: entry[name]
                    for name in ("type", "full_name", "file", "action", "reason")
                }
                for entry in entries
                if entry["action"] != "leave"
            ],
            "steps": facts["plan"].get("steps", []),
            "notes": facts["plan"].get("notes", []),
            "deployed": evidence.get("deployed"),
        },
        "proof": {
            name: evidence[name]
            for name in (
                "granted",
                "read_back",
                "flows",
                "self_test",
                "drift",
                "left",
                "untouched",
                "exported",
                "failures",
                "replanned",
            )
            if name in evidence
        },
        "timings": evidence.get("timings", {}),
        "undo": _UNDO.get(facts["kind"], "").format(connection=facts["connection"]),
    }


def canonical_json(report: Mapping[str, Any]) -> bytes:
    """Write a report as the bytes that are signed."""
    return json.dumps(
        report, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def html(signed: Mapping[str, Any]) -> str:
    """Show a signed report as one page that needs nothing else."""
    return _template().render(
        report=signed["report"],
        signature=signed["signature"],
        document=canonical_json(signed["report"]).decode(),
    )


_SUCCESS = {
    "plan": "planned; nothing was changed",
    "install": "installed and proven",
    "upgrade": "upgraded and proven",
    "verify": "works as installed",
    "rollback": "rolled back",
    "uninstall": "uninstalled",
}


@cache
def _template() -> Template:
    source = (Path(__file__).parent / "report.html.jinja").read_text()
    return Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True
    ).from_string(source)
