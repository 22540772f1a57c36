"""Whoever wants to hear no more hears no more, whatever Salesforce says."""

import pytest
from programme import HERE, Programme

from sidecar.store import audit, referrer_stops


def post(programme: Programme, path: str, **form: str) -> int:
    """As a mail program posts it: no browser, no origin."""
    return programme.phone.post(path, base_url=HERE, data=form).status_code


def tell_salesforce(programme: Programme) -> None:
    programme.wiring.deliver(programme.linked.id, referrer_stops.KIND)


def test_whoever_opens_the_link_nothing_happens(programme: Programme) -> None:
    mira = programme.referrer()
    programme.refer(mira)
    page = programme.phone.get(programme.way_out(programme.mails[0]), base_url=HERE)

    assert page.status_code == 200
    assert "<form" in page.text
    assert "Shall we stop?" in page.text
    tell_salesforce(programme)
    assert programme.record(mira)["Keep_Informed__c"] is True


def test_one_click_ends_it_here_and_in_salesforce(programme: Programme) -> None:
    mira = programme.referrer()
    lead = programme.refer(mira)
    path = programme.way_out(programme.mails[0])
    for _ in range(2):
        assert post(programme, path, **{"List-Unsubscribe": "One-Click"}) == 200
    programme.hear(lead, "Qualified")
    assert len(programme.mails) == 1, "before Salesforce knows of it"

    tell_salesforce(programme)
    record = programme.record(mira)
    assert record["Keep_Informed__c"] is False
    user = programme.org.user_ids[programme.org.integration_user]
    assert record["LastModifiedById"] == user
    with programme.wiring.engine.connect() as db:
        assert not referrer_stops.holding(db, programme.linked.id, [mira])
        noted = [
            e for e in audit.listing(db, limit=9) if e.what == "referrer.fall_silent"
        ]
    assert [mira in entry.who for entry in noted] == [True], "asked twice, noted once"

    programme.change("Referrer__c", mira, Keep_Informed__c=True)
    programme.wiring.now.move(days=2)
    programme.hear(lead, "Won")
    assert len(programme.mails) == 2, "who asks again hears again"


@pytest.mark.parametrize("fault", [{"status": 503}, {"hang_up": True}])
def test_with_salesforce_away_it_holds_and_is_told_later(
    programme: Programme, fault: dict[str, object]
) -> None:
    mira = programme.referrer()
    lead = programme.refer(mira)
    programme.backdoor("POST", "faults", path="composite", **fault)
    assert post(programme, programme.way_out(programme.mails[0])) == 200
    tell_salesforce(programme)
    assert programme.record(mira)["Keep_Informed__c"] is True

    programme.hear(lead, "Qualified")
    assert len(programme.mails) == 1
    programme.wiring.now.move(hours=1)
    tell_salesforce(programme)
    assert programme.record(mira)["Keep_Informed__c"] is False


def test_the_sweep_rings_for_what_salesforce_is_to_be_told(
    programme: Programme,
) -> None:
    with programme.wiring.engine.begin() as db:
        id_ = programme.linked.id
        referrer_stops.ask(db, id_, "a00000000000001AAA", now=programme.wiring.now())

    assert programme.wiring.sweep() >= 1
    with programme.wiring.engine.connect() as db:
        assert referrer_stops.due(db, now=programme.wiring.now()) == [id_]
