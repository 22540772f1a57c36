"""From a component that an org refused to our source file, its line, and the cause.

Salesforce names a file of the zip and a line in it; who is to repair something needs
the file of the project. The causes are those that deployments of such packages met
with in public (facts are in the words of each row).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from sidecar.errors import Unreadable
from sidecar.package import read
from sidecar.package.kinds import META, kind_of
from sidecar.package.read import Tree


@dataclass(frozen=True)
class Cause:
    """What is likely wrong, and what helps."""

    why: str
    remedy: str


def likely(problem: str) -> Cause | None:
    """Explain Salesforce's words; None where nothing is known of them."""
    for pattern, cause in _CAUSES:
        if re.search(pattern, problem, re.IGNORECASE):
            return cause
    return None


def locate(
    tree: Tree, *, file: str, component_type: str, name: str, line: int | None
) -> tuple[str, int | None]:
    """
    Find the source of a refused component.

    Args:
        tree: the project, in source format.
        file: in the zip, ``objects/Lead.object``; or empty.
        component_type: such as ``CustomField``; or empty.
        name: full name, ``Lead.Referral_Code__c``.
        line: in that file of the zip.

    Returns:
        Path in the project and line in it, as far as known; the zip's own path where
        the project has no such file, as for a customer's layout.
    """
    last = name.rpartition(".")[2]
    of_parent = list(_files_of(tree, file))
    for path in of_parent:
        if not path.endswith(META) or not kind_of(path)[0].decomposed:
            return path, line or _line_of(tree[path], last)
        stem, _, suffix = path.rpartition("/")[2].removesuffix(META).rpartition(".")
        if stem == last and _is(component_type, suffix):
            return path, _root_line(tree[path])
    return (of_parent[0], None) if of_parent else (file, line)


def _is(component_type: str, suffix: str) -> bool:
    """``CustomField`` and ``field``, ``ListView`` and ``listView``."""
    return suffix.lower() == component_type.lower().removeprefix("custom")


def _files_of(tree: Tree, file: str) -> Iterator[str]:
    folder, _, rest = file.partition("/")
    wanted = rest.rpartition(".")[0]
    for path in tree:
        if path == read.PROJECT:
            continue
        try:
            kind, name = kind_of(path)
        except Unreadable:
            continue
        if kind.directory == folder and name == wanted:
            yield path


def _line_of(content: bytes, name: str) -> int | None:
    """Find where a part of that name stands, as an outbound message in a workflow."""
    at = content.find(f"<fullName>{name}</fullName>".encode())
    return None if at < 0 else content.count(b"\n", 0, at) + 1


def _root_line(content: bytes) -> int | None:
    try:
        root = etree.fromstring(content)
    except etree.XMLSyntaxError:
        return None
    line: object = root.sourceline
    return line if isinstance(line, int) else None


_CAUSES: tuple[tuple[str, Cause], ...] = (
    (
        r"Entity Enumeration Or ID|can.t be used in a record-triggered flow",
        Cause(
            "its object was refused, or is not in the org",
            "look at what is told of the object itself",
        ),
    ),
    (
        r"cannot update a field|field type|change.*(data )?type|already exists.*type",
        Cause(
            "the org has a field of that name and another type",
            "rename or delete the org's own field, then plan again",
        ),
    ),
    (
        r"cannot deploy to a required field",
        Cause(
            "a permission set names a field that is required in this org",
            "make the field optional in the org, or tell us: ours are all optional",
        ),
    ),
    (
        r"no User named|cannot find (a )?user|user .* not found",
        Cause(
            "the integration user's name is not a user of this org",
            "check the user name of the connection; in a sandbox it ends with the "
            "sandbox's name",
        ),
    ),
    (
        r"can.t find an action with the name",
        Cause(
            "a flow names an outbound message that is not in the org",
            "install the whole module: flow and outbound message go together",
        ),
    ),
    (
        r"NoTestRun|testLevel",
        Cause(
            "production runs tests as soon as Apex is deployed",
            "this is a fault of ours: report it",
        ),
    ),
    (
        r"test coverage|code coverage|average test coverage",
        Cause(
            "the org's own Apex tests fail or cover too little",
            "repair the org's tests first, or install without modules that have Apex",
        ),
    ),
    (
        r"rollbackOnError",
        Cause("production always rolls back", "this is a fault of ours: report it"),
    ),
    (
        r"duplicated at this location|invalid at this location|not valid for the type",
        Cause(
            "a file is not what the Metadata API expects",
            "this is a fault of ours, `sidecar package lint` names it: report it",
        ),
    ),
    (
        r"not available for (deploy|this organi[sz]ation)|feature is not enabled|"
        r"entity type.*is not available",
        Cause(
            "the org has this feature switched off",
            "switch it on (path, translations), or leave out the module that needs it",
        ),
    ),
    (
        r"dynamic dashboard|dashboards run as the logged-in user",
        Cause(
            "the edition's number of dynamic dashboards is used up",
            "let a dashboard of the org run as a named user, or leave out analytics",
        ),
    ),
    (
        r"cross.?reference id|insufficient access rights",
        Cause(
            "something still needs the component, or the user may not touch it",
            "let a system administrator do it; active flows must be inactive first",
        ),
    ),
    (
        r"unknown user permission|user license doesn.t allow|license",
        Cause(
            "a licence does not include what a permission set grants",
            "see the licences in the preflight",
        ),
    ),
    (
        r"maximum number of|limit (has been )?(exceeded|reached)|too many",
        Cause(
            "the org is at one of its limits",
            "remove what is no longer used, as Setup, System Overview shows",
        ),
    ),
    (
        r"In field: \w+ - no \w+ named",
        Cause(
            "a component needs another one that is not in the org",
            "install the modules together; if the org's own component was renamed or "
            "deleted, plan again",
        ),
    ),
    (
        r"restricted picklist|picklist value",
        Cause(
            "a picklist value that the package needs was renamed or removed in the org",
            "add the value again, or map it in the connection's statuses",
        ),
    ),
    (
        r"integrationUser|endpointUrl",
        Cause(
            "the outbound message's address or user is not accepted",
            "the address must be https on port 443, 80 or 7000 to 10000",
        ),
    ),
)


def told(
    tree: Tree,
    *,
    file: str,
    component_type: str,
    name: str,
    line: int | None,
    problem: str,
) -> Mapping[str, object]:
    """Give one refused component with its place and cause, JSON-ready."""
    path, at = locate(
        tree, file=file, component_type=component_type, name=name, line=line
    )
    cause = likely(problem)
    return {
        "component": f"{component_type} {name}".strip(),
        "file": path,
        "line": at,
        "problem": problem,
        "cause": cause.why if cause else "",
        "remedy": cause.remedy if cause else "",
    }
