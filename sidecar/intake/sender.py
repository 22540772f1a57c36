"""Whether an outbound message comes from Salesforce's own machines.

An outbound message carries no signature. Beside the secret address there are two more
marks: the client certificate that Salesforce shows, and the address it calls from. Both
are asked for only where an operator has said how; without, nothing is looked at.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.verification import Store

from sidecar.errors import Forged
from sidecar.intake import client_certificate, peer, request
from sidecar.intake.ip_ranges import IpRanges
from sidecar.intake.peer import Network
from sidecar.intake.signatures.reasons import Reason
from sidecar.logs import log
from sidecar.settings import Settings, WrongSetting
from sidecar.store.connections import OrgConnection
from sidecar.store.webhook_secrets import SeenCertificate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True)
class Certificates:
    """Which client certificates are taken, and where they are found."""

    authorities: Store
    names: Collection[str]
    """In lower case."""
    header: str
    """Where a proxy of ours puts it; empty where we end TLS ourselves."""


@dataclass(frozen=True)
class Sender:
    """The marks of a sender that are asked for."""

    now: Callable[[], datetime]
    proxies: Sequence[Network] = ()
    certificates: Certificates | None = None
    seen: Callable[[int, SeenCertificate], None] = lambda _connection, _seen: None
    """Remembers which certificate was shown to a connection; never fails."""
    ranges: IpRanges | None = None
    enforce_ranges: bool = False
    ticks: Callable[[], float] = time.monotonic

    def require(self, environ: "WSGIEnvironment", connection: OrgConnection) -> None:
        """
        Refuse who lacks a mark.

        Raises:
            Forged: with a ``Reason``.
        """
        if self.ranges is not None:
            self._require_address(environ, connection, self.ranges)
        if self.certificates is not None:
            self._require_certificate(environ, connection, self.certificates)

    def _require_address(
        self, environ: "WSGIEnvironment", connection: OrgConnection, ranges: IpRanges
    ) -> None:
        caller = peer.address(environ, self.proxies)
        if ranges.hold(caller, at=self.ticks()):
            return
        if self.enforce_ranges:
            raise Forged(Reason.ADDRESS_UNKNOWN)
        log().warning(
            "outbound.address_unknown",
            reason=str(Reason.ADDRESS_UNKNOWN),
            peer=caller,
            connection=connection.name,
        )

    def _require_certificate(
        self,
        environ: "WSGIEnvironment",
        connection: OrgConnection,
        wanted: Certificates,
    ) -> None:
        found = self._shown(environ, wanted)
        told = client_certificate.seen(found)
        if client_certificate.names_of(found).isdisjoint(wanted.names):
            log().warning(
                "outbound.certificate_refused",
                subject=told.subject,
                issuer=told.issuer,
                connection=connection.name,
            )
            raise Forged(Reason.CLIENT_CERTIFICATE_NAME)
        self.seen(connection.id, told)

    def _shown(
        self, environ: "WSGIEnvironment", wanted: Certificates
    ) -> x509.Certificate:
        at = self.now()
        caller = str(environ.get("REMOTE_ADDR") or "")
        if wanted.header and peer.within(caller, self.proxies):
            return client_certificate.from_header(
                environ, wanted.header, wanted.authorities, at=at
            )
        if wanted.header and request.header(environ, wanted.header) is not None:
            raise Forged(Reason.CLIENT_CERTIFICATE_NOT_FROM_PROXY)
        return client_certificate.over_tls(environ, at=at)


def asked_for(
    settings: Settings,
    *,
    now: Callable[[], datetime],
    seen: Callable[[int, SeenCertificate], None],
) -> Sender | None:
    """
    Say which marks an operator asks for; None where the secret address is enough.

    Raises:
        WrongSetting: settings that would check nothing, or lock everybody out.
        Permanent: a file cannot be used.
    """
    certificates = _certificates(settings)
    ranges = IpRanges(settings.ip_ranges_file) if settings.ip_ranges_file else None
    if certificates is None and ranges is None:
        return None
    return Sender(
        now=now,
        proxies=peer.networks(settings.trusted_proxies),
        certificates=certificates,
        seen=seen,
        ranges=ranges,
        enforce_ranges=settings.ip_ranges_mode == "enforce",
    )


def _certificates(settings: Settings) -> Certificates | None:
    header, proxies = settings.client_certificate_header, settings.trusted_proxies
    tls = settings.speaks_tls
    if settings.client_ca_file is None:
        if header:
            raise WrongSetting(
                "SIDECAR_CLIENT_CERTIFICATE_HEADER needs SIDECAR_CLIENT_CA_FILE"
            )
        return None
    if header and not proxies:
        raise WrongSetting(
            "SIDECAR_CLIENT_CERTIFICATE_HEADER needs SIDECAR_TRUSTED_PROXIES"
        )
    if not tls and not header:
        raise WrongSetting(
            "SIDECAR_CLIENT_CA_FILE needs SIDECAR_TLS_CERTIFICATE_FILE, or "
            "SIDECAR_CLIENT_CERTIFICATE_HEADER"
        )
    pem = settings.client_ca_file.read_bytes()
    return Certificates(
        client_certificate.authorities(pem), settings.client_names, header
    )
