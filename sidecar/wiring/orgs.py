"""Calls into orgs: as whom, and with which token."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from sidecar.errors import Permanent, Retryable
from sidecar.intake import door, webhook
from sidecar.salesforce import login, trial
from sidecar.salesforce.caller import Caller, caller_for
from sidecar.salesforce.changes import ReferralChanges
from sidecar.salesforce.field_values import FieldValues
from sidecar.salesforce.ids import same_org, to_18
from sidecar.salesforce.records import Records
from sidecar.salesforce.refusals import LoggedOut
from sidecar.salesforce.session import Sessions, http_session
from sidecar.store import (
    connections,
)
from sidecar.store.deployments import Admin
from sidecar.wiring.servers import Servers

T = TypeVar("T")


@dataclass
class Orgs(Servers):
    """What calls into orgs need."""

    @cached_property
    def sessions(self) -> Sessions:
        """Calls into orgs."""
        return Sessions(self, self.now, ca_file=self.settings.ca_file)

    @cached_property
    def records(self) -> Records:
        """Records of orgs."""
        return Records(self.sessions)

    @cached_property
    def field_values(self) -> FieldValues:
        """Fields of records of orgs."""
        return FieldValues(self.sessions)

    @cached_property
    def changes(self) -> ReferralChanges:
        """What changed in orgs."""
        return ReferralChanges(self.sessions)

    def current(self, connection_id: int) -> tuple[str, str | None]:
        """The org's address and our access token. Raises Permanent: it is removed."""
        with self.engine.connect() as db:
            if connections.find(db, connection_id) is None:
                raise Permanent(f"there is no connection {connection_id}")
            known = connections.login(db, connection_id, keyring=self.keyring)
        return self.host(known.instance_url), known.access_token

    def renew(self, connection_id: int, stale: str | None) -> str:
        """Log in again; one worker a time, and the org must still be the same."""
        with self.engine.begin() as db:
            connection = connections.find(db, connection_id)
            if connection is None:
                raise Permanent(f"there is no connection {connection_id}")

            def fetch(known: connections.Login) -> tuple[str, str | None]:
                grant = login.fetch(
                    http_session(ca_file=self.settings.ca_file),
                    flow=known.flow,
                    login_url=self.host(known.login_url),
                    client_id=known.client_id,
                    username=known.username,
                    secret=known.secret,
                    client_secret=known.client_secret,
                )
                if not same_org(grant.org_id, connection.org_id):
                    raise Permanent(
                        f"the login leads to org {grant.org_id or 'unknown'}, but the "
                        f"connection is to {connection.org_id}"
                    )
                if grant.user_id:
                    connections.write_as(db, connection_id, to_18(grant.user_id))
                return grant.access_token, grant.refresh_token

            return connections.renew_token(
                db, connection_id, stale, fetch, keyring=self.keyring
            )

    def sign_out(self, connection_id: int) -> str | None:
        """
        End at the org what lets us in, as far as it can be ended from here.

        Returns:
            None when that is done, or there was nothing; else why not, and what helps.
        """
        try:
            with self.engine.connect() as db:
                known = connections.login(db, connection_id, keyring=self.keyring)
            renewing = known.flow == "refresh_token"
            token = known.secret if renewing else known.access_token
            if token:
                login.revoke(self.http(), self.host(known.login_url), token)
        except (Retryable, Permanent) as exc:
            return (
                f"the token was not revoked: {exc}. Do it in the org: Setup, Connected "
                "Apps OAuth Usage"
            )
        return None

    def as_admin(self, admin: Admin) -> Caller:
        """Call an org as the admin who installs."""
        return caller_for(
            self.host(admin.instance_url), admin.token, ca_file=self.settings.ca_file
        )

    def as_integration(self, connection_id: int, ask: Callable[[Caller], T]) -> T:
        """Call an org as the user who runs; one refresh of the token at most."""
        url, token = self.current(connection_id)
        try:
            if token is not None:
                return ask(caller_for(url, token, ca_file=self.settings.ca_file))
        except LoggedOut:
            pass
        renewed = self.renew(connection_id, token)
        try:
            return ask(caller_for(url, renewed, ca_file=self.settings.ca_file))
        except LoggedOut as exc:
            raise Permanent(f"reconnect needed: {exc}") from exc

    def placeholders(self, connection_id: int) -> Mapping[str, str]:
        """What the package has to be told of a connection."""
        with self.engine.connect() as db:
            connection = connections.find(db, connection_id)
            hook_key = connections.hook_key(db, connection_id, keyring=self.keyring)
        if connection is None:
            raise Permanent(f"there is no connection {connection_id}")
        if hook_key is None:
            raise Permanent(
                f"connection {connection.name} was made when hook keys were not kept: "
                "add it once more"
            )
        return {
            "REFERRAL_ENDPOINT_URL": door.address(self.settings.public_url, hook_key),
            "REFERRAL_EVENTS_URL": webhook.address(self.settings.public_url, hook_key),
        }

    def try_out(self, connection_id: int) -> Iterator[trial.Step]:
        """
        Look at a connection, part by part.

        Raises:
            Permanent: there is none of this number, or its host is not Salesforce's.
        """
        with self.engine.connect() as db:
            if connections.find(db, connection_id) is None:
                raise Permanent(f"there is no connection {connection_id}")
            known = connections.login(db, connection_id, keyring=self.keyring)
        return trial.run(
            self.http(),
            login_url=self.host(known.login_url),
            instance_url=self.host(known.instance_url),
            username=known.username,
            fetch=lambda: self.renew(connection_id, known.access_token),
            now=self.now,
        )
