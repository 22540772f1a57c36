"""One turn of a deployment: what it may use, and what it comes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine

from sidecar.errors import Permanent, Retryable
from sidecar.keyring import Keyring
from sidecar.package import preflight
from sidecar.package.bundle import Bundle, Wanted, wanted, with_needed
from sidecar.package.fitting import AS_IT_IS, Fit
from sidecar.package.org_answers import Facts
from sidecar.package.read import Tree, modules
from sidecar.salesforce.caller import Caller
from sidecar.store import deployment_files, deployments, installed
from sidecar.store.connections import OrgConnection
from sidecar.store.deployments import Admin, Changes, Deployment
from sidecar.store.installed import Installed

T = TypeVar("T")

INTEGRATION_USER = "REFERRAL_INTEGRATION_USERNAME"
"""The package's placeholder for the user who will run."""


class Orgs(Protocol):
    """How orgs are reached, and what they are told about us."""

    def as_admin(self, admin: Admin) -> Caller:
        """
        Call as the temporary admin.

        Raises:
            Permanent: the address is none that may be called.
        """

    def as_integration(self, connection_id: int, ask: Callable[[Caller], T]) -> T:
        """
        Call as the integration user, with a fresh token where the last one expired.

        Raises:
            Retryable, Permanent: never LoggedOut.
        """

    def placeholders(self, connection_id: int) -> Mapping[str, str]:
        """Give what the package has to be told of this connection."""


class LeaseLost(Exception):
    """The turn took longer than its lease; whoever took over decides."""


class NeedsToken(Retryable):
    """The deployment has no admin, or their token is no longer accepted."""


@dataclass(frozen=True)
class Turn:
    """What one turn may use. ``deployment`` is as the turn found it."""

    deployment: Deployment
    connection: OrgConnection
    orgs: Orgs
    bundle: Bundle
    engine: Engine
    keyring: Keyring
    now: Callable[[], datetime]
    poll: timedelta

    @property
    def admin(self) -> Caller:
        """
        Who deploys.

        Raises:
            NeedsToken: nobody is known.
        """
        with self.engine.connect() as db:
            known = deployments.admin(db, self.deployment.id, keyring=self.keyring)
        if known is None:
            raise NeedsToken("the deployment needs an admin's access token")
        return self.orgs.as_admin(known)

    def as_integration(self, ask: Callable[[Caller], T]) -> T:
        """Call as the user who will run."""
        return self.orgs.as_integration(self.connection.id, ask)

    def wanted(self) -> Wanted:
        """What is to be in the org at the end."""
        known = {k: v for k, v in self.deployment.facts.items() if k != "at"}
        fit = preflight.fit(Facts(**known)) if known else AS_IT_IS
        return self._wanted(self.deployment.modules, fit)

    def everything(self) -> Wanted:
        """What the whole package would put there, chosen or not."""
        names = [each.name for each in modules(self.bundle.tree)]
        return self._wanted(names, AS_IT_IS)

    def _wanted(self, names: list[str], fit: Fit) -> Wanted:
        user = self.deployment.facts.get("integration_user")
        values = {
            **self.orgs.placeholders(self.connection.id),
            # As long as it is not known, only names are asked for.
            INTEGRATION_USER: user or self.connection.username or "unknown",
        }
        return wanted(self.bundle, with_needed(self.bundle, names), values, fit=fit)

    def installed(self) -> Installed | None:
        """What was installed last."""
        with self.engine.connect() as db:
            return installed.of(db, self.connection.id, keyring=self.keyring)

    def kept(self, name: str, *, of: int | None = None) -> dict[str, bytes] | None:
        """Give files kept by an earlier turn, or by another deployment, if any."""
        with self.engine.connect() as db:
            return deployment_files.of(
                db, of or self.deployment.id, name, keyring=self.keyring
            )

    def files(self, name: str, *, of: int | None = None) -> dict[str, bytes]:
        """
        Give files that must have been kept.

        Raises:
            Permanent: none were.
        """
        found = self.kept(name, of=of)
        if found is None:
            raise Permanent(
                f"deployment {of or self.deployment.id} has kept no files {name!r}"
            )
        return found

    def write(self, changes: Changes) -> None:
        """
        Record something before the turn is over, as an id that the org just gave.

        Raises:
            LeaseLost: somebody else goes on.
        """
        with self.engine.begin() as db:
            if not deployments.write(
                db, self.deployment.id, self.deployment.attempts, changes
            ):
                raise LeaseLost(f"deployment {self.deployment.id}")

    def evidence(self, **more: Any) -> dict[str, Any]:
        """What is known so far, and more."""
        return {**self.deployment.evidence, **more}


@dataclass(frozen=True)
class Step:
    """What a turn came to; all of it is recorded at once."""

    changes: Changes
    files: Mapping[str, Tree] = field(default_factory=dict)
    then: Callable[[Connection], None] | None = None
    """Something more to be recorded in the same transaction."""


def go(
    stage: str,
    *,
    files: Mapping[str, Tree] | None = None,
    then: Callable[[Connection], None] | None = None,
    **changes: Any,
) -> Step:
    """Go on with another stage; what the org was at for this one is over."""
    made: Changes = {"stage": stage, "async_id": None, **changes}  # type: ignore[typeddict-item]
    return Step(made, files or {}, then)


def again(turn: Turn, **changes: Any) -> Step:
    """Look at the same stage, or at the one given, after a while."""
    made: Changes = {"due_at": turn.now() + _pause(turn), **changes}  # type: ignore[typeddict-item]
    return Step(made)


def _pause(turn: Turn) -> timedelta:
    """Ask soon at first, then the more rarely the longer it takes, up to ``poll``."""
    timings = turn.deployment.evidence.get("timings", {})
    began = timings.get(turn.deployment.stage)
    so_far = turn.now() - datetime.fromisoformat(began[0]) if began else timedelta()
    return min(turn.poll, max(turn.poll / 10, so_far / 2))
