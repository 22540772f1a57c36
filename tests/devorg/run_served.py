"""A client of a served org: real sockets, TLS, and one user's name."""

import json
import time

import requests
from lxml import etree

PARTNER = "urn:partner.soap.sforce.com"


class Client:
    """REST and SOAP calls to a served org."""

    version = "66.0"

    def __init__(self, served, username=None):
        self.base_url = served.base_url
        self.http = requests.Session()
        # Else an environment variable decides whom to trust.
        self.http.trust_env = False
        self.http.verify = served.ca_file
        answer = self.http.post(
            f"{served.base_url}/devorg/sessions",
            json={"username": username or served.admin, "endless": True},
        ).json()
        self.token, self.user_id = answer["token"], answer["user_id"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method, path, body=None, **options):
        url = f"{self.base_url}/services/data/v{self.version}/{path}"
        return self.http.request(method, url, json=body, **options)

    def get(self, path, **params):
        answer = self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method, path, body=None, **options):
        """Status, code and message of a call that must fail."""
        answer = self.call(method, path, body, **options)
        assert answer.status_code >= 300, answer.text
        error = answer.json()[0]
        return answer.status_code, error["errorCode"], error["message"]

    def create(self, name, **values):
        answer = self.call("POST", f"sobjects/{name}", values)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def update(self, name, record_id, **values):
        answer = self.call("PATCH", f"sobjects/{name}/{record_id}", values)
        assert answer.status_code == 204, answer.text

    def query(self, soql, *, tooling=False):
        path = "tooling/query" if tooling else "query"
        return self.get(path, q=soql)["records"]

    def backdoor(self, method, path, body=None):
        return self.http.request(method, f"{self.base_url}/devorg/{path}", json=body)

    def soap(self, content, *, header="", namespace=PARTNER, path="u/66.0"):
        """The element in the body of the answer."""
        answer = self.http.post(
            f"{self.base_url}/services/Soap/{path}",
            data=(
                '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
                f'xmlns="{namespace}"><e:Header><SessionHeader><sessionId>{self.token}'
                f"</sessionId></SessionHeader>{header}</e:Header>"
                f"<e:Body>{content}</e:Body></e:Envelope>"
            ).encode(),
            headers={"Content-Type": "text/xml", "SOAPAction": '""'},
        )
        return etree.fromstring(answer.content).find("{*}Body")[0]

    def deploy(self, packed, **options):
        """The result of a deployment that has ended."""
        options = {"singlePackage": True, "rollbackOnError": True, **options}
        answer = self.http.post(
            f"{self.base_url}/services/data/v{self.version}/metadata/deployRequest",
            files={
                "entity_content": (
                    None,
                    json.dumps({"deployOptions": options}),
                    "application/json",
                ),
                "file": ("package.zip", packed, "application/zip"),
            },
        )
        assert answer.status_code == 201, answer.text
        path = f"metadata/deployRequest/{answer.json()['id']}"
        for _ in range(2000):
            result = self.get(path, includeDetails="true")["deployResult"]
            if result["done"]:
                return result
            time.sleep(0.01)
        raise AssertionError(result)

    def deployed(self, packed, **options):
        result = self.deploy(packed, **options)
        failures = result["details"]["componentFailures"]
        assert result["success"], [
            (each["fullName"], each["problem"]) for each in failures
        ]
        return result
