"""Who tells a status first: it brings the follow-ups, and is remembered for it."""

from collections.abc import Set

from sidecar.referral.journey import Seen, Step, Verdict
from sidecar.store.inbox import Event
from sidecar.store.reached import Heard


def first_told(step: Step, seen: Seen, told_before: Set[tuple[str, str]]) -> Step:
    """
    Let a status that we know, and that nobody has told, be reached by who tells it.

    It was read in the org's own records, from which nothing follows; what is to follow
    comes with the message, or with the reconciler's event.
    """
    now_at = step.referral
    if (
        step.verdict is not Verdict.UNCHANGED
        or now_at is None
        or now_at.milestone is None
        or now_at.status != seen.status
        or (seen.key, seen.status or "") in told_before
    ):
        return step
    reason = f"{now_at.milestone} reached, as the org's records had shown"
    return Step(Verdict.REACHED, now_at, reason, at_milestone=now_at)


def heard(event: Event, seen: Seen, step: Step) -> list[Heard]:
    """
    Say that a status has come to our knowledge, so that nobody goes looking for it.

    A message that came too late for its milestone is as good as lost: the reconciler
    makes up for it.
    """
    late = step.verdict in {Verdict.OLDER, Verdict.MOVED_ON}
    if not seen.status or seen.changed_at is None or (late and not seen.recovered):
        return []
    return [
        Heard(
            referral_key=seen.key,
            status=seen.status,
            object_type=seen.object_type,
            record_id=seen.record_id,
            reached_at=seen.changed_at,
            source=event.source,
            event_id=event.id,
        )
    ]
