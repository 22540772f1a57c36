"""A caller like Salesforce: kept connections, one message after the other on each.

``python load.py URL SIZE CONNECTIONS SECONDS`` prints one line of JSON. A process of
its own, so that it does not share an interpreter with what it measures.
"""

import json
import os
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" \
xmlns:xsd="http://www.w3.org/2001/XMLSchema" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00D000000000001EAA</OrganizationId>
   <ActionId>04k000000000001AAA</ActionId>
   <SessionId xsi:nil="true"/>
   <EnterpriseUrl>https://example.my.salesforce.com/services/Soap/c/62.0/x</EnterpriseUrl>
   <PartnerUrl>https://example.my.salesforce.com/services/Soap/u/62.0/x</PartnerUrl>
"""
_TAIL = """  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"""
_FIELDS = "".join(
    f"     <sf:{name}>{value}</sf:{name}>\n"
    for name, value in (
        ("Company", "Example Ltd"),
        ("CreatedDate", "2026-01-02T03:04:05.000Z"),
        ("Email", "ada@example.org"),
        ("FirstName", "Ada"),
        ("LastModifiedById", "005000000000001AAA"),
        ("LastModifiedDate", "2026-01-02T03:04:05.000Z"),
        ("LastName", "Example"),
        ("OwnerId", "005000000000001AAA"),
        ("Phone", "+1 555 0100"),
        ("Referral_Code__c", "CODE0001"),
        ("Referral_Source__c", "Customer"),
        ("Referral_Status__c", "Submitted"),
        ("Referrer_Name__c", "Mira Sample"),
        ("SystemModstamp", "2026-01-02T03:04:05.000Z"),
    )
)
_NOTIFICATION = (
    """   <Notification>
    <Id>04l%s</Id>
    <sObject xsi:type="sf:Lead" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>00Q%s</sf:Id>
"""
    + _FIELDS
    + """    </sObject>
   </Notification>
"""
)


def main() -> None:
    """Load one address, and print what it took."""
    url, size, connections, seconds = sys.argv[1:5]
    took: list[float] = []
    errors: list[str] = []
    start = time.perf_counter()
    deadline = start + float(seconds)
    threads = [
        threading.Thread(
            target=_call, args=(url, int(size), number, deadline, took, errors)
        )
        for number in range(int(connections))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    took.sort()
    print(
        json.dumps(
            {
                "per_second": len(took) / elapsed,
                **{
                    f"p{part}": took[len(took) * part // 100] * 1000 if took else 0
                    for part in (50, 95, 99)
                },
                "errors": errors[:3],
            }
        )
    )


def _call(
    url: str,
    size: int,
    number: int,
    deadline: float,
    took: list[float],
    errors: list[str],
) -> None:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
    tag = os.urandom(3).hex() + f"{number:02}"
    serial = 0
    with socket.create_connection((parts.hostname, parts.port)) as caller:
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < deadline:
            notifications = []
            for _ in range(size):
                serial += 1
                id_ = f"{tag}{serial:07}"[-12:].rjust(12, "0")
                notifications.append(_NOTIFICATION % (id_, id_))
            body = (_HEAD + "".join(notifications) + _TAIL).encode()
            sent = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
            before = time.perf_counter()
            caller.sendall(sent)
            answer = caller.recv(65536)
            while answer and b"Envelope>" not in answer[-20:]:
                more = caller.recv(65536)
                if not more:
                    break
                answer += more
            took.append(time.perf_counter() - before)
            if not answer.startswith(b"HTTP/1.1 200"):
                errors.append(answer[:200].decode("latin-1"))
                return


if __name__ == "__main__":
    main()
