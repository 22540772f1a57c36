"""The Metadata API over SOAP, for tests: calls as the official CLI makes them."""

import base64
import io
import time
import zipfile

from lxml import etree

from sidecar.devorg.app import create_app
from sidecar.devorg.founding import ADMIN

META = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


class Soap:
    """One user's calls to an org in this process."""

    def __init__(self, org, user=ADMIN):
        self.http = create_app(org).test_client()
        self.token = org.sessions.open(org.user_named(user))

    def call(self, content):
        """Call, and return the first element of the Body."""
        body = (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns:xsi="{XSI}"><soapenv:Header xmlns="{META}"><SessionHeader>'
            f"<sessionId>{self.token}</sessionId></SessionHeader></soapenv:Header>"
            f'<soapenv:Body xmlns="{META}">{content}</soapenv:Body></soapenv:Envelope>'
        )
        answer = self.http.post(
            "/services/Soap/m/66.0",
            data=body,
            content_type="text/xml",
            headers={"SOAPAction": '""'},
        )
        root = etree.fromstring(answer.data)
        return root.find("{http://schemas.xmlsoap.org/soap/envelope/}Body")[0]

    def retrieve(self, members, *, single=True):
        """Retrieve, and return files, messages and the last answer's result."""
        types = "".join(
            "<types>"
            + "".join(f"<members>{name}</members>" for name in names)
            + f"<name>{type_}</name></types>"
            for type_, names in members.items()
        )
        asked = self.call(
            "<retrieve><request><apiVersion>62.0</apiVersion><singlePackage>"
            f"{str(single).lower()}</singlePackage><unpackaged>{types}"
            "<version>62.0</version></unpackaged></request></retrieve>"
        )
        assert text(asked, "result/done") == "false"
        found = self.wait(text(asked, "result/id"))
        data = base64.b64decode(text(found, "zipFile"))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        messages = [text(each, "problem") for each in found.findall("{*}messages")]
        return files, messages, found

    def check(self, retrieval_id):
        return self.call(
            f"<checkRetrieveStatus><asyncProcessId>{retrieval_id}</asyncProcessId>"
            "<includeZip>true</includeZip></checkRetrieveStatus>"
        )

    def wait(self, retrieval_id):
        """Poll until the retrieval is done."""
        for _ in range(100):
            found = self.check(retrieval_id)[0]
            if text(found, "done") == "true":
                return found
            time.sleep(0.001)
        raise AssertionError

    def read(self, type_, *names):
        listed = "".join(f"<fullNames>{name}</fullNames>" for name in names)
        answer = self.call(f"<readMetadata><type>{type_}</type>{listed}</readMetadata>")
        return answer.findall("{*}result/{*}records")

    def list(self, type_, folder=None):
        where = f"<folder>{folder}</folder>" if folder else ""
        answer = self.call(
            f"<listMetadata><queries>{where}<type>{type_}</type></queries></listMetadata>"
        )
        return [text(each, "fullName") for each in answer]

    def save(self, how, type_, content):
        """Create, update or upsert one component; its result."""
        return self.call(
            f'<{how}Metadata><metadata xsi:type="{type_}">{content}</metadata>'
            f"</{how}Metadata>"
        )[0]

    def delete(self, type_, name):
        return self.call(
            f"<deleteMetadata><type>{type_}</type><fullNames>{name}</fullNames>"
            "</deleteMetadata>"
        )[0]


def text(element, path):
    return element.findtext("/".join(f"{{*}}{part}" for part in path.split("/")))


def names(element):
    return [etree.QName(each).localname for each in element]
