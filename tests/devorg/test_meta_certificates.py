"""Certificates: the org makes the keys, gives out the public half, and signs."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from meta_package import NS, deploy, deployed, package, problems
from meta_soap import Soap, text

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import INTEGRATION
from sidecar.devorg.org import Org

FILE = "certs/Signing.crt"


@pytest.fixture
def org():
    made = Org.fresh(seed=7, clock=OrgClock())
    yield made
    made.stop()


@pytest.fixture
def soap(org):
    return Soap(org)


def certificate(more="", *, content="", signed="false"):
    """The zip of one certificate."""
    described = (
        f"<Certificate {NS}><caSigned>{signed}</caSigned>{more}"
        "<masterLabel>Signing</masterLabel></Certificate>"
    )
    files = {FILE: content, f"{FILE}-meta.xml": described}
    return package(files, {"Certificate": ["Signing"]})


def retrieved(soap):
    files, messages, _ = soap.retrieve({"Certificate": ["Signing"]})
    assert messages == []
    return files[FILE], etree.fromstring(files[f"{FILE}-meta.xml"])


@pytest.mark.parametrize(("bits", "years"), [(2048, 1), (4096, 2)])
def test_an_empty_file_becomes_a_certificate_of_the_orgs_own(org, soap, bits, years):
    deployed(org, certificate(f"<keySize>{bits}</keySize>"))

    content, described = retrieved(soap)

    found = x509.load_pem_x509_certificate(content)
    assert found.public_key().key_size == bits
    assert (found.not_valid_after_utc - org.clock.now()).days in {
        365 * years - 1,
        365 * years,
    }
    ends = f"{found.not_valid_after_utc:%Y-%m-%dT%H:%M:%S.000Z}"
    assert text(described, "expirationDate") == ends
    assert soap.list("Certificate") == ["Signing"]


def test_what_the_org_signs_its_certificate_verifies(org, soap):
    deployed(org, certificate())

    answer = soap.http.post("/devorg/certificates/Signing", data=b"a message")

    found = x509.load_pem_x509_certificate(retrieved(soap)[0])
    found.public_key().verify(answer.data, b"a message", PKCS1v15(), SHA256())
    assert soap.http.post("/devorg/certificates/Other").status_code == 404


def test_the_same_file_again_changes_no_key(org, soap):
    deployed(org, certificate())
    before, _ = retrieved(soap)

    deployed(org, certificate())
    deployed(org, certificate(content=before.decode()))

    assert retrieved(soap)[0] == before


def test_until_an_authority_has_signed_there_is_a_request(org, soap):
    deployed(org, certificate(signed="true"))
    request = x509.load_pem_x509_csr(retrieved(soap)[0])
    assert request.is_signature_valid

    other = Org.fresh(seed=8, clock=OrgClock())
    deployed(other, certificate())
    foreign, _ = retrieved(Soap(other))
    other.stop()

    refused = deploy(org, certificate(content=foreign.decode(), signed="true"))
    assert "does not belong" in problems(refused)["Signing"]
    refused = deploy(org, certificate(content="nothing of a chain", signed="true"))
    assert "not a valid PEM" in problems(refused)["Signing"]


def test_setup_creates_them_too_and_credentials_may_name_them(org, soap):
    made = soap.http.post("/devorg/features", json={"certificates": ["Signing"]})

    assert made.json["certificates"] == ["Signing"]
    assert base64.b64encode(retrieved(soap)[0])
    again = soap.http.post("/devorg/features", json={"certificates": ["Signing"]})
    assert again.json["certificates"] == ["Signing"]
    assert (
        soap.http.post("/devorg/features", json={"certificates": "a"}).status_code
        == 400
    )


def test_the_integration_user_may_not_read_them(org):
    deployed(org, certificate())

    answer = Soap(org, INTEGRATION).call(
        "<retrieve><request><apiVersion>62.0</apiVersion><unpackaged><types>"
        "<members>Signing</members><name>Certificate</name></types></unpackaged>"
        "</request></retrieve>"
    )

    assert "INSUFFICIENT_ACCESS" in (
        answer.findtext("{*}faultstring") or answer.findtext("faultstring")
    )
