"""The metadata of one org at work: components, hooks, counters, deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sidecar.devorg.flows.triggers import FlowTriggers
from sidecar.devorg.formula import FormulaError
from sidecar.devorg.metadata import standing
from sidecar.devorg.metadata.auto_number import AutoNumber
from sidecar.devorg.metadata.component import Components
from sidecar.devorg.metadata.deployments import Deployments
from sidecar.devorg.metadata.features import Features
from sidecar.devorg.metadata.formula_scope import RecordScope
from sidecar.devorg.metadata.recycle_bin import RecycleBin
from sidecar.devorg.metadata.retrieval import Retrievals
from sidecar.devorg.metadata.small_kinds import ValidationRule
from sidecar.devorg.records import Save
from sidecar.devorg.refusal import Refusal

if TYPE_CHECKING:
    from sidecar.devorg.org import Org


class Metadata:
    """
    What deployments have made of an org.

    Attributes:
        auto_numbers: counters by object and field name.
        features: what the org has switched on.
        bin: deleted fields that can be restored.
    """

    def __init__(self, org: Org) -> None:
        """Installs its hooks in the org's records."""
        self._org = org
        self.components = Components(journal=org.journal)
        self.deployments = Deployments(org)
        self.retrievals = Retrievals(org)
        self.features = Features()
        self.bin = RecycleBin(journal=org.journal, clock=org.clock)
        self.auto_numbers: dict[str, dict[str, AutoNumber]] = {}
        self._rules: dict[str, list[ValidationRule]] = {}
        self._rules_version = -1
        org.records.before_save.append(self._number)
        self.flows = FlowTriggers(org)
        org.records.validate.append(self._validate)

    def found(self, user_id: str) -> None:
        """Give a new org the metadata that every org has, in the name of a user."""
        standing.found(self._org, self.components, user_id)

    @property
    def edition(self) -> str:
        """The org's edition, as ``Organization.OrganizationType`` says."""
        company = self._org.records.table("Organization").rows.get(self._org.id, {})
        return str(company.get("OrganizationType", ""))

    @property
    def production(self) -> bool:
        """Tell whether the org has the stricter rules of a production org."""
        company = self._org.records.table("Organization").rows.get(self._org.id, {})
        return (
            not company.get("IsSandbox")
            and company.get("OrganizationType") != "Developer Edition"
        )

    def _number(self, save: Save) -> None:
        """Give a new record its auto-numbers; a name left out becomes the id."""
        if not save.is_new:
            return
        today = self._org.clock.now().date()
        for name, counter in self.auto_numbers.get(save.type.name, {}).items():
            save.after[name] = counter.give(today)
        if save.type.custom:
            save.after.setdefault("Name", save.id)

    def _validate(self, save: Save) -> None:
        """
        Run the validation rules of the record's object.

        Raises:
            Refusal: FIELD_CUSTOM_VALIDATION_EXCEPTION with the first rule's words.
        """
        if self._rules_version != self.components.version:
            self._read_rules()
        rules = self._rules.get(save.type.name)
        if not rules:
            return
        scope = RecordScope(
            save.org, save.type, save.after, save.before, user_id=save.access.user_id
        )
        for rule in rules:
            try:
                refused = bool(rule.condition.run(scope))
            except FormulaError as exc:
                raise Refusal(
                    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                    f"The validation formula for {rule.full_name} failed: {exc}",
                    fields=[],
                ) from exc
            if refused:
                raise Refusal(
                    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                    rule.message,
                    fields=[rule.field] if rule.field else [],
                )

    def _read_rules(self) -> None:
        self._rules = {}
        self._rules_version = self.components.version
        for each in self.components.of_type("ValidationRule"):
            rule = each.value
            if isinstance(rule, ValidationRule) and rule.active:
                for type_ in self._org.schema.targets(rule.object_name):
                    self._rules.setdefault(type_.name, []).append(rule)
