"""Which webhooks may be called: Slack's and those of Teams workflows."""

import ipaddress
import re
from enum import StrEnum
from urllib.parse import urlsplit

from sidecar.errors import Permanent


class Kind(StrEnum):
    """Whose channel it is."""

    SLACK = "slack"
    TEAMS = "teams"


# Nothing in which two readers see two hosts: to some, a backslash ends the name.
_HOST = re.compile(r"[a-z0-9.-]+")
_PRINTED = re.compile(r"[!-\[\]-~]+")
# Source: docs.slack.dev, "Sending messages using incoming webhooks"; "Changes to HTTP
# or Teams webhook trigger flows", learn.microsoft.com (addresses of Power Automate
# under logic.azure.com ended on 2025-11-30; those of Azure Logic Apps go on).
_TEAMS = (".environment.api.powerplatform.com", ".logic.azure.com")
_RETIRED = (".webhook.office.com", "outlook.office.com", "outlook.office365.com")


def checked(kind: Kind, url: str, *, demo: bool) -> str:
    """
    Give back a webhook's address that may be called.

    Args:
        demo: an address of this machine may be called too.

    Raises:
        Permanent: it is no webhook of this kind; the text does not repeat the address,
            which is a secret.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise Permanent("the webhook's address cannot be read") from exc
    if not _PRINTED.fullmatch(url) or "@" in parts.netloc:
        raise Permanent("the webhook's address cannot be read")
    if demo and _here(host) and parts.scheme in {"http", "https"}:
        return url
    if parts.scheme != "https" or port not in {None, 443}:
        raise Permanent("the webhook's address is not an https address")
    if not _HOST.fullmatch(host):
        raise Permanent("the webhook's host cannot be read")
    if kind is Kind.SLACK:
        _of_slack(host, parts.path)
    else:
        _of_teams(host, parts.path)
    return url


def _of_slack(host: str, path: str) -> None:
    if host != "hooks.slack.com":
        raise Permanent(f"{host} is not Slack: it takes https://hooks.slack.com/...")
    if not path.startswith("/services/"):
        raise Permanent(
            "this is no incoming webhook of Slack's, which begin with "
            "https://hooks.slack.com/services/; a workflow's webhook takes other words"
        )


def _of_teams(host: str, path: str) -> None:
    if host.endswith(_RETIRED):
        raise Permanent(
            f"{host}: Microsoft ended connectors in May 2026; in Teams, make a "
            "workflow from 'Post to a channel when a webhook request is received'"
        )
    if not host.endswith(_TEAMS):
        raise Permanent(
            f"{host} runs no Teams workflow: their addresses end in "
            f"{_TEAMS[0]} or {_TEAMS[1]}"
        )
    if "/workflows/" not in path:
        raise Permanent("this is no workflow's address: it has /workflows/ in it")


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
