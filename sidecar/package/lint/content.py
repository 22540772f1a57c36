"""What belongs to one org has no place in a package: users, addresses, ids, secrets."""

import re
from bisect import bisect
from collections.abc import Iterator

from sidecar.package.lint.findings import Finding, Level
from sidecar.package.lint.index import Index
from sidecar.package.lint.nodes import Node
from sidecar.package.lint.rules import finding
from sidecar.package.lint.sources import Source

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b")
# Domains that no one can own. Source: RFC 2606.
_RESERVED = re.compile(
    r"@(?:.*\.)?(?:example\.(?:com|org|net)|example|invalid|test|localhost)$",
    re.IGNORECASE,
)
# Organisation, user, profile, permission set, role, group or queue, record type,
# report, dashboard, folder, e-mail template: what a package names by its API name.
_ID = re.compile(
    r"(?<![A-Za-z0-9])(?:00D|005|00e|0PS|00E|00G|012|00O|01Z|00l|00X)"
    r"[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?(?![A-Za-z0-9])"
)
_SESSION = re.compile(r"00D[A-Za-z0-9]{12,15}!A[A-Za-z0-9._]{20,}")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_TEST = re.compile(r"@isTest\b|\btestMethod\b", re.IGNORECASE)
_CODE_SESSION = re.compile(
    r"UserInfo\s*\.\s*getSessionId\s*\(|\$Api\.Session_?ID", re.IGNORECASE
)

# Type -> elements that hold a user's name.
_USERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Dashboard": (("runningUser",), ("dashboardResultRunningUser",), ("owner",)),
    "Workflow": (
        ("outboundMessages", "integrationUser"),
        ("alerts", "ccEmails"),
        ("fieldUpdates", "lookupValue"),
    ),
    "PlatformEventSubscriberConfig": (("user",),),
    "Queue": (("queueMembers", "users", "user"),),
    "CustomField": (("businessOwnerUser",),),
    "CustomSite": (("siteAdmin",), ("siteGuestRecordDefaultOwner",)),
    "Prompt": (("promptVersions", "publishedByUser"),),
    "CaseSettings": (("defaultCaseUser",),),
}
_SECRETS = frozenset(
    {
        *("password", "oauthToken", "oauthRefreshToken", "awsAccessSecret"),
        *("consumerSecret", "clientSecret", "sharedSecret", "certificatePassword"),
    }
)
_FOREIGN_TYPES = {
    "Profile": "content/profile",
    "StandardValueSet": "content/standard-value-set",
}


def check(index: Index) -> Iterator[Finding]:
    """Yield what the project holds and should not."""
    placeholders = _placeholders(index)
    for source in index.documents:
        if rule := _FOREIGN_TYPES.get(source.type):
            message = f"{source.type} {source.name} replaces what the org has"
            yield finding(rule, source.path, 1, source.name, message)
            continue
        yield from _users(source, placeholders)
        for node in source.root.walk():
            if node.text:
                yield from _text(source.path, node.line, node.text, placeholders)
            if node.name in _SECRETS and node.text and node.text not in placeholders:
                message = f"{source.name} holds a {node.name}"
                yield finding("content/secret", source.path, node, source.name, message)
    for path, text in index.code.items():
        yield from _code(path, text, placeholders)


def _placeholders(index: Index) -> frozenset[str]:
    """Texts that the project declares to be replaced at an install."""
    entries = index.project.get("replacements")
    return frozenset(
        str(entry.get("stringToReplace"))
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and entry.get("stringToReplace")
    )


def _users(source: Source, placeholders: frozenset[str]) -> Iterator[Finding]:
    nodes: list[Node] = []
    for path in _USERS.get(source.type, ()):
        nodes += source.root.all(*path)
    if source.type in {"ReportFolder", "DashboardFolder", "EmailFolder"}:
        for share in source.root.all("folderShares"):
            if share.get("sharedToType") == "User":
                nodes += share.all("sharedTo")
    if source.type == "Workflow":
        for row in source.root.all("alerts", "recipients"):
            if row.get("type") == "user":
                nodes += row.all("recipient")
        for row in source.root.all("tasks"):
            if row.get("assignedToType") == "user":
                nodes += row.all("assignedTo")
    for node in nodes:
        if node.text and node.text not in placeholders:
            message = f"{source.name} names the user {node.text}"
            yield finding("content/user-name", source.path, node, node.text, message)


def _text(
    path: str, line: int, text: str, placeholders: frozenset[str]
) -> Iterator[Finding]:
    if text in placeholders:
        return
    for rule, name, place in _forbidden(text):
        at = line + text.count("\n", 0, place)
        yield finding(rule, path, at, name, _SAID[rule].format(name))


_SAID = {
    "content/email": "{} is an address of somebody",
    "content/record-id": "{} is the id of a record in one org",
    "content/session": "a session stands here: {}",
    "content/secret": "a private key stands here: {}",
}


def _forbidden(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield rule, what was found, and where it begins."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if not _RESERVED.search(match[0]):
                yield "content/email", match[0], match.start()
    if "!A" in text:
        for match in _SESSION.finditer(text):
            yield "content/session", f"{match[0][:15]}...", match.start()
    elif len(text) >= 15 and "0" in text:
        for match in _ID.finditer(text):
            if not match[0].isdigit():
                yield "content/record-id", match[0], match.start()
    if "PRIVATE KEY" in text:
        for match in _PRIVATE_KEY.finditer(text):
            yield "content/secret", match[0], match.start()


def _code(path: str, text: str, placeholders: frozenset[str]) -> Iterator[Finding]:
    ends = [place for place, letter in enumerate(text) if letter == "\n"]
    # Tests invent people and records.
    invented = path.endswith(".cls") and _TEST.search(text)
    seen: set[str] = set()
    for rule, name, place in _forbidden(text):
        if name not in placeholders and name not in seen:
            seen.add(name)
            line = bisect(ends, place - 1) + 1
            mild = invented and rule in {"content/email", "content/record-id"}
            level = Level.NOTE if mild else None
            said = _SAID[rule].format(name)
            yield finding(rule, path, line, name, said, level=level)
    for match in _CODE_SESSION.finditer(text):
        line = bisect(ends, match.start() - 1) + 1
        message = f"a session is handed out: {match[0]}"
        yield finding(
            "content/session", path, line, match[0], message, level=Level.WARNING
        )
