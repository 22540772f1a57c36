"""The org's own certificates, read as an admin: only Setup shows them otherwise.

Source: "Certificate", Metadata API Developer Guide: the file ``certs/<name>.crt`` holds
the certificate and what leads to its root, or, before an authority has signed it, the
signing request. "retrieve()", the same guide: whoever calls needs the permission Modify
Metadata Through Metadata API Functions, or Modify All Data.
"""

from collections.abc import Callable

from sidecar.errors import Permanent, Retryable
from sidecar.salesforce import retrieval
from sidecar.salesforce.caller import Caller
from sidecar.salesforce.refusals import LoggedOut
from sidecar.salesforce.retrieval import Retrieval

_TYPE = "Certificate"
_PAUSES_S = (0.5, 1.0, 2.0, *[5.0] * 24)
"""Between looks at the retrieval: two minutes in all, for a file of some kilobytes."""


def read(caller: Caller, name: str, *, wait: Callable[[float], object]) -> bytes:
    """
    Read one certificate by its unique name.

    Args:
        caller: an admin; the integration user has no permission for it, and needs none.
        wait: sleeps so many seconds.

    Returns:
        PEM: the certificate, perhaps with its chain, or a signing request.

    Raises:
        Permanent: there is none of this name, or the caller may not read it.
        Retryable: no answer in time.
    """
    try:
        found = _retrieved(caller, name, wait).files.get(f"certs/{name}.crt")
        if found is not None:
            return found
        known = retrieval.list_metadata(caller, [(_TYPE, None)])
    except LoggedOut as exc:
        raise Permanent(f"the org does not take the admin's token: {exc}") from exc
    except Permanent as exc:
        if not str(exc).startswith("INSUFFICIENT_ACCESS"):
            raise
        raise Permanent(
            f"{exc}. Whoever's token it is needs the permission Modify Metadata "
            "Through Metadata API Functions, which admins have"
        ) from exc
    names = ", ".join(sorted(each.full_name for each in known)) or "none"
    raise Permanent(
        f"the org has no certificate {name}; it has: {names}. Setup, Certificate and "
        "Key Management, Create Self-Signed Certificate makes one"
    )


def _retrieved(caller: Caller, name: str, wait: Callable[[float], object]) -> Retrieval:
    id_ = retrieval.start(caller, {_TYPE: [name]})
    for seconds in _PAUSES_S:
        found = retrieval.check(caller, id_)
        if found.done:
            return found
        wait(seconds)
    raise Retryable("the org has not given out the certificate for two minutes: again?")
