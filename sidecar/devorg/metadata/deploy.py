"""Applying one package to the org: what succeeds, what fails, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sidecar.devorg.metadata.archive import MANIFEST, Failure, Package
from sidecar.devorg.metadata.component import Component, Part
from sidecar.devorg.metadata.element import NOT_AVAILABLE, Problem, text
from sidecar.devorg.metadata.folders import CHILD_OF, FOLDER_OF
from sidecar.devorg.metadata.kinds import BY_TYPE, ORDER, Kind
from sidecar.devorg.metadata.normal_form import same
from sidecar.devorg.metadata.work import Work

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


@dataclass(frozen=True)
class Message:
    """
    The row about one component in a deployment's result.

    Attributes:
        type: "" for the row about package.xml itself.
        file: path within the package, as the CLI maps it back to a source file.
        problem: why it failed, or with ``success`` a warning.
    """

    type: str
    full_name: str
    file: str
    at: datetime
    id: str | None = None
    success: bool = True
    created: bool = False
    changed: bool = False
    deleted: bool = False
    problem: str | None = None
    line: int | None = None


@dataclass
class Outcome:
    """All rows of one deployment."""

    successes: list[Message] = field(default_factory=list)
    failures: list[Message] = field(default_factory=list)


def apply(org: Org, package: Package, *, user_id: str, purge: bool = False) -> Outcome:
    """
    Apply a package part by part; each that fails is taken back alone.

    Called within ``Org.work``: whoever calls decides whether the rest stays.

    Args:
        purge: what is deleted does not go into the recycle bin.
    """
    applier = _Applier(org, package, user_id, purge=purge)
    return applier.run(package)


class _Applier:
    def __init__(
        self, org: Org, package: Package, user_id: str, *, purge: bool
    ) -> None:
        self._org = org
        self._work = Work(
            org,
            org.metadata.components,
            user_id,
            api_version=package.version,
            coming=_keys((each.type, each.full_name) for each in package.parts),
            going=_keys(package.pre_removals + package.removals),
            purge=purge,
        )
        self._at = org.clock.second()
        self._outcome = Outcome()

    def run(self, package: Package) -> Outcome:
        for failure in package.failures:
            self._fail(failure)
        self._remove(package.pre_removals, "destructiveChanges.xml")
        waiting = _in_order(package.parts)
        while waiting:
            # What failed may only have come before what it builds upon.
            failed = [
                (part, problem)
                for part in waiting
                if (problem := self._apply(part)) is not None
            ]
            if len(failed) == len(waiting):
                for part, problem in failed:
                    self._fail(_failure(part, _of_parent(part, problem, failed)))
                break
            waiting = [part for part, _ in failed]
        self._remove(package.removals, "destructiveChangesPost.xml")
        if not any(each.file == MANIFEST for each in self._outcome.failures):
            self._outcome.successes.append(
                Message("", MANIFEST, MANIFEST, self._at, changed=True)
            )
        return self._outcome

    def _fail(self, failure: Failure) -> None:
        self._outcome.failures.append(
            Message(
                failure.type,
                failure.full_name,
                failure.file,
                self._at,
                success=False,
                problem=failure.problem,
                line=failure.line,
            )
        )

    def _apply(self, part: Part) -> Problem | None:
        """Apply one part; what is wrong with it, or None."""
        kind = BY_TYPE.get(part.type)
        try:
            if kind is None:
                raise Problem(NOT_AVAILABLE)
            with self._org.journal.savepoint():
                self._keep_schema()
                self._outcome.successes.append(self._make(kind, part))
        except Problem as exc:
            return exc
        return None

    def _keep_schema(self) -> None:
        """Let an undoing of what follows bring today's schema back."""
        schema = self._org.schema
        saved = schema.snapshot()
        self._org.journal.undo(lambda: schema.restore(saved))

    def _make(self, kind: Kind, part: Part) -> Message:
        components = self._work.components
        before = components.get(part.type, part.full_name)
        changed = before is None or not same(before.element, part.element, part.type)
        if before is None or (kind.versioned and changed):
            component_id = self._org.ids.new(kind.prefix)
        else:
            component_id = before.id
        if not changed and kind.versioned:
            value = before.value if before else None
        else:
            value = kind.apply(self._work, part, component_id)
        if changed:
            components.put(
                Component(
                    id=component_id,
                    type=part.type,
                    full_name=part.full_name,
                    file=part.file,
                    element=part.element,
                    value=value,
                    created_by=before.created_by if before else self._work.user_id,
                    created_at=before.created_at if before else self._at,
                    modified_by=self._work.user_id,
                    modified_at=self._at,
                )
            )
        return Message(
            part.type,
            part.full_name,
            part.file,
            self._at,
            id=component_id,
            created=before is None,
            changed=changed,
        )

    def _remove(self, names: Iterable[tuple[str, str]], file: str) -> None:
        """Delete in whatever order the components allow."""
        waiting = list(names)
        while waiting:
            failed = [
                (name, problem)
                for name in waiting
                if (problem := self._try_remove(*name, file)) is not None
            ]
            if len(failed) == len(waiting):
                for (type_, full_name), problem in failed:
                    self._fail(Failure(type_, full_name, file, problem.message))
                break
            waiting = [name for name, _ in failed]

    def _try_remove(self, type_: str, full_name: str, file: str) -> Problem | None:
        try:
            self._outcome.successes.append(self._removed(type_, full_name, file))
        except Problem as exc:
            return exc
        return None

    def _removed(self, type_: str, full_name: str, file: str) -> Message:
        components = self._work.components
        for folder_type, held in FOLDER_OF.items():
            # A folder is named among what lies in it.
            if held == type_ and components.get(folder_type, full_name):
                type_ = folder_type
        kind = BY_TYPE.get(type_)
        if kind is None:
            raise Problem(NOT_AVAILABLE)
        before = components.get(type_, full_name)
        if before is None and not kind.versioned:
            # Salesforce warns of what is not there, and goes on.
            return Message(
                type_,
                full_name,
                file,
                self._at,
                problem=f"No {type_} named: {full_name} found",
            )
        with self._org.journal.savepoint():
            self._keep_schema()
            kind.remove(self._work, full_name)
            if not kind.versioned:
                self._work.components.remove(type_, full_name)
        return Message(
            type_,
            full_name,
            file,
            self._at,
            id=before.id if before else None,
            changed=True,
            deleted=True,
        )


def _of_parent(
    part: Part, problem: Problem, failed: list[tuple[Part, Problem]]
) -> Problem:
    """Return why a part failed: what is wrong with it, or with what it belongs to."""
    parent = CHILD_OF.get(part.type), part.full_name.partition(".")[0]
    if any((other.type, other.full_name) == parent for other, _ in failed):
        return Problem("Parent entity failed to deploy")
    return problem


def _failure(part: Part, problem: Problem) -> Failure:
    return Failure(part.type, part.full_name, part.file, problem.message, problem.line)


def _keys(names: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((type_, full_name.lower()) for type_, full_name in names)


def _is_formula(part: Part) -> bool:
    return part.type == "CustomField" and text(part.element, "formula") is not None


def _in_order(parts: list[Part]) -> list[Part]:
    """What others build upon comes first; a formula after the fields that it reads."""
    return sorted(parts, key=lambda part: (ORDER.get(part.type, -1), _is_formula(part)))
