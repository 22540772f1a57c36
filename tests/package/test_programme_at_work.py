"""A referral programme in an org that runs ``core`` and ``programme``."""

import pytest
from package_files import tree
from working_org import Refused, WorkingOrg

PROGRAMME = tree("programme")


@pytest.fixture(scope="module")
def org(tmp_path_factory):
    folder = tmp_path_factory.mktemp("org")
    with WorkingOrg.running(folder, tree("core"), PROGRAMME) as found:
        found.assign("Referral_User")
        found.assign("Referral_Programme_Manager")
        yield found


@pytest.fixture
def mira(org):
    """A referrer who stands for a contact and its account."""
    account = org.create("Account", Name="Example Ltd")
    contact = org.create(
        "Contact", FirstName="Mira", LastName="Sample", AccountId=account
    )
    made = org.create(
        "Referrer__c", Name="Mira Sample", Contact__c=contact, Account__c=account
    )
    return {"Referrer__c": made, "Contact": contact, "Account": account}


def referral(org, **more):
    values = {"LastName": "Sample", "Company": "Example Ltd"}
    return org.create("Lead", **values, Referral_Status__c="Submitted", **more)


def reward(org, mira, **more):
    values = {"Referrer__c": mira["Referrer__c"], "Amount__c": 100} | more
    return org.create("Referral_Reward__c", **values)


def made_and_won(org, mira):
    found = []
    for sobject, record_id in mira.items():
        record = org.read(sobject, record_id)
        found.append((record["Referrals_Made__c"], record["Referrals_Won__c"]))
    return found


# --- totals -------------------------------------------------------------------------


def test_totals_follow_the_referrals_of_a_referrer_up_and_down(org, mira):
    first = referral(org, Referrer__c=mira["Referrer__c"])
    referral(org, Referrer__c=mira["Referrer__c"])
    assert made_and_won(org, mira) == [(2, 0)] * 3
    assert org.read("Contact", mira["Contact"])["Last_Referral_On__c"]

    jon = org.create("Referrer__c", Name="Jon Sample", Account__c=mira["Account"])
    org.update("Lead", first, Referrer__c=jon)
    assert org.read("Referrer__c", jon)["Referrals_Made__c"] == 1
    # the account has both of them
    assert made_and_won(org, mira) == [(1, 0), (1, 0), (2, 0)]


def test_a_won_deal_counts_and_one_that_is_opened_again_does_not(org, mira):
    deal = org.create(
        "Opportunity",
        Name="A deal",
        StageName="Prospecting",
        CloseDate="2030-01-01",
        Referral_Status__c="Submitted",
        Referrer__c=mira["Referrer__c"],
    )
    org.update("Opportunity", deal, StageName="Closed Won")
    assert made_and_won(org, mira) == [(0, 1)] * 3
    org.update("Opportunity", deal, StageName="Prospecting")
    assert made_and_won(org, mira) == [(0, 0)] * 3


def test_what_a_contact_refers_is_credited_to_the_referrer_who_stands_for_them(
    org, mira
):
    lead = org.read("Lead", referral(org, Referring_Contact__c=mira["Contact"]))
    assert lead["Referrer__c"] == mira["Referrer__c"]
    assert lead["Referrer_Name__c"] == "Mira Sample"

    stranger = org.create("Contact", FirstName="Jon", LastName="Sample")
    lead = org.read("Lead", referral(org, Referring_Contact__c=stranger))
    assert (lead["Referrer__c"], lead["Referrer_Name__c"]) == (None, "Jon Sample")


# --- touchpoints --------------------------------------------------------------------


def test_the_credits_of_one_referral_add_up_to_at_most_a_hundred(org, mira):
    lead = referral(org, Referrer__c=mira["Referrer__c"])

    def credit(percent, **more):
        values = {"Referrer__c": mira["Referrer__c"], "Credit_Percent__c": percent}
        return org.create("Referral_Touchpoint__c", **(values | more))

    first = credit(60, Lead__c=lead)
    # another record of the same referral
    credit(40, Referral_Key__c=lead)
    for percent in (1, 0.01):
        with pytest.raises(Refused, match="at most 100 percent"):
            credit(percent, Lead__c=lead)
    with pytest.raises(Refused, match="at most 100 percent"):
        org.update("Referral_Touchpoint__c", first, Credit_Percent__c=61)
    org.update("Referral_Touchpoint__c", first, Credit_Percent__c=50)
    credit(10, Lead__c=lead)
    # another referral has credits of its own
    credit(100, Referral_Key__c="another")
    with pytest.raises(Refused, match="which referral"):
        credit(1)
    for percent in (-1, 101):
        with pytest.raises(Refused, match="between 0 and 100"):
            credit(percent, Referral_Key__c="a third")


