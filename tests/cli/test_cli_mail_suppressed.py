"""To whom nothing is sent, from the command line."""

import json

from sidecar.store import audit


def listed(sidecar) -> list[dict]:
    return json.loads(sidecar("mail", "suppressed", "--json").stdout)


def test_an_address_is_suppressed_once_and_released(sidecar, wiring) -> None:
    assert sidecar("mail", "suppress", "rita@example.com").exit_code == 0
    again = sidecar("mail", "suppress", "RITA@example.com ", "--reason", "has left")
    assert "before" in again.output
    (known,) = listed(sidecar)
    assert (known["address"], known["reason"]) == ("rita@example.com", "by hand")

    assert sidecar("mail", "unsuppress", "-", given="Rita@example.com\n").exit_code == 0
    assert listed(sidecar) == []
    assert sidecar("mail", "unsuppress", "rita@example.com").exit_code == 1

    with wiring.engine.connect() as db:
        notes = audit.listing(db, limit=10)
    assert [note.what for note in notes] == ["mail.unsuppress", "mail.suppress"]
    assert "rita" not in str(notes).lower()


def test_what_is_no_address_is_a_misuse(sidecar) -> None:
    for given in ("rita", "@example.com", "rita@", "a\x00b@example.com"):
        result = sidecar("mail", "suppress", given)
        assert result.exit_code == 2
        assert "takes one like" in result.output
