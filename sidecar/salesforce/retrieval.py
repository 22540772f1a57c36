"""What metadata an org has: listed by type, and fetched as files.

A retrieval is asynchronous, as a deployment is: whoever wants it keeps its id and asks
again. There is no REST resource for it, so this is SOAP.

Source: "retrieve()", "checkRetrieveStatus()" and "listMetadata()", Metadata API
Developer Guide; the order of elements is the Metadata WSDL's.
"""

import base64
import binascii
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.errors import Permanent, Unreadable
from sidecar.salesforce.caller import METADATA, Caller, soap, tags, text

_PACKAGED = "unpackaged/"
_QUERIES_A_CALL = 3
"""listMetadata takes at most three queries."""


@dataclass(frozen=True)
class Retrieval:
    """How a retrieval stands."""

    done: bool
    files: Mapping[str, bytes] = field(default_factory=dict)
    """As in a deployment's zip, package.xml left out; empty until it is done."""
    missing: tuple[str, ...] = ()
    """What the org has not, and other remarks, in Salesforce's words."""


@dataclass(frozen=True)
class Listed:
    """One component that the org has."""

    type: str
    full_name: str
    namespace: str
    """Of the managed package it belongs to; empty for the org's own."""


def start(caller: Caller, members: Mapping[str, Iterable[str]]) -> str:
    """
    Ask for components by name; what the org has not is no error.

    Args:
        members: type to full names, or to ``*`` where the type allows it.

    Returns:
        The retrieval's id, ``09S...``.

    Raises:
        LoggedOut, Retryable, Permanent: to ask twice does no harm.
    """
    rows = "".join(
        "<types>"
        + "".join(tags({"members": name}) for name in sorted(names))
        + tags({"name": kind})
        + "</types>"
        for kind, names in sorted(members.items())
    )
    version = tags({"version": caller.api_version})
    answer = soap(
        caller,
        METADATA,
        "retrieve",
        f"<retrieveRequest>{tags({'apiVersion': caller.api_version})}"
        f"<singlePackage>true</singlePackage><unpackaged>{rows}{version}</unpackaged>"
        "</retrieveRequest>",
    )
    result = answer.find("{*}result")
    id_ = "" if result is None else text(result, "id")
    if not id_:
        raise Unreadable("Salesforce's answer to retrieve holds no id")
    return id_


def check(caller: Caller, retrieval_id: str) -> Retrieval:
    """
    Ask once how a retrieval stands; fetch the files when it is done.

    Raises:
        LoggedOut, Retryable: ask again.
        Permanent: it failed, or the org knows it no longer (results are kept for a
            while and given out once): start another one.
    """
    answer = soap(
        caller,
        METADATA,
        "checkRetrieveStatus",
        tags({"asyncProcessId": retrieval_id, "includeZip": True}),
    )
    result = answer.find("{*}result")
    if result is None or text(result, "done") not in {"true", "1"}:
        return Retrieval(done=False)
    if text(result, "success") == "false":
        words = (text(result, "errorStatusCode"), text(result, "errorMessage"))
        raise Permanent(": ".join(word for word in words if word) or "retrieve failed")
    messages = [
        f"{text(each, 'fileName')}: {text(each, 'problem')}".removeprefix(": ")
        for each in result.iterchildren("{*}messages")
    ]
    return Retrieval(True, unpacked(text(result, "zipFile")), tuple(messages))


def unpacked(zip_base64: str) -> dict[str, bytes]:
    """
    Give the files of a retrieved zip, package.xml left out.

    Raises:
        Unreadable: it is no zip.
    """
    try:
        content = base64.b64decode(zip_base64)
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            files = {name: packed.read(name) for name in packed.namelist()}
    except (binascii.Error, ValueError, zipfile.BadZipFile) as exc:
        raise Unreadable(f"the retrieved zip cannot be read: {exc}") from exc
    stripped = {path.removeprefix(_PACKAGED): data for path, data in files.items()}
    return {
        path: data
        for path, data in stripped.items()
        if path != "package.xml" and not path.endswith("/")
    }


def list_metadata(
    caller: Caller, queries: Sequence[tuple[str, str | None]]
) -> list[Listed]:
    """
    List the components of some types, whoever made them and whoever may see them.

    Args:
        queries: type, and the folder where the type lives in folders, else None.

    Raises:
        LoggedOut, Retryable, Permanent.
    """
    found: list[Listed] = []
    for at in range(0, len(queries), _QUERIES_A_CALL):
        asked = "".join(
            f"<queries>{tags({'folder': folder, 'type': kind})}</queries>"
            for kind, folder in queries[at : at + _QUERIES_A_CALL]
        )
        version = tags({"asOfVersion": caller.api_version})
        answer = soap(caller, METADATA, "listMetadata", asked + version)
        found += [
            Listed(
                text(each, "type"),
                text(each, "fullName"),
                text(each, "namespacePrefix"),
            )
            for each in answer.iterchildren("{*}result")
        ]
    return found
