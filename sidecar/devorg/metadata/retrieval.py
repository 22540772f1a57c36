"""Retrievals as clients see them: requested, polled, fetched.

Source: "retrieve()" and "checkRetrieveStatus()", Metadata API Developer Guide; the
words of messages as the Ant Migration Tool has shown them to users.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sidecar.devorg.ids import full_id
from sidecar.devorg.metadata import compose
from sidecar.devorg.metadata.component import Component
from sidecar.devorg.metadata.deployment import check_rights
from sidecar.devorg.metadata.describe import properties, standard
from sidecar.devorg.metadata.element import add, make
from sidecar.devorg.metadata.folders import (
    CHILD_OF,
    FOLDER_OF,
    FOLDERS,
    KNOWN_TYPES,
    PARTS_OF,
)
from sidecar.devorg.metadata.settings import settings
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

# Of the ids of retrievals.
PREFIX = "09S"
# Types of which "*" means all; of folders' contents and parts of objects it does not.
WILDCARD = (
    frozenset(place.type for place in FOLDERS.values() if not place.folder_type)
    | frozenset(PARTS_OF["Workflow"].values())
    | {"CustomLabel", "MatchingRule"}
) - {"StandardValueSet"}


@dataclass(frozen=True)
class Asked:
    """
    What a retrieval is to bring.

    Attributes:
        members: type -> names, ``*`` among them.
        single: package.xml at the root of the zip; otherwise below ``unpackaged``.
    """

    members: Mapping[str, Sequence[str]]
    single: bool
    version: float


@dataclass
class Retrieval:
    """
    One retrieval.

    Attributes:
        status: Pending, InProgress or Succeeded.
        properties: FileProperties in WSDL order.
        messages: what could not be found: file and words.
    """

    id: str
    asked: Asked
    status: str = "Pending"
    data: bytes = b""
    properties: list[dict[str, object]] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Tell whether its zip can be fetched."""
        return self.status == "Succeeded"


class Retrievals:
    """The retrievals of one org; each is carried out when it is first asked for."""

    def __init__(self, org: Org) -> None:
        """``org`` is what they read."""
        self._org = org
        self._known: dict[str, Retrieval] = {}

    def start(self, access: Access, asked: Asked) -> Retrieval:
        """
        Accept a request.

        Raises:
            Refusal: the user may not use the Metadata API.
        """
        check_rights(access)
        new = Retrieval(self._org.ids.new(PREFIX), asked)
        self._known[new.id] = new
        return new

    def check(self, access: Access, retrieval_id: str) -> Retrieval:
        """
        Return a retrieval; the first check finds it in progress, the second done.

        Raises:
            Refusal: INVALID_CROSS_REFERENCE_KEY, there is none of this id.
        """
        check_rights(access)
        found = self._known.get(full_id(retrieval_id) or "")
        if found is None:
            raise Refusal(
                "INVALID_CROSS_REFERENCE_KEY",
                f"invalid cross reference id: {retrieval_id}",
                status=404,
            )
        if found.status == "InProgress" and not self._org.metadata.deployments.held:
            _carry_out(self._org, found)
        elif found.status == "Pending":
            found.status = "InProgress"
        return found


def _carry_out(org: Org, retrieval: Retrieval) -> None:
    now = org.clock.now()
    components: list[Component] = []
    manifest = "package.xml" if retrieval.asked.single else "unpackaged/package.xml"
    for type_, names in retrieval.asked.members.items():
        if type_ not in KNOWN_TYPES | {"Settings"}:
            retrieval.messages.append((manifest, f"Entity type: '{type_}' is unknown"))
            continue
        for name in names:
            found = list(_named(org, type_, name.rstrip("/")))
            if not found and not (name == "*" and type_ in WILDCARD):
                words = f"Entity of type '{type_}' named '{name}' cannot be found"
                retrieval.messages.append((manifest, words))
            components += found
    unique = {
        (each.type, each.full_name): compose.shown(each, now) for each in components
    }
    files = compose.files(unique.values())
    # A standard object that was asked for as a whole, with nothing of its own.
    retrieval.properties = [
        properties(org, each) | {"fileName": f"unpackaged/{each.file}"}
        for each in unique.values()
        if each.file in files
    ]
    files["package.xml"] = _manifest(retrieval.asked)
    prefix = "" if retrieval.asked.single else "unpackaged/"
    retrieval.properties.append(_of_manifest(org))
    retrieval.data = _zipped({prefix + path: data for path, data in files.items()})
    retrieval.status = "Succeeded"


def _named(org: Org, type_: str, name: str) -> Iterator[Component]:
    """Yield what one member of a manifest means."""
    components = org.metadata.components
    if type_ == "Settings":
        yield from settings(org, name)
        return
    if name == "*":
        if type_ not in WILDCARD:
            return
        for each in components:
            custom = type_ != "CustomObject" or each.full_name.endswith(("__c", "__e"))
            if custom and each.type == type_:
                yield from _whole(org, type_, each.full_name)
            elif type_ != "CustomObject" and CHILD_OF.get(each.type) == type_:
                yield each
        return
    found = components.get(type_, name)
    if found is not None and type_ != "CustomObject":
        yield found
    folder_type = next((f for f, held in FOLDER_OF.items() if held == type_), None)
    if folder_type is not None and (folder := components.get(folder_type, name)):
        yield folder
    if type_ in PARTS_OF:
        yield from _whole(org, type_, name)


def _whole(org: Org, type_: str, name: str) -> Iterator[Component]:
    """Yield a component with all that lies in its file."""
    components = org.metadata.components
    own = components.get(type_, name)
    if own is not None:
        yield own
    known = org.schema.get(name) if type_ == "CustomObject" else None
    if own is None and known is not None and not (known.tooling or known.custom):
        yield standard(org, known)
    prefix = "" if type_ == "CustomLabels" else f"{name.lower()}."
    for each in components:
        if CHILD_OF.get(each.type) == type_ and each.full_name.lower().startswith(
            prefix
        ):
            yield each


def _manifest(asked: Asked) -> bytes:
    root = make("Package")
    for type_, names in sorted(asked.members.items()):
        types = add(root, "types")
        for name in sorted(names):
            add(types, "members", name)
        add(types, "name", type_)
    add(root, "version", f"{asked.version:.1f}")
    return compose.document(root)


def _of_manifest(org: Org) -> dict[str, object]:
    now = org.clock.second()
    return {
        "createdById": "",
        "createdByName": "",
        "createdDate": now,
        "fileName": "unpackaged/package.xml",
        "fullName": "unpackaged/package.xml",
        "id": "",
        "lastModifiedById": "",
        "lastModifiedByName": "",
        "lastModifiedDate": now,
        "manageableState": "unmanaged",
        "type": "Package",
    }


def _zipped(files: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return data.getvalue()
