"""A lead becomes an account, a contact and an opportunity, by SOAP alone."""

import pytest
from meta_package import NS, assign, deployed, field, grants, object_file, package
from run_flow import (
    assign_,
    condition,
    custom_error,
    decision,
    flow,
    install,
    lead,
    row,
    save,
    start,
    string,
    true,
)
from run_served import Client

from sidecar.devorg.conversion.convert import LeadConvert, convert
from sidecar.devorg.founding import ADMIN, INTEGRATION, REPS
from sidecar.devorg.org import Org
from sidecar.devorg.refusal import Refusal

CONVERTED = "Closed - Converted"


@pytest.fixture
def org():
    made = Org.fresh(seed=17)
    yield made
    made.stop()


def turned(org, lead_id, *, user=ADMIN, status=CONVERTED, **asked):
    access = org.access(org.user_named(user))
    with org.work():
        return convert(org, access, LeadConvert(lead_id, status, **asked))


def refusal(org, lead_id, **asked):
    with pytest.raises(Refusal) as refused:
        turned(org, lead_id, **asked)
    return refused.value.error_code, refused.value.message


PERSON = {
    "FirstName": "Ada",
    "LastName": "Example",
    "Company": "Example GmbH",
    "Email": "ada@example.com",
    "Phone": "+49 30 1",
    "MobilePhone": "+49 30 2",
    "Title": "Director",
    "City": "Berlin",
    "LeadSource": "Web",
    "Industry": "Banking",
    "NumberOfEmployees": 12,
    "Description": "Long story",
    "HasOptedOutOfEmail": True,
}


def test_the_values_of_the_lead_arrive(org):
    made = turned(org, lead(org, **PERSON), opportunity_name="A deal")
    account, contact = row(org, made.account_id), row(org, made.contact_id)
    deal = row(org, made.opportunity_id)

    assert (account["Name"], account["BillingCity"], account["AccountSource"]) == (
        "Example GmbH",
        "Berlin",
        "Web",
    )
    assert (account["Industry"], account["NumberOfEmployees"]) == ("Banking", 12)
    assert (contact["Name"], contact["Email"], contact["MailingCity"]) == (
        "Ada Example",
        "ada@example.com",
        "Berlin",
    )
    assert contact["HasOptedOutOfEmail"] is True
    assert contact["AccountId"] == deal["AccountId"] == made.account_id
    assert (deal["Name"], deal["StageName"], deal["LeadSource"]) == (
        "A deal",
        "Prospecting",
        "Web",
    )
    assert deal["CloseDate"] >= org.clock.now().date()
    (role,) = org.records.table("OpportunityContactRole").rows.values()
    assert (role["ContactId"], role["IsPrimary"]) == (made.contact_id, True)


def test_the_lead_says_what_it_has_become(org):
    lead_id = lead(org, OwnerId=org.user_named(REPS[0]))
    made = turned(org, lead_id)
    after = row(org, lead_id)

    assert (after["IsConverted"], after["Status"]) == (True, CONVERTED)
    assert after["ConvertedDate"] == org.clock.now().date()
    assert (
        after["ConvertedAccountId"],
        after["ConvertedContactId"],
        after["ConvertedOpportunityId"],
    ) == (made.account_id, made.contact_id, made.opportunity_id)
    assert row(org, made.opportunity_id)["OwnerId"] == org.user_named(REPS[0])
    assert row(org, made.opportunity_id)["Name"] == "C"


def test_without_an_opportunity_there_is_none(org):
    made = turned(org, lead(org), do_not_create_opportunity=True)
    assert made.opportunity_id is None
    assert org.records.table("Opportunity").rows == {}


def test_a_converted_lead_is_read_only_and_nothing_can_be_hung_on_it(org):
    lead_id = lead(org)
    turned(org, lead_id)
    for doing in (
        lambda: save(org, "Lead", lead_id, City="Bonn"),
        lambda: save(org, "Task", Subject="Call", WhoId=lead_id),
        lambda: turned(org, lead_id),
    ):
        with pytest.raises(Refusal) as refused:
            doing()
        assert (refused.value.error_code, refused.value.message) == (
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "cannot reference converted lead",
        )


