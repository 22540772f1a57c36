"""NamedCredential, ExternalCredential and RemoteSiteSetting: where callouts may go.

Source: their pages in the Metadata API Developer Guide. Secrets are never deployed.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from sidecar.devorg.metadata.component import Component, Part
from sidecar.devorg.metadata.element import Problem, check, children, text
from sidecar.devorg.metadata.work import Work, check_length, check_name, missing

_PRINCIPALS = frozenset(
    ("NamedPrincipal", "PerUserPrincipal", "AwsStsPrincipal", "GlobalNamedPrincipal")
)


def external(work: Work, part: Part, _component_id: str) -> frozenset[str]:
    """
    Keep an external credential; return the names of its principals.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "ExternalCredential")
    check_name(part.full_name)
    check_length("MasterLabel", text(element, "label"), 80)
    principals: set[str] = set()
    for each in children(element, "externalCredentialParameters"):
        if certificate := text(each, "certificate"):
            need_certificate(work, certificate)
        if text(each, "parameterType") not in _PRINCIPALS:
            continue
        name = text(each, "parameterName") or ""
        if name in principals:
            raise Problem(f"Duplicate principal: {name}")
        principals.add(name)
    return frozenset(principals)


def named(work: Work, part: Part, _component_id: str) -> None:
    """
    Keep a named credential.

    Raises:
        Problem: Salesforce would refuse it.
    """
    element = part.element
    check(element, "NamedCredential")
    check_name(part.full_name)
    check_length("MasterLabel", text(element, "label"), 80)
    parameters = children(element, "namedCredentialParameters")
    kind = text(element, "namedCredentialType") or "Legacy"
    urls = [
        text(each, "parameterValue") or ""
        for each in parameters
        if text(each, "parameterType") == "Url"
    ]
    if kind == "Legacy":
        urls = [text(element, "endpoint") or ""]
    if len(urls) != 1:
        raise Problem("A named credential needs exactly one parameter of type Url")
    _check_url(urls[0])
    used = [text(each, "externalCredential") for each in parameters]
    for name in filter(None, used):
        work.need("externalCredential", "ExternalCredential", name)
    if kind == "SecuredEndpoint" and not any(used):
        raise Problem("Required field is missing: externalCredential")
    for each in parameters:
        if certificate := text(each, "certificate"):
            need_certificate(work, certificate)


def remote_site(_work: Work, part: Part, _component_id: str) -> None:
    """
    Keep a remote site.

    Raises:
        Problem: Salesforce would refuse it.
    """
    check(part.element, "RemoteSiteSetting")
    check_name(part.full_name)
    _check_url(text(part.element, "url") or "")


def remove_external(work: Work, full_name: str) -> None:
    """
    Delete an external credential.

    Raises:
        Problem: a named credential uses it.
    """
    for each in work.components.of_type("NamedCredential"):
        if work.leaving("NamedCredential", each.full_name):
            continue
        parameters = children(each.element, "namedCredentialParameters")
        if full_name in {text(one, "externalCredential") for one in parameters}:
            raise Problem(
                "This external credential is referenced elsewhere in salesforce.com."
                f" : Named Credential - {each.full_name}"
            )


def need_principal(work: Work, name: str) -> Component:
    """
    Return the credential of a principal named as ``Credential-Principal``.

    Raises:
        Problem: there is none.
    """
    credential, _, principal = name.partition("-")
    found = work.components.get("ExternalCredential", credential.strip())
    known = found.value if found else None
    if found is None or not isinstance(known, frozenset):
        raise missing("externalCredentialPrincipal", "ExternalCredential", name)
    if principal.strip() not in known:
        raise missing("externalCredentialPrincipal", "ExternalCredential", name)
    return found


def need_certificate(work: Work, name: str) -> None:
    """
    Check that the org has a certificate of its own under this name.

    Raises:
        Problem: "In field: certificate - no Certificate named … found".
    """
    if not work.has("Certificate", name):
        raise missing("certificate", "Certificate", name)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Problem(f"Invalid URL: {url}")
