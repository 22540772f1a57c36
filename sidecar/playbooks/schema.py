"""The JSON Schema of playbooks, for editors; what only the whole tells, ``check`` does.

Source: json-schema.org, draft 2020-12.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sidecar.playbooks.expressions import LONGEST
from sidecar.playbooks.read import CAMPAIGN, FIELD, NAME, NOT_SET, PRIORITIES
from sidecar.referral.conditions import NUMBERS, TEXTS
from sidecar.referral.journey import Milestone
from sidecar.referral.playbook import PLACES, RULES, TELLABLE, TO, Stage
from sidecar.referral.response_clock import CLOSED

_WORKING = r"^[0-9]{1,3} working (day|hour)s?$"
_LATER = r"^([1-9][0-9]{0,2} days?|[0-9]{1,3} working (day|hour)s?)$"


def schema(templates: Collection[str]) -> dict[str, Any]:
    """
    Describe what ``read`` takes.

    Args:
        templates: names of the mail templates that exist.
    """
    action, later = _action(templates), _action(templates, later=True)
    milestones = _named([str(item) for item in Milestone], _list(later))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Playbook of the referral sidecar",
        **_object(
            {
                "version": {
                    "type": ["string", "number"],
                    "minLength": 1,
                    "maxLength": 40,
                    "description": "Each follow-up names the version that caused it.",
                },
                "milestones": milestones,
                "types": {
                    "type": "object",
                    "description": "What referrals of a type bring instead.",
                    "propertyNames": {"minLength": 1, "maxLength": 80},
                    "additionalProperties": milestones,
                },
                "clocks": {
                    "type": "object",
                    "propertyNames": {"pattern": f"^{NAME}$"},
                    "additionalProperties": _clock(action),
                },
            },
            required=["version", "milestones"],
        ),
    }


def _object(
    properties: Mapping[str, Any], required: Collection[str] = ()
) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _named(names: Collection[str], value: Mapping[str, Any]) -> dict[str, Any]:
    return _object(dict.fromkeys(names, value))


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _text(most: int, least: int = 0) -> dict[str, Any]:
    places = ", ".join(f"{{{place}}}" for place in sorted(PLACES))
    return {
        "type": "string",
        "minLength": least,
        "maxLength": most,
        "description": f"May name {places}.",
    }


def _any_case(names: Iterable[str]) -> str:
    """A pattern of names whose case says nothing; JSON Schema has no flag for it."""
    either = "|".join(
        "".join(f"[{sign.upper()}{sign.lower()}]" for sign in name) for name in names
    )
    return f"^({either})$"


def _action(templates: Collection[str], *, later: bool = False) -> dict[str, Any]:
    to = {"enum": list(TO)}
    facts = ", ".join(f"referral.{name}" for name in sorted(TEXTS | NUMBERS))
    known = {
        "action": {"type": "string", "pattern": f"^{NAME}$"},
        "when": {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST,
            "description": f"A condition in CEL; it may name {facts}.",
        },
        "task": _object(
            {
                "subject": _text(200, 1),
                "description": _text(4000),
                "due": {"type": "string", "pattern": _WORKING},
                "priority": {"enum": list(PRIORITIES)},
                "to": to,
            },
            required=["subject"],
        ),
        "email": _object(
            {"template": {"enum": list(templates)}, "to": to}, required=["template"]
        ),
        "chat": _object(
            {
                "channel": {"type": "string", "pattern": f"^{NAME}$"},
                "text": _text(1000, 1),
            },
            required=["channel", "text"],
        ),
        "set_field": _object(
            {
                "field": {
                    "type": "string",
                    "pattern": f"^{FIELD}$",
                    "not": {"pattern": _any_case(NOT_SET)},
                },
                "value": _text(1000),
            },
            required=["field", "value"],
        ),
        "add_to_campaign": _object(
            {
                "campaign": {"type": "string", "pattern": f"^{CAMPAIGN}$"},
                "status": {"type": "string", "minLength": 1, "maxLength": 40},
            },
            required=["campaign"],
        ),
        "tell_referrer": _object(
            {
                "template": {"enum": list(TELLABLE)},
                "reasons": {
                    **_list({"type": "string", "minLength": 1, "maxLength": 255}),
                    "description": "Your own reasons for a loss that may be told.",
                },
            },
            required=["template"],
        ),
        "ask_testimonial": _object({}),
        "nudge_referrer": _object({}),
    }
    if later:
        known["after"] = {
            "type": "string",
            "pattern": _LATER,
            "description": "Forgotten where the referral moves on before.",
        }
    return {
        **_object(known, required=["action"]),
        "oneOf": [{"required": [kind]} for kind in RULES],
    }


def _clock(action: Mapping[str, Any]) -> dict[str, Any]:
    working = {"type": "string", "pattern": _WORKING}
    promise = {**working, "not": {"pattern": "^0+ "}}
    name = {"type": "string", "minLength": 1, "maxLength": 80}
    actions = _list(action)
    after = _object({"after": working, "actions": actions})
    share = {"type": "string", "pattern": "^([1-9][0-9]?|100) ?%$"}
    open_ones = [str(item) for item in Milestone if item not in CLOSED]
    return _object(
        {
            "milestones": {**_list({"enum": open_ones}), "minItems": 1},
            "within": promise,
            "others": _list(
                {
                    **_object(
                        {"type": name, "team": name, "within": promise},
                        required=["within"],
                    ),
                    "anyOf": [{"required": ["type"]}, {"required": ["team"]}],
                }
            ),
            "rests_at": _list({"type": "string"}),
            "writes_due": {"enum": ["true", "false", True, False]},
            Stage.AT_RISK: _object({"at": share, "actions": actions}),
            Stage.DUE: _object({"actions": actions}),
            Stage.OVERDUE: after,
            Stage.BACKUP: after,
            Stage.MANAGER: after,
        },
        required=["milestones", "within"],
    )