def test_activities_and_campaigns_go_along(org):
    lead_id = lead(org)
    task = save(org, "Task", Subject="Call", WhoId=lead_id)
    campaign = save(org, "Campaign", Name="Friends")
    member = save(org, "CampaignMember", CampaignId=campaign, LeadId=lead_id)
    made = turned(org, lead_id)

    assert (row(org, task)["WhoId"], row(org, task)["WhatId"]) == (
        made.contact_id,
        made.opportunity_id,
    )
    assert row(org, member)["ContactId"] == made.contact_id
    assert row(org, made.opportunity_id)["CampaignId"] == campaign


def test_what_an_existing_record_has_stays(org):
    account = save(org, "Account", Name="Old", Phone="1")
    contact = save(
        org, "Contact", LastName="Kept", AccountId=account, LeadSource="Other"
    )
    lead_id = lead(org, **PERSON)
    made = turned(org, lead_id, account_id=account, contact_id=contact)

    assert (made.account_id, made.contact_id) == (account, contact)
    assert (row(org, account)["Name"], row(org, account)["Phone"]) == ("Old", "1")
    assert row(org, account)["BillingCity"] == "Berlin"
    assert row(org, contact)["LastName"] == "Kept"
    assert row(org, contact)["Email"] == "ada@example.com"
    assert row(org, contact)["LeadSource"] == "Other"


def test_the_source_is_overwritten_when_asked(org):
    account = save(org, "Account", Name="Old")
    contact = save(org, "Contact", LastName="K", AccountId=account, LeadSource="Other")
    turned(
        org,
        lead(org, **PERSON),
        account_id=account,
        contact_id=contact,
        overwrite_lead_source=True,
    )
    assert row(org, contact)["LeadSource"] == "Web"


# ---- the customer's own fields and rules


def text(name):
    return field(
        name, f"<label>{name[:-3]}</label><length>40</length><type>Text</type>"
    )


def mapped(*targets):
    return "".join(
        "<objectMapping><inputObject>Lead</inputObject><mappingFields>"
        "<inputField>Key__c</inputField><outputField>Key__c</outputField></mappingFields>"
        f"<outputObject>{target}</outputObject></objectMapping>"
        for target in targets
    )


def with_mapping(org):
    objects = ("Lead", "Contact", "Opportunity")
    files = {f"objects/{name}.object": object_file(text("Key__c")) for name in objects}
    files["permissionsets/Set.permissionset"] = grants(["Lead.Key__c"])
    files["LeadConvertSettings/LeadConvertSettings.LeadConvertSetting"] = (
        f"<LeadConvertSettings {NS}><allowOwnerChange>true</allowOwnerChange>"
        f"{mapped('Contact', 'Opportunity')}</LeadConvertSettings>"
    )
    deployed(
        org,
        package(
            files,
            {
                "CustomField": [f"{name}.Key__c" for name in objects],
                "PermissionSet": ["Set"],
                "LeadConvertSettings": ["LeadConvertSettings"],
            },
        ),
    )
    assign(org, ADMIN)


def test_mapped_fields_arrive_although_nobody_may_see_them_there(org):
    with_mapping(org)
    made = turned(org, lead(org, Key__c="K-1"))
    assert row(org, made.contact_id)["Key__c"] == "K-1"
    assert row(org, made.opportunity_id)["Key__c"] == "K-1"
    assert "Key__c" not in row(org, made.account_id)


def rule(object_name, condition_, message):
    return package(
        {
            f"objects/{object_name}.object": object_file(
                "<validationRules><fullName>Rule</fullName><active>true</active>"
                f"<errorConditionFormula>{condition_}</errorConditionFormula>"
                f"<errorMessage>{message}</errorMessage></validationRules>"
            )
        },
        {"ValidationRule": [f"{object_name}.Rule"]},
    )


@pytest.mark.parametrize("name", ["Account", "Contact", "Opportunity"])
def test_a_rule_of_a_new_record_keeps_the_lead_as_it_was(org, name):
    deployed(org, rule(name, "ISNEW()", "Not now."))
    lead_id = lead(org)
    assert refusal(org, lead_id) == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        f"Validation error on {name}: Not now.",
    )
    assert row(org, lead_id)["IsConverted"] is False
    assert org.records.table("Account").rows == {}


