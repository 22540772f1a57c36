"""Everything kept of one referral, and forgetting it."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, or_

from sidecar.store.tables import event, follow_up, referral


def forget(
    db: Connection, org_id: str, *, referral_key: str, record_ids: Collection[str]
) -> int:
    """
    Forget a referral that never was one, as that of a self-test.

    Args:
        record_ids: records it went through; their messages are forgotten too.

    Returns:
        How many rows are gone.
    """
    about = [
        delete(follow_up).where(
            follow_up.c.org_id == org_id, follow_up.c.referral_key == referral_key
        ),
        delete(referral).where(
            referral.c.org_id == org_id,
            or_(
                referral.c.key == referral_key,
                referral.c.record_id.in_(list(record_ids)),
            ),
        ),
        delete(event).where(
            event.c.org_id == org_id, event.c.record_id.in_(list(record_ids))
        ),
    ]
    return sum(db.execute(statement).rowcount for statement in about)
