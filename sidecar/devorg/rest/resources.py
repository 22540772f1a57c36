"""What else is under a version: the list of resources, limits, tooling."""

from sidecar.devorg.describe import describe, describe_global
from sidecar.devorg.refusal import not_found
from sidecar.devorg.rest.calls import Answer, Call, Route

# Kept beside the one limit that this org counts: (name, max).
# Source: "Limits", REST API Developer Guide.
_OTHER_LIMITS = {
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyDurableStreamingApiEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 100_000,
    "DataStorageMB": 5,
    "FileStorageMB": 20,
    "HourlyAsyncReportRuns": 1200,
    "HourlyDashboardRefreshes": 200,
    "HourlyPublishedPlatformEvents": 50_000,
    "MassEmail": 10,
    "MonthlyPlatformEventsUsageEntitlement": 0,
    "SingleEmail": 15,
}

_RESOURCES = (
    "composite",
    "jobs",
    "limits",
    "metadata",
    "query",
    "queryAll",
    "sobjects",
    "tooling",
)


def list_resources(call: Call) -> Answer:
    """List the resources, and who is asking."""
    answer = {name: f"{call.base}/{name}" for name in _RESOURCES}
    answer["identity"] = f"{call.org.base_url}/id/{call.org.id}/{call.access.user_id}"
    return Answer(body=answer)


def limits(call: Call) -> Answer:
    """Tell what is allowed and what is left of it."""
    counted = call.org.limits
    answer = {name: {"Max": m, "Remaining": m} for name, m in _OTHER_LIMITS.items()}
    answer["DailyApiRequests"] = {
        "Max": counted.daily,
        "Remaining": max(0, counted.daily - counted.used),
    }
    return Answer(body=dict(sorted(answer.items())))


def tooling_objects(call: Call) -> Answer:
    """List the objects of the Tooling API."""
    return Answer(
        body=describe_global(call.org, call.access, call.version, tooling=True)
    )


def describe_tooling_object(call: Call, type: str) -> Answer:
    """Describe an object of the Tooling API."""
    found = call.org.schema.get(type)
    if found is None or not found.tooling or not call.access.may("Read", found):
        raise not_found()
    return Answer(body=describe(call.org, call.access, found, call.version))


ROUTES: tuple[Route, ...] = (
    ("GET", "", list_resources),
    ("GET", "limits", limits),
    ("GET", "tooling/sobjects", tooling_objects),
    ("GET", "tooling/sobjects/{type}/describe", describe_tooling_object),
)