def test_flows_run_for_what_is_made_and_for_the_lead(org):
    set_ = assign_("Set", ("$Record.NextStep", "Assign", string("Greet")))
    deal = flow(
        set_, start("Set", object_name="Opportunity", trigger="RecordBeforeSave")
    )
    check = decision(
        "Check", condition("$Record.IsConverted", "EqualTo", true()), "Refuse"
    )
    refuse = flow(
        check + custom_error("Refuse", "Never."),
        start("Check", condition="", trigger="RecordAfterSave"),
    )
    install(org, Greet=deal)
    made = turned(org, lead(org))
    assert row(org, made.opportunity_id)["NextStep"] == "Greet"
    install(org, Refuse=refuse)
    assert refusal(org, lead(org))[1] == "Never."


# ---- refused


def test_the_status_has_to_be_one_of_conversion(org):
    lead_id = lead(org)
    assert refusal(org, lead_id, status="Working - Contacted") == (
        "INVALID_STATUS",
        "invalid convertedStatus: Working - Contacted",
    )
    assert refusal(org, lead_id, status="")[0] == "REQUIRED_FIELD_MISSING"


def test_a_queue_cannot_own_what_is_made(org):
    queue = next(iter(org.records.table("Group").rows))
    lead_id = lead(org, OwnerId=queue)
    assert "only be owned by users" in refusal(org, lead_id)[1]
    assert turned(org, lead_id, owner_id=org.user_named(REPS[0]))


def test_who_may_not_convert_leads_is_refused(org):
    lead_id = lead(org)
    assert (
        refusal(org, lead_id, user=INTEGRATION)[0] == "INSUFFICIENT_ACCESS_OR_READONLY"
    )
    assert turned(org, lead_id, user=REPS[0])


# ---- over the wire


def asked(lead_id, status=CONVERTED, extra=""):
    return (
        f"<leadConverts><convertedStatus>{status}</convertedStatus>"
        "<doNotCreateOpportunity>false</doNotCreateOpportunity>"
        f"<leadId>{lead_id}</leadId>{extra}"
        "<overwriteLeadSource>false</overwriteLeadSource>"
        "<sendNotificationEmail>false</sendNotificationEmail></leadConverts>"
    )


def order(result):
    return [each.tag.rpartition("}")[2] for each in result]


@pytest.fixture(scope="module")
def client(served):
    return Client(served)


def test_the_answer_is_in_the_order_of_the_wsdl(client):
    statuses = client.query("SELECT ApiName FROM LeadStatus WHERE IsConverted = true")
    good = client.create("Lead", LastName="L", Company="C")
    bad = client.create("Lead", LastName="L", Company="C")
    content = asked(good, statuses[0]["ApiName"]) + asked(bad, "Nope")
    answer = client.soap(f"<convertLead>{content}</convertLead>")

    first, second = answer.findall("{*}result")
    assert order(first) == [
        "accountId",
        "contactId",
        "leadId",
        "opportunityId",
        "success",
    ]
    assert order(second) == [
        "accountId",
        "contactId",
        "errors",
        "leadId",
        "opportunityId",
        "success",
    ]
    assert order(second.find("{*}errors")) == ["message", "statusCode"]
    (found,) = client.query(
        f"SELECT ConvertedContact.LastName, IsConverted FROM Lead WHERE Id = '{good}'"
    )
    assert found["ConvertedContact"]["LastName"] == "L"
    assert client.refused("PATCH", f"sobjects/Lead/{good}", {"City": "Bonn"}) == (
        400,
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "cannot reference converted lead",
    )


def test_all_or_none_takes_back_what_had_succeeded(client):
    good = client.create("Lead", LastName="L", Company="C")
    header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
    answer = client.soap(
        f"<convertLead>{asked(good)}{asked('00Q000000000001')}</convertLead>",
        header=header,
    )
    codes = [each.findtext("{*}errors/{*}statusCode") for each in answer]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_CROSS_REFERENCE_KEY"]
    (found,) = client.query(f"SELECT IsConverted FROM Lead WHERE Id = '{good}'")
    assert found["IsConverted"] is False


def test_more_than_a_hundred_at_once_are_refused(client):
    answer = client.soap(f"<convertLead>{asked('00Q000000000001') * 101}</convertLead>")
    assert answer.findtext("faultcode") == "sf:EXCEEDED_ID_LIMIT"


def test_what_this_org_cannot_do_is_refused_by_its_name(client):
    extra = "<opportunityId>006000000000001</opportunityId>"
    answer = client.soap(
        f"<convertLead>{asked('00Q000000000001', extra=extra)}</convertLead>"
    )
    assert "LeadConvert.opportunityId" in answer.findtext("faultstring")
