"""Verifications a second of each scheme, beside the plain HMAC of the same bytes.

In turns within one run, and told as ratios: the machine may be shared. What is measured
is ``signatures.verify`` with headers and secrets as the door hands them over.
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

import signing

from sidecar.errors import Forged
from sidecar.intake import signatures
from sidecar.intake.signatures.credentials import Credential
from sidecar.keyring import fingerprint
from sidecar.store.webhook_secrets import Kind

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()
TOKEN = "a-token-for-the-bench"
NOW = time.time()
PLAIN = "plain HMAC-SHA256"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="scripts/bench signatures")
    parser.add_argument("--seconds", type=float, default=0.3, help="of each run")
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison")
    given = parser.parse_args()
    table = Table("body", "way", "a second", "µs", "plain / this")
    for label, body in _bodies():
        ways = _ways(body)
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(given.rounds):
            for way, run in ways.items():
                rates[way].append(_rate(run, given.seconds))
        for way in ways:
            pairs = zip(rates[PLAIN], rates[way], strict=True)
            ratio = median(plain / mine for plain, mine in pairs)
            rate = median(rates[way])
            shown = "" if way == PLAIN else f"{ratio:.2f}"
            table.add_row(label, way, f"{rate:,.0f}", f"{1e6 / rate:.1f}", shown)
    Console(width=100).print(table)


def _bodies() -> list[tuple[str, bytes]]:
    change = {"Record_Id__c": "00Q000000000001EAA", "New_Status__c": "Submitted"}
    full = change | {f"Field_{number}__c": "x" * 20 for number in range(10)}
    message = {"OrganizationId": "00D000000000001EAA", "events": [full] * 100}
    return [
        ("one event", json.dumps(full).encode()),
        ("a hundred", json.dumps(message).encode()),
    ]


def _ways(body: bytes) -> dict[str, Callable[[], object]]:
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    sender = ed25519.Ed25519PrivateKey.generate()
    public = sender.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    org = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    large = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    hashed = fingerprint(TOKEN)
    old, new = (
        _credential(Kind.STANDARD_WEBHOOKS, secret) for secret in (OLD_SECRET, SECRET)
    )
    whpk = "whpk_" + base64.b64encode(public).decode()
    v1 = signing.standard(SECRET, body, message_id="msg_1", at=NOW)
    v1a = signing.standard_ed25519(sender, body, message_id="msg_1", at=NOW)
    forged = v1 | {"webhook-id": "msg_2"}
    return {
        PLAIN: lambda: hmac.new(key, body, hashlib.sha256).digest(),
        "Standard Webhooks v1": _verifying(v1, body, new),
        "v1 while a secret is replaced": _verifying(v1, body, old, new),
        "v1, forged": _verifying(forged, body, new, forged=True),
        "Standard Webhooks v1a": _verifying(
            v1a, body, _credential(Kind.STANDARD_WEBHOOKS_ED25519, whpk)
        ),
        "org certificate, 2048 bits": _verifying(
            signing.by_org(org, body, at=NOW), body, _certificate(org)
        ),
        "org certificate, 4096 bits": _verifying(
            signing.by_org(large, body, at=NOW), body, _certificate(large)
        ),
        "bearer": _verifying(
            {"authorization": f"Bearer {TOKEN}"}, body, _credential(Kind.BEARER, hashed)
        ),
    }


def _credential(kind: Kind, value: str) -> Credential:
    return Credential(1, kind, signatures.material(kind, value), "")


def _certificate(key: rsa.RSAPrivateKey) -> Credential:
    pem = signing.pem(signing.certificate(key))
    return _credential(Kind.ORG_CERTIFICATE, pem)


def _verifying(
    headers: dict[str, str], body: bytes, *accepted: Credential, forged: bool = False
) -> Callable[[], object]:
    head = {name: value.encode() for name, value in headers.items()}.get

    def verify() -> bool:
        try:
            signatures.verify(head, body, accepted, now=NOW)
        except Forged:
            return False
        return True

    if verify() is forged:
        raise SystemExit("what is measured does not verify as it should")
    return verify


def _rate(run: Callable[[], object], seconds: float) -> float:
    done, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        for _ in range(50):
            run()
        done += 50
    return done / spent


if __name__ == "__main__":
    main()