def test_a_touchpoint_knows_its_referral_and_its_time(org, mira):
    lead = referral(org, Referrer__c=mira["Referrer__c"])
    touchpoint = org.read(
        "Referral_Touchpoint__c",
        org.create(
            "Referral_Touchpoint__c", Referrer__c=mira["Referrer__c"], Lead__c=lead
        ),
    )

    assert touchpoint["Referral_Key__c"] == lead
    assert touchpoint["At__c"]


# --- rewards ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ([], {"Status__c": "Paid"}),
        (["Approved"], {"Status__c": "Pending"}),
        (["Approved", "Paid"], {"Status__c": "Approved"}),
        (["Approved", "Paid"], {"Amount__c": 1}),
        (["Approved", "Paid"], {"Status__c": "Reversed"}),  # without a reason
    ],
)
def test_a_reward_goes_its_way_and_no_other(org, mira, steps, refused):
    made = reward(org, mira)
    for step in steps:
        org.update("Referral_Reward__c", made, Status__c=step)

    with pytest.raises(Refused):
        org.update("Referral_Reward__c", made, **refused)


@pytest.mark.parametrize("steps", [[], ["Approved"], ["Approved", "Paid"]])
def test_a_reward_is_reversed_from_anywhere_with_a_reason_and_for_good(
    org, mira, steps
):
    made = reward(org, mira)
    for step in steps:
        org.update("Referral_Reward__c", made, Status__c=step)
    why = {"Status__c": "Reversed", "Reversal_Reason__c": "The customer withdrew."}
    org.update("Referral_Reward__c", made, **why)

    with pytest.raises(Refused):
        org.update("Referral_Reward__c", made, Status__c="Approved")


def test_a_reward_is_not_paid_while_it_is_on_hold(org, mira):
    made = reward(org, mira, Hold_Until__c="2999-01-01")
    org.update("Referral_Reward__c", made, Status__c="Approved")

    with pytest.raises(Refused, match="on hold"):
        org.update("Referral_Reward__c", made, Status__c="Paid")
    org.update("Referral_Reward__c", made, Hold_Until__c="2020-01-01")
    org.update("Referral_Reward__c", made, Status__c="Paid")


@pytest.mark.parametrize("start", [{"Amount__c": 0}, {"Status__c": "Approved"}])
def test_a_reward_begins_as_pending_and_is_worth_something(org, mira, start):
    with pytest.raises(Refused):
        reward(org, mira, **start)


def test_the_referrer_shows_what_is_paid_and_what_is_open(org, mira):
    paid = reward(org, mira, Amount__c=70)
    reward(org, mira, Amount__c=20)
    gone = reward(org, mira, Amount__c=5)
    for step in ("Approved", "Paid"):
        org.update("Referral_Reward__c", paid, Status__c=step)
    org.update(
        "Referral_Reward__c", gone, Status__c="Reversed", Reversal_Reason__c="Twice"
    )

    found = org.read("Referrer__c", mira["Referrer__c"])
    assert (found["Rewards_Paid__c"], found["Rewards_Open__c"]) == (70, 20)


# --- goals --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"Ends_On__c": "2026-03-31"},
        {"Target__c": 0},
        {"Metric__c": "Conversion rate", "Target__c": 101},
    ],
)
def test_a_goal_can_be_reached(org, wrong):
    goal = {"Name": "Spring", "Metric__c": "Referrals won", "Target__c": 30}
    goal |= {"Starts_On__c": "2026-04-01", "Ends_On__c": "2026-06-30"}
    assert org.create("Referral_Goal__c", **goal)

    with pytest.raises(Refused):
        org.create("Referral_Goal__c", **(goal | wrong))
