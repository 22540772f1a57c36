"""Which names a project should know: the ground on which references are judged.

An org holds more than a project. So a name is only missed where the project should
know it: its own custom objects it knows whole, a standard object it may merely add
to, and what has another namespace, or no custom suffix, is not ours to judge.
"""

import re
from functools import cached_property

from sidecar.package.lint.defined import Defined
from sidecar.package.lint.findings import Level
from sidecar.package.lint.near import Words, nearest
from sidecar.package.lint.standard import (
    CUSTOM_OBJECT_FIELDS,
    CUSTOM_RELATIONSHIPS,
    RELATIONSHIPS,
    STANDARD_FIELDS,
)
from sidecar.package.lint.things import ACTIVITIES, CUSTOM, Field, Missing, Object

# Fields of several parts, as addresses and places are.
_PART = re.compile(
    r"__(Latitude|Longitude|Street|City|PostalCode|StateCode|CountryCode"
    r"|GeocodeAccuracy)__s$",
    re.IGNORECASE,
)


class Index(Defined):
    """What a project defines, and which names it should know."""

    def missing_object(self, name: str) -> Missing | None:
        """Judge the name of an object."""
        name = self.bare(name)
        if not name or self.object(name) or self.foreign(name):
            return None
        if not CUSTOM.search(name):
            if self.objects.get(f"{name}__c".lower()):
                said = f"there is no object {name}; did you mean {name}__c?"
                return Missing("reference/object", name, said)
            return None
        meant = self.words("CustomObject").nearest(name)
        said = f"there is no object {name}{meant}"
        known = self.names.get("CustomObject")
        level = Level.NOTE if self.depends or not known else None
        doubtful = "" if meant else "CustomObject"
        return Missing("reference/object", name, said, level, doubtful)

    def missing_field(self, owner: str, path: str) -> Missing | None:
        """
        Judge a field, or a path over relationships: ``Referrer__r.Contact__r.Email``.

        Returns:
            None where all of it is known, or where it leaves what can be judged.
        """
        key = owner.lower(), path.lower()
        if key not in self._judged:
            self._judged[key] = self._judge(owner, path)
        return self._judged[key]

    @cached_property
    def _judged(self) -> dict[tuple[str, str], Missing | None]:
        """Large projects name the same fields very often."""
        return {}

    def _judge(self, owner: str, path: str) -> Missing | None:
        *steps, name = path.split(".")
        for step in steps:
            if missing := self._missing_step(owner, step):
                return missing
            owner = self._through(owner, step)
            if not owner:
                return None
        return self._missing_last(owner, name)

    def field(self, owner: str, path: str) -> Field | None:
        """Give the field at the end of a path, where the project defines it."""
        *steps, name = path.split(".")
        for step in steps:
            owner = self._through(owner, step)
        thing = self.object(owner) if owner else None
        if thing is None:
            return None
        name = self.bare(name)
        found = thing.fields.get(name.lower())
        if found is None and thing.name.lower() in ACTIVITIES:
            activity = self.objects.get("activity")
            found = activity.fields.get(name.lower()) if activity else None
        return found

    def missing(self, rule: str, kind: str, name: str) -> Missing | None:
        """Judge the name of a component of this type (of ``names``)."""
        name = self.bare(name)
        known = self.names.get(kind, {})
        foreign = any(self.foreign(part) for part in name.split("."))
        if not name or name.lower() in known or foreign:
            return None
        said = f"there is no {_SPOKEN.get(kind, kind)} {name}"
        level = Level.NOTE if self.depends or not known else None
        meant = self.words(kind).nearest(name)
        return Missing(rule, name, said + meant, level, "" if meant else kind)

    def _missing_step(self, owner: str, step: str) -> Missing | None:
        if not step.lower().endswith("__r"):
            thing = self.object(owner)
            ours = thing is not None and thing.whole
            if ours and step.lower() not in CUSTOM_RELATIONSHIPS:
                said = f"{owner} has no relationship {step}"
                meant = f"{step}__c".lower() in (thing.fields if thing else ())
                said += f"; did you mean {step}__r?" if meant else ""
                return Missing("reference/relationship", f"{owner}.{step}", said)
            return None
        missing = self._missing_last(owner, f"{step[:-1]}c")
        if missing is None or missing.rule == "reference/object":
            return missing
        said = missing.message.replace(f"{step[:-1]}c", step)
        return Missing(
            "reference/relationship",
            missing.name,
            said,
            missing.level,
            missing.doubtful,
        )

    def _through(self, owner: str, step: str) -> str:
        """Give the object on the other side of a relationship, or ''."""
        step = self.bare(step)
        if step.lower().endswith("__r"):
            one = self.field(owner, f"{step[:-1]}c")
            return one.target if one else ""
        if step.lower() == "parent":
            return owner
        return RELATIONSHIPS.get(step.lower(), "")

    def _missing_last(self, owner: str, name: str) -> Missing | None:
        if missing := self.missing_object(owner):
            return missing
        thing = self.object(owner)
        name = _PART.sub("__c", self.bare(name))
        full = f"{self.bare(owner)}.{name}"
        if not name or self.field(owner, name) or self.foreign(name):
            return None
        if thing is not None and name.lower() in thing.unread:
            return None
        if not CUSTOM.search(name):
            return self._missing_standard(owner, thing, name)
        if name.lower().endswith("__pc"):
            return self._missing_last("Contact", f"{name[:-2]}c")
        if thing is None or not (thing.custom or thing.whole):
            return None
        meant = thing.words.nearest(name)
        said = f"{thing.name} has no field {name}{meant}"
        if thing.whole:
            return Missing("reference/field", full, said)
        doubtful = "" if meant else thing.name
        return Missing("reference/field", full, said, Level.WARNING, doubtful)

    def _missing_standard(
        self, owner: str, thing: Object | None, name: str
    ) -> Missing | None:
        """A standard name is only judged where Salesforce's list is known."""
        suffix = CUSTOM.search(owner)
        full = f"{owner}.{name}"
        if suffix is None:
            known = STANDARD_FIELDS.get(owner.lower(), ())
            lower = {other.lower() for other in known}
            # Reports and formulas name a lookup without its Id.
            if name.lower() in lower or f"{name}id".lower() in lower:
                return None
            meant = Words(known).near(name)
            if not meant or abs(len(meant) - len(name)) > 1 or meant[0] != name[0]:
                return None
            # Features bring fields of their own, so that only what looks like a slip
            # of the pen is told.
            said = f"{owner} has no standard field {name}; did you mean {meant}?"
            return Missing("reference/field", full, said, Level.WARNING)
        standard = CUSTOM_OBJECT_FIELDS.get(suffix[1].lower())
        if standard is None or thing is None or not thing.whole:
            return None
        if name.lower() in {other.lower() for other in standard}:
            return None
        all_of_it = [*standard, *(one.name for one in thing.fields.values())]
        said = f"{thing.name} has no field {name}{nearest(name, all_of_it)}"
        return Missing("reference/field", full, said)


_SPOKEN = {
    "CustomLabel": "custom label",
    "CustomPermission": "custom permission",
    "OutboundMessage": "outbound message",
    "EmailAlert": "e-mail alert",
    "RecordType": "record type",
    "CompactLayout": "compact layout",
    "GlobalValueSet": "global value set",
    "MatchingRule": "matching rule",
    "QuickAction": "quick action",
    "PermissionSet": "permission set",
    "CustomTab": "tab",
    "CustomApplication": "app",
    "FlexiPage": "Lightning page",
    "ReportType": "report type",
    "ExternalCredential": "external credential",
    "EmailTemplate": "e-mail template",
    "Apex": "Apex class or page",
    "Flow": "flow",
    "Report": "report",
}
