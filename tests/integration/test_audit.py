"""The audit trail: nobody takes back what was done, and nobody adds what was not."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from sidecar.store import audit
from sidecar.store.tables import audit as table
from sidecar.wiring import Wiring


def _note(wiring: Wiring, number: int = 1, **details: object) -> None:
    with wiring.engine.begin() as db:
        audit.note(
            db,
            who="ada (command line)",
            what="events.replay",
            about=f"event {number}",
            details=details,
            now=wiring.now(),
        )


def _broken(wiring: Wiring) -> list[int]:
    with wiring.engine.connect() as db:
        return [entry.id for entry in audit.broken(db)]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
        st.one_of(
            st.integers(-(2**53), 2**53), st.booleans(), st.lists(st.integers(0, 9))
        ),
        max_size=4,
    )
)
def test_a_trail_left_alone_is_whole(
    wiring: Wiring, details: dict[str, object]
) -> None:
    _note(wiring, given=details)

    assert _broken(wiring) == []


def test_many_at_once_make_one_chain(wiring: Wiring) -> None:
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda number: _note(wiring, number), range(40)))

    assert _broken(wiring) == []


@pytest.mark.parametrize("change", [update(table).values(who="eve"), delete(table)])
def test_the_database_refuses_changes(wiring: Wiring, change: object) -> None:
    _note(wiring)

    with pytest.raises(DBAPIError, match="append-only"), wiring.engine.begin() as db:
        db.execute(change)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("tampering", "at"),
    [
        ("UPDATE audit SET who = 'eve' WHERE id = 2", 2),
        ("UPDATE audit SET details = '{\"a\": 1}' WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 2", 3),
        (
            "INSERT INTO audit (at, who, what, about, details, hash) "
            "VALUES (now(), 'eve', 'x', '', '{}', 'made up')",
            4,
        ),
    ],
)
def test_who_gets_past_the_database_breaks_the_chain(
    wiring: Wiring, tampering: str, at: int
) -> None:
    for number in range(3):
        _note(wiring, number)
    with wiring.engine.begin() as db:
        db.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        db.execute(text(tampering))

    assert at in _broken(wiring)
