"""The Metadata API over SOAP: components described, listed, read and saved one by one.

Source: the Metadata WSDL, API 66; "CRUD-Based Metadata API Calls" in the Metadata API
Developer Guide: at most ten components a call, each saved or refused alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from sidecar.devorg.metadata import describe, single
from sidecar.devorg.metadata.deployment import check_rights
from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal
from sidecar.devorg.soap.envelope import Request, child, children, xml

if TYPE_CHECKING:
    from sidecar.devorg.org import Org

_MOST, _MOST_QUERIES = 10, 3


def _describe_metadata(
    _org: Org, access: Access, _request: Request, _version: str
) -> str:
    check_rights(access)
    return xml(
        "result",
        {
            "metadataObjects": list(describe.metadata_objects()),
            "organizationNamespace": "",
            "partialSaveAllowed": True,
            "testRequired": False,
        },
    )


def _list_metadata(org: Org, access: Access, request: Request, _version: str) -> str:
    check_rights(access)
    queries: list[tuple[str, str]] = []
    for query in children(request.body, "queries"):
        type_, folder = child(query, "type"), child(query, "folder")
        queries.append(
            (
                "" if type_ is None else (type_.text or "").strip(),
                "" if folder is None else (folder.text or "").strip(),
            )
        )
    if len(queries) > _MOST_QUERIES:
        raise Refusal(
            "EXCEEDED_ID_LIMIT", "You can't specify more than three queries in a call."
        )
    return xml("result", list(describe.file_properties(org, queries)))


def _read_metadata(org: Org, access: Access, request: Request, _version: str) -> str:
    check_rights(access)
    names = request.texts("fullNames")
    _check_count(len(names))
    records = describe.read(org, request.text("type"), names)
    inner = "".join(etree.tostring(each, encoding="unicode") for each in records)
    return f"<result>{inner}</result>"


def _save(org: Org, access: Access, request: Request, how: single.How) -> str:
    check_rights(access)
    given = list(children(request.body, "metadata"))
    _check_count(len(given))
    saved = [
        single.save(org, element, how, user_id=access.user_id) for element in given
    ]
    return _results(saved, upserted=how is single.How.UPSERT)


def _create(org: Org, access: Access, request: Request, _version: str) -> str:
    return _save(org, access, request, single.How.CREATE)


def _update(org: Org, access: Access, request: Request, _version: str) -> str:
    return _save(org, access, request, single.How.UPDATE)


def _upsert(org: Org, access: Access, request: Request, _version: str) -> str:
    return _save(org, access, request, single.How.UPSERT)


def _delete(org: Org, access: Access, request: Request, _version: str) -> str:
    check_rights(access)
    names = request.texts("fullNames")
    _check_count(len(names))
    type_ = request.text("type")
    saved = [single.delete(org, type_, name, user_id=access.user_id) for name in names]
    return _results(saved, upserted=False)


def _check_count(count: int) -> None:
    if count > _MOST:
        raise Refusal(
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {_MOST}",
        )


def _results(saved: list[single.Saved], *, upserted: bool) -> str:
    return xml(
        "result",
        [
            {
                "created": each.created if upserted else None,
                "errors": None
                if each.problem is None
                else {"message": each.problem, "statusCode": each.status_code},
                "fullName": each.full_name,
                "success": each.problem is None,
            }
            for each in saved
        ],
    )


OPERATIONS = {
    "describeMetadata": _describe_metadata,
    "listMetadata": _list_metadata,
    "readMetadata": _read_metadata,
    "createMetadata": _create,
    "updateMetadata": _update,
    "upsertMetadata": _upsert,
    "deleteMetadata": _delete,
}
