"""Fields of referrals' records, set from texts: each by its declared type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import NamedTuple

from sidecar.errors import Permanent, SidecarError
from sidecar.salesforce.record_updates import RecordUpdates
from sidecar.salesforce.records import CONVERTED, Records
from sidecar.salesforce.refusals import Converted
from sidecar.salesforce.session import Sessions

_KNOWN_FOR = timedelta(minutes=10)
_NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})


class FieldValue(NamedTuple):
    """
    What one field of one record is to hold.

    Attributes:
        text: empty for nothing. ``today`` and ``now`` mean the moment ``at``.
        at: aware, in the org's zone.
    """

    object_type: str
    record_id: str
    name: str
    text: str
    at: datetime


@dataclass
class FieldValues:
    """Writes through ``sessions``; what is known of fields is kept a while."""

    sessions: Sessions
    _types: dict[tuple[int, str], tuple[datetime, Mapping[str, str]]] = field(
        default_factory=dict
    )

    def set_fields(
        self, connection_id: int, values: Sequence[FieldValue]
    ) -> list[str | SidecarError]:
        """
        Set fields; to repeat it changes nothing more.

        A lead that was converted meanwhile stands for its opportunity, or without one
        for its contact.

        Args:
            values: at most 200, each for another record or field.

        Returns:
            For each the id of the record that has it now, or why it was refused.

        Raises:
            Retryable, Permanent: about all of them.
        """
        answers = self._set(connection_id, values)
        late = [i for i, told in enumerate(answers) if isinstance(told, Converted)]
        if not late:
            return answers
        records = Records(self.sessions)
        leads = sorted({values[i].record_id for i in late})
        became = records.read(connection_id, "Lead", leads, CONVERTED)
        moved = {
            i: _moved(values[i], became[values[i].record_id])
            for i in late
            if values[i].record_id in became
        }
        again = self._set(connection_id, list(moved.values()))
        for i, answer in zip(moved, again, strict=True):
            answers[i] = answer
        return answers

    def _set(
        self, connection_id: int, values: Sequence[FieldValue]
    ) -> list[str | SidecarError]:
        """One call for each object and field: one that is not there stops a call."""
        answers: dict[int, str | SidecarError] = {}
        ready: list[tuple[tuple[str, str], int, object]] = []
        for i, value in enumerate(values):
            try:
                ready.append(
                    (
                        (value.object_type, value.name),
                        i,
                        self._typed(connection_id, value),
                    )
                )
            except Permanent as exc:
                answers[i] = exc
        ready.sort(key=lambda item: item[:2])
        for (object_type, name), group in groupby(ready, key=lambda item: item[0]):
            same = list(group)
            changes = [(values[i].record_id, {name: value}) for _, i, value in same]
            told = self._update(connection_id, object_type, changes)
            for (_, i, _value), error in zip(same, told, strict=True):
                answers[i] = error or values[i].record_id
        return [answers[i] for i in range(len(values))]

    def _update(
        self,
        connection_id: int,
        object_type: str,
        changes: Sequence[tuple[str, Mapping[str, object]]],
    ) -> Sequence[SidecarError | None]:
        updates = RecordUpdates(self.sessions)
        try:
            return updates.update(connection_id, object_type, changes)
        except Permanent as exc:
            return [exc] * len(changes)

    def _typed(self, connection_id: int, value: FieldValue) -> object:
        types = self._types_of(connection_id, value.object_type)
        # What describe does not list, Salesforce refuses in its own words.
        type_ = types.get(value.name.lower(), "string")
        try:
            return as_json(value.text, type_, at=value.at)
        except ValueError as exc:
            raise Permanent(f"{value.object_type}.{value.name}: {exc}") from exc

    def _types_of(self, connection_id: int, object_type: str) -> Mapping[str, str]:
        place, now = (connection_id, object_type), self.sessions.now()
        kept = self._types.get(place)
        if kept is None or kept[0] <= now:
            described = self.sessions.call(
                connection_id,
                lambda client: client.restful(f"sobjects/{object_type}/describe"),
            )
            listed: list[dict[str, str]] = (described or {}).get("fields", [])
            types = {one["name"].lower(): one["type"] for one in listed}
            kept = self._types[place] = (now + _KNOWN_FOR, types)
        return kept[1]


def as_json(text: str, type_: str, *, at: datetime) -> object:
    """
    Write a text as JSON has a field of this type.

    Args:
        type_: as describe names it: ``boolean``, ``double``, ``date``.

    Raises:
        ValueError: it is no such value; the text says what one looks like.

    Source:
        "Field Types", Object Reference for the Salesforce Platform.
    """
    text = text.strip()
    if type_ == "boolean":
        if text.lower() not in {"true", "false"}:
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    if not text:
        return None
    if type_ in _NUMBERS:
        return _number(text)
    if type_ == "date":
        return _date(text, at)
    if type_ == "datetime":
        return _moment(text, at)
    return text


def _number(text: str) -> int | float:
    try:
        number = Decimal(text)
    except InvalidOperation as exc:
        raise ValueError(f"{text!r} is no number; write 1250.50") from exc
    if not number.is_finite():
        raise ValueError(f"{text!r} is no number; write 1250.50")
    return int(number) if number == number.to_integral_value() else float(number)


def _date(text: str, at: datetime) -> str:
    if text == "today":
        return at.date().isoformat()
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007
    except ValueError as exc:
        raise ValueError(f"{text!r} is no date; write 2026-12-24 or today") from exc


def _moment(text: str, at: datetime) -> str:
    wrong = f"{text!r} is no moment; write 2026-12-24T09:00:00+01:00 or now"
    try:
        moment = at if text == "now" else datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(wrong) from exc
    if moment.tzinfo is None:
        raise ValueError(wrong)
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _moved(value: FieldValue, lead: Mapping[str, str | None]) -> FieldValue:
    if opportunity := lead["ConvertedOpportunityId"]:
        return value._replace(object_type="Opportunity", record_id=opportunity)
    contact = lead["ConvertedContactId"] or value.record_id
    return value._replace(object_type="Contact", record_id=contact)
