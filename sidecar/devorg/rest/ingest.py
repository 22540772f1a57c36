"""Bulk API 2.0 ingest: a job, one CSV upload, results by record.

Source: "Bulk API 2.0 Ingest", Bulk API 2.0 and Bulk API Developer Guide. A job is
worked off as soon as its upload is closed, in the caller's name.
"""

import csv
import io
from dataclasses import dataclass, field

from sidecar.devorg.permissions import Access
from sidecar.devorg.refusal import Refusal, not_found
from sidecar.devorg.rest.calls import Answer, Call, Route
from sidecar.devorg.rest.sobjects import external_field
from sidecar.devorg.schema import Field, ObjectType
from sidecar.devorg.values import shown

_OPERATIONS = frozenset(("insert", "update", "upsert", "delete"))
_DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^"}


@dataclass(slots=True)
class Job:
    """One ingest job and, once it is worked off, its results."""

    id: str
    type: ObjectType
    operation: str
    access: Access
    created: str
    version: str
    external_id: Field | None = None
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    state: str = "Open"
    upload: bytes = b""
    successes: list[dict[str, str]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)

    def describe(self, call: Call) -> dict[str, object]:
        """Return the job as the API shows it."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.type.name,
            "createdById": self.access.user_id,
            "createdDate": self.created,
            "systemModstamp": self.created,
            "state": self.state,
            "externalIdFieldName": self.external_id and self.external_id.name,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "jobType": "V2Ingest",
            "contentUrl": f"{call.base[1:]}/jobs/ingest/{self.id}/batches",
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
            "numberRecordsProcessed": len(self.successes) + len(self.failures),
            "numberRecordsFailed": len(self.failures),
            "retries": 0,
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }


def routes() -> tuple[Route, ...]:
    """Return the ingest resources, with jobs of their own."""
    jobs: dict[str, Job] = {}

    def found(id: str) -> Job:
        if id not in jobs:
            raise not_found()
        return jobs[id]

    def create(call: Call) -> Answer:
        job = _job(call)
        jobs[job.id] = job
        return Answer(200, job.describe(call))

    def list_jobs(call: Call) -> Answer:
        records = [job.describe(call) for job in jobs.values()]
        return Answer(body={"done": True, "nextRecordsUrl": None, "records": records})

    def get(call: Call, id: str) -> Answer:
        return Answer(body=found(id).describe(call))

    def upload(call: Call, id: str) -> Answer:
        job = found(id)
        if job.state != "Open" or not isinstance(call.body, bytes):
            raise Refusal("INVALIDJOBSTATE", "The job is not open for uploads")
        job.upload = call.body
        return Answer(201)

    def change(call: Call, id: str) -> Answer:
        job = found(id)
        _close(call, job, str(call.json_object().get("state")))
        return Answer(body=job.describe(call))

    def delete(call: Call, id: str) -> Answer:  # noqa: ARG001
        del jobs[found(id).id]
        return Answer(204)

    def successful(call: Call, id: str) -> Answer:  # noqa: ARG001
        return _csv(found(id).successes, ("sf__Id", "sf__Created"))

    def failed(call: Call, id: str) -> Answer:  # noqa: ARG001
        return _csv(found(id).failures, ("sf__Id", "sf__Error"))

    def unprocessed(call: Call, id: str) -> Answer:  # noqa: ARG001
        found(id)
        return _csv([], ())

    return (
        ("POST", "jobs/ingest", create),
        ("GET", "jobs/ingest", list_jobs),
        ("GET", "jobs/ingest/{id}", get),
        ("PATCH", "jobs/ingest/{id}", change),
        ("DELETE", "jobs/ingest/{id}", delete),
        ("PUT", "jobs/ingest/{id}/batches", upload),
        ("GET", "jobs/ingest/{id}/successfulResults", successful),
        ("GET", "jobs/ingest/{id}/failedResults", failed),
        ("GET", "jobs/ingest/{id}/unprocessedrecords", unprocessed),
    )


def _job(call: Call) -> Job:
    body = call.json_object()
    operation = str(body.get("operation"))
    if operation not in _OPERATIONS:
        raise Refusal("INVALIDJOB", f"Invalid operation: {operation}")
    type_ = call.org.schema.get(str(body.get("object")))
    if type_ is None or not call.access.may("Read", type_):
        raise Refusal("INVALIDENTITY", f"Unable to find object: {body.get('object')}")
    delimiter = str(body.get("columnDelimiter", "COMMA"))
    if delimiter not in _DELIMITERS:
        raise Refusal("INVALIDJOB", f"Invalid columnDelimiter: {delimiter}")
    by = None
    if operation == "upsert":
        by = external_field(call, type_, str(body.get("externalIdFieldName")))
    return Job(
        id=call.org.ids.new("750"),
        type=type_,
        operation=operation,
        access=call.access,
        created=str(shown(call.org.clock.second())),
        version=call.version,
        external_id=by,
        delimiter=delimiter,
        line_ending=str(body.get("lineEnding", "LF")),
    )


def _close(call: Call, job: Job, state: str) -> None:
    if state == "Aborted":
        job.state = state
        return
    if state != "UploadComplete" or job.state != "Open":
        raise Refusal("INVALIDJOBSTATE", f"Invalid job state: {state}")
    text = io.StringIO(job.upload.decode("utf-8-sig"), newline="")
    for line in csv.DictReader(text, delimiter=_DELIMITERS[job.delimiter]):
        _work(call, job, line)
    job.state = "JobComplete"


def _work(call: Call, job: Job, line: dict[str, str]) -> None:
    records = call.org.records
    # An empty cell leaves a field as it is; #N/A empties it.
    values: dict[str, object] = {
        name: None if value == "#N/A" else value
        for name, value in line.items()
        if value and name.lower() != "id"
    }
    record_id = next((v for k, v in line.items() if k.lower() == "id"), "")
    created = False
    try:
        with call.org.journal.savepoint():
            if job.operation == "insert":
                record_id = records.create(job.access, job.type, values)
                created = True
            elif job.operation == "update":
                records.update(job.access, job.type, record_id, values)
            elif job.operation == "delete":
                records.delete(job.access, job.type, record_id)
            elif job.external_id is not None:
                key = values.pop(job.external_id.name, None)
                record_id, created = records.upsert(
                    job.access, job.type, job.external_id, key, values
                )
    except Refusal as refusal:
        fields = ",".join(refusal.fields or ()) or "--"
        error = f"{refusal.error_code}:{refusal.message}:{fields}"
        job.failures.append({"sf__Id": record_id, "sf__Error": error, **line})
        return
    job.successes.append(
        {"sf__Id": record_id, "sf__Created": str(created).lower(), **line}
    )


def _csv(rows: list[dict[str, str]], columns: tuple[str, ...]) -> Answer:
    out = io.StringIO()
    names = list(rows[0]) if rows else list(columns)
    writer = csv.DictWriter(out, names, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Answer(200, out.getvalue().encode(), {"Content-Type": "text/csv"})
