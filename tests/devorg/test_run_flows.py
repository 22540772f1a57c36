"""Flows with collections, loops, deletions, errors of their own and later parts."""

from datetime import UTC, datetime, timedelta

import pytest
from run_flow import (
    assign_,
    condition,
    create_records,
    custom_error,
    decision,
    delete_records,
    filters,
    flow,
    formula,
    get_records,
    install,
    lead,
    loop,
    ref,
    refused,
    row,
    save,
    schedule,
    scheduled_path,
    start,
    string,
    true,
    update_held,
    update_records,
    value,
    variable,
)

from sidecar.devorg.clock import OrgClock
from sidecar.devorg.founding import ADMIN, AUTOMATED, REPS
from sidecar.devorg.org import Org
from sidecar.devorg.refusal import Refusal

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def org():
    made = Org.fresh(seed=11, clock=OrgClock(speed=0.0, start=MONDAY))
    yield made
    made.stop()


def account(org, name="Acme", **values):
    return save(org, "Account", Name=name, **values)


def contact(org, account_id, last="Ada", **values):
    return save(org, "Contact", LastName=last, AccountId=account_id, **values)


def later(org, **by):
    org.clock.advance(timedelta(**by))
    return org.metadata.flows.timetable.run_due()


# ---- collections


OF_ACCOUNT = ("AccountId", "EqualTo", ref("$Record.AccountId"))


def test_a_loop_adds_up_what_related_records_hold(org):
    sum_ = variable("Sum", "Number", start=value("numberValue", "0"))
    others = get_records("Deals", "Opportunity", OF_ACCOUNT, target="Each")
    each = loop("Each", "Deals", "Add", "Write")
    add = assign_("Add", ("Sum", "Add", ref("Each.Amount")), target="Each")
    write = update_records(
        "Write",
        "Account",
        [("Id", "EqualTo", ref("$Record.AccountId"))],
        {"AnnualRevenue": ref("Sum")},
    )
    install(
        org,
        Roll=flow(
            add + each + others + write + sum_,
            start("Deals", object_name="Opportunity"),
        ),
    )
    parent = account(org)
    for amount in (100, 20, 3):
        save(
            org,
            "Opportunity",
            Name="D",
            StageName="Prospecting",
            CloseDate="2026-06-01",
            AccountId=parent,
            Amount=amount,
        )
    assert row(org, parent)["AnnualRevenue"] == 123


def test_changed_records_are_collected_and_updated_together(org):
    changed = variable("Changed", "SObject", collection=True, object_name="Contact")
    people = get_records(
        "People", "Contact", ("AccountId", "EqualTo", ref("$Record.Id")), target="Each"
    )
    each = loop("Each", "People", "Set", "Write", order="Desc")
    set_ = assign_(
        "Set",
        ("Each.Department", "Assign", ref("$Record.Industry")),
        ("Changed", "Add", ref("Each")),
        target="Each",
    )
    write = update_held("Write", "Changed")
    install(
        org,
        Spread=flow(
            set_ + each + people + write + changed,
            start("People", object_name="Account", on="Update"),
        ),
    )
    parent = account(org)
    ada, bob = contact(org, parent), contact(org, parent, "Bob")
    save(org, "Account", parent, Industry="Banking")
    assert row(org, ada)["Department"] == row(org, bob)["Department"] == "Banking"


def test_the_record_of_a_loop_is_a_copy(org):
    people = get_records(
        "People", "Contact", ("AccountId", "EqualTo", ref("$Record.Id")), target="Each"
    )
    each = loop("Each", "People", "Set", "Write")
    set_ = assign_("Set", ("Each.Department", "Assign", string("Lost")), target="Each")
    write = update_held("Write", "People")
    install(
        org,
        Spread=flow(
            set_ + each + people + write,
            start("People", object_name="Account", on="Update"),
        ),
    )
    parent = account(org)
    ada = contact(org, parent)
    save(org, "Account", parent, Industry="Banking")
    assert "Department" not in row(org, ada)


def test_a_collection_is_counted_and_told_empty(org):
    count = variable("Count", "Number")
    people = get_records("People", "Contact", OF_ACCOUNT, target="Any")
    any_ = decision("Any", condition("People", "IsNull", true()), "", "Counted")
    counted = assign_(
        "Counted", ("Count", "AssignCount", ref("People")), target="Write"
    )
    write = update_records(
        "Write",
        "Account",
        [("Id", "EqualTo", ref("$Record.AccountId"))],
        {"NumberOfEmployees": ref("Count")},
    )
    install(
        org,
        Count=flow(
            counted + any_ + people + write + count,
            start("People", object_name="Contact"),
        ),
    )
    parent = account(org)
    contact(org, parent)
    contact(org, parent, "Bob")
    assert row(org, parent)["NumberOfEmployees"] == 2
    contact(org, None, "Nobody's")  # finds nothing by a null account but itself


def test_records_are_found_among_a_collection_of_values(org):
    names = variable("Names", "String", collection=True)
    gather = assign_(
        "Gather",
        ("Names", "Add", string("Ada")),
        ("Names", "Add", ref("$Record.LastName")),
        target="Mark",
    )
    mark = update_records(
        "Mark",
        "Contact",
        [("LastName", "In", ref("Names"))],
        {"Title": string("Known")},
    )
    install(
        org,
        Mark=flow(
            gather + mark + names, start("Gather", object_name="Lead", on="Create")
        ),
    )
    ada, bob, eve = (contact(org, None, last) for last in ("Ada", "Bob", "Eve"))
    lead(org, LastName="bob")
    assert [row(org, each).get("Title") for each in (ada, bob, eve)] == [
        "Known",
        "Known",
        None,
    ]


def test_records_are_sorted_and_limited(org):
    sort = "<sortField>LastName</sortField><sortOrder>Desc</sortOrder>"
    limit = "<limit><numberValue>2.0</numberValue></limit>"
    people = get_records(
        "People",
        "Contact",
        ("Title", "IsNull", true()),
        target="Each",
        sort=sort,
        extra=limit,
    )
    text = variable("Text", "String", start=string(""))
    each = loop("Each", "People", "Join", "Write")
    join = assign_("Join", ("Text", "Add", ref("Each.LastName")), target="Each")
    write = update_held("Write", "$Record", {"City": ref("Text")})
    install(
        org,
        Join=flow(join + each + people + write + text, start("People", on="Create")),
    )
    for last in ("B", "C", "A"):
        contact(org, None, last)
    assert row(org, lead(org))["City"] == "CB"


def test_a_field_of_a_record_that_was_not_found_fails_the_flow(org):
    boss = get_records(
        "Boss",
        "User",
        ("Username", "EqualTo", string("x@example.com")),
        first=True,
        target="Write",
    )
    write = update_held("Write", "$Record", {"City": ref("Boss.FirstName")})
    install(org, Look=flow(boss + write, start("Boss", on="Create")))
    with pytest.raises(Refusal) as failed:
        lead(org)
    assert (
        "The flow failed to access the value for Boss.FirstName because it hasn't been "
        "set or assigned." in failed.value.message
    )


def test_what_is_assigned_to_the_record_after_the_save_is_written_by_an_update(org):
    set_ = assign_("Set", ("$Record.City", "Assign", string("Bonn")), target="Write")
    install(
        org, Set=flow(set_ + update_held("Write", "$Record"), start("Set", on="Create"))
    )
    assert row(org, lead(org))["City"] == "Bonn"


def test_what_is_assigned_after_the_save_and_not_written_is_gone(org):
    set_ = assign_("Set", ("$Record.City", "Assign", string("Bonn")))
    install(org, Set=flow(set_, start("Set", on="Create")))
    assert "City" not in row(org, lead(org))


def test_records_are_created_from_variables(org):
    new = variable("New", "SObject", object_name="Task")
    fill = assign_(
        "Fill",
        ("New.Subject", "Assign", string("Call")),
        ("New.WhoId", "Assign", ref("$Record.Id")),
        target="Make",
    )
    make = (
        "<recordCreates><name>Make</name><label>Make</label><locationX>0</locationX>"
        "<locationY>0</locationY><connector><targetReference>Note</targetReference>"
        "</connector><inputReference>New</inputReference></recordCreates>"
    )
    note = update_held("Note", "$Record", {"City": ref("New.Id")})
    install(org, Make=flow(fill + make + note + new, start("Fill", on="Create")))
    made = lead(org)
    (task,) = org.records.table("Task").rows.values()
    assert (task["WhoId"], row(org, made)["City"]) == (made, task["Id"])


# ---- deletions


def test_a_flow_deletes_what_it_finds(org):
    gone = delete_records("Gone", "Task", ("WhoId", "EqualTo", ref("$Record.Id")))
    install(
        org,
        Tidy=flow(
            gone,
            start(
                "Gone",
                on="Update",
                condition=filters(("DoNotCall", "EqualTo", true())),
            ),
        ),
    )
    made = lead(org)
    save(org, "Task", Subject="Call", WhoId=made)
    save(org, "Task", Subject="Other")
    save(org, "Lead", made, DoNotCall=True)
    assert [each["Subject"] for each in org.records.table("Task").rows.values()] == [
        "Other"
    ]


def test_a_flow_runs_before_a_deletion(org):
    note = create_records("Note", "Task", {"Subject": ref("$Record.LastName")})
    install(
        org, Note=flow(note, start("Note", on="Delete", trigger="RecordBeforeDelete"))
    )
    made = lead(org, LastName="Ada")
    with org.work():
        org.records.delete(org.access(org.user_named(ADMIN)), "Lead", made)
    (task,) = org.records.table("Task").rows.values()
    assert task["Subject"] == "Ada"


# ---- errors of its own


def test_a_custom_error_refuses_the_save_in_the_flow_s_words(org):
    check = decision(
        "Check", condition("$Record.Company", "EqualTo", string("No")), "Refuse"
    )
    error = custom_error(
        "Refuse", "Not {!$Record.LastName} of {!$Record.Company}.", field="Company"
    )
    install(org, Check=flow(error + check, start("Check", trigger="RecordBeforeSave")))
    with pytest.raises(Refusal) as refusal:
        lead(org, LastName="Ada", Company="No")
    assert (refusal.value.error_code, refusal.value.message, refusal.value.fields) == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Not Ada of No.",
        ["Company"],
    )
    assert org.records.table("Lead").rows == {}


def test_a_custom_error_after_the_save_takes_it_back(org):
    install(org, Check=flow(custom_error("Refuse", "No more."), start("Refuse")))
    with pytest.raises(Refusal) as refusal:
        lead(org)
    assert (refusal.value.message, refusal.value.fields) == ("No more.", [])
    assert org.records.table("Lead").rows == {}


# ---- before the save


def test_a_record_before_the_save_is_closed_and_won_as_its_new_stage_says(org):
    won = decision("Won", condition("$Record.IsWon", "EqualTo", true()), "Set")
    set_ = assign_("Set", ("$Record.NextStep", "Assign", string("Celebrate")))
    install(
        org,
        Won=flow(
            set_ + won,
            start("Won", object_name="Opportunity", trigger="RecordBeforeSave"),
        ),
    )
    deal = save(
        org, "Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-06-01"
    )
    assert "NextStep" not in row(org, deal)
    save(org, "Opportunity", deal, StageName="Closed Won")
    assert row(org, deal)["NextStep"] == "Celebrate"


def test_the_prior_value_and_the_time_are_at_hand_before_the_save(org):
    changed = decision(
        "Changed",
        condition("$Record.Status", "NotEqualTo", ref("$Record__Prior.Status")),
        "Set",
    )
    set_ = assign_(
        "Set",
        ("$Record.EmailBouncedDate", "Assign", ref("Due")),
        ("$Record.City", "Assign", ref("$Record__Prior.Status")),
    )
    due = formula("Due", "DateTime", "{!$Flow.CurrentDateTime} + 1")
    install(
        org,
        Stamp=flow(set_ + changed + due, start("Changed", trigger="RecordBeforeSave")),
    )
    made = lead(org)
    assert row(org, made)["EmailBouncedDate"] == MONDAY + timedelta(days=1)
    assert "City" not in row(org, made)
    save(org, "Lead", made, Status="Working - Contacted")
    assert row(org, made)["City"] == "Open - Not Contacted"


# ---- later


def stalled(**timing):
    where = filters(("Status", "EqualTo", string("Open - Not Contacted")))
    task = create_records(
        "Task", "Task", {"Subject": string("Late"), "WhoId": ref("$Record.Id")}
    )
    return flow(
        task,
        start(
            "",
            condition=where,
            changed_to_meet=True,
            paths=scheduled_path("Later", "Task", **timing),
        ),
    )


def org_saves(org, leads):
    for values in leads:
        org.records.create(org.access(org.user_named(ADMIN)), "Lead", values)


def late(org):
    return [each["WhoId"] for each in org.records.table("Task").rows.values()]


def test_a_scheduled_path_runs_when_its_time_has_come(org):
    install(org, Stalled=stalled(offset=1, unit="Days"))
    made = lead(org)
    assert later(org, hours=23) == 0
    assert late(org) == []
    assert later(org, hours=2) == 1
    assert late(org) == [made]
    assert later(org, days=7) == 0


def test_it_runs_in_the_name_of_who_saved(org):
    install(org, Stalled=stalled(offset=1, unit="Hours"))
    save(org, "Lead", user=REPS[0], LastName="L", Company="C")
    later(org, hours=2)
    (task,) = org.records.table("Task").rows.values()
    assert task["CreatedById"] == org.user_named(REPS[0])


def test_whoever_has_left_is_replaced_by_the_default_workflow_user(org):
    install(org, Stalled=stalled(offset=1, unit="Hours"))
    save(org, "Lead", user=REPS[0], LastName="L", Company="C")
    save(org, "User", org.user_named(REPS[0]), IsActive=False)
    later(org, hours=2)
    assert late(org) == []
    assert "default workflow user" in org.metadata.flows.timetable.failures[0]

    org.metadata.flows.timetable.default_workflow_user = org.user_named(ADMIN)
    save(org, "User", org.user_named(REPS[0]), IsActive=True)
    save(org, "Lead", user=REPS[0], LastName="L", Company="C")
    save(org, "User", org.user_named(REPS[0]), IsActive=False)
    later(org, hours=2)
    (task,) = org.records.table("Task").rows.values()
    assert task["CreatedById"] == org.user_named(ADMIN)


def test_a_path_after_the_commit_is_a_transaction_of_its_own(org):
    note = create_records("Note", "Task", {"Subject": string("x" * 300)})
    at_once = "<scheduledPaths><connector><targetReference>Note</targetReference></connector><pathType>AsyncAfterCommit</pathType></scheduledPaths>"
    install(org, After=flow(note, start("", on="Create", paths=at_once)))
    made = lead(org)
    assert later(org, seconds=1) == 1
    assert row(org, made)["LastName"] == "L"
    assert "STRING_TOO_LONG" in org.metadata.flows.timetable.failures[0]


def test_it_is_dropped_when_the_record_no_longer_meets_the_conditions(org):
    install(org, Stalled=stalled(offset=1, unit="Days"))
    made = lead(org)
    save(org, "Lead", made, Status="Working - Contacted")
    later(org, days=2)
    assert late(org) == []


def test_it_moves_with_the_field_that_it_counts_from(org):
    install(org, Stalled=stalled(offset=-2, unit="Hours", field="EmailBouncedDate"))
    made = lead(org, EmailBouncedDate="2026-03-02T15:00:00Z")
    save(org, "Lead", made, EmailBouncedDate="2026-03-03T15:00:00Z")
    assert later(org, hours=6) == 0
    assert later(org, days=1) == 1


def test_a_save_that_is_taken_back_plans_nothing(org):
    install(org, Stalled=stalled(offset=1, unit="Days"))
    both = [{"LastName": "L", "Company": "C"}, {"LastName": "No company"}]
    with pytest.raises(Refusal), org.work():
        org_saves(org, both)
    assert org.metadata.flows.timetable.next_due() is None


def test_a_schedule_runs_a_flow_for_each_record_that_meets_its_conditions(org):
    task = create_records(
        "Task", "Task", {"Subject": string("Sweep"), "WhoId": ref("$Record.Id")}
    )
    where = filters(("Status", "EqualTo", string("Open - Not Contacted")))
    made = lead(org)
    lead(org, Status="Working - Contacted")
    install(
        org,
        Sweep=flow(
            task,
            schedule(
                "Task",
                day="2026-01-01",
                at="06:00:00.000Z",
                object_name="Lead",
                where=where,
            ),
        ),
    )
    assert later(org, hours=20) == 0
    assert later(org, hours=2) == 1
    assert later(org, days=1) == 1
    assert late(org) == [made, made]
    first = next(iter(org.records.table("Task").rows.values()))
    assert first["CreatedById"] == org.user_named(AUTOMATED)


# ---- refused


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (
            flow(loop("L", "Nope", ""), start("L")),
            'L (Loop) - The resource "Nope" doesn\'t exist.',
        ),
        (
            flow(
                delete_records("D", "Task", ("Id", "EqualTo", ref("$Record.Id"))),
                start("D", trigger="RecordBeforeSave"),
            ),
            "D (Delete Records) - The element can't be used in flows with the trigger "
            "type RecordBeforeSave.",
        ),
        (
            flow(custom_error("E", "x" * 256), start("E")),
            "E (Custom Error) - The error message is longer than 255.",
        ),
        (
            flow(custom_error("E", "{!Nope}"), start("E")),
            "E (Custom Error) - Field Nope does not exist. Check spelling.",
        ),
        (
            flow(
                assign_("A", ("$Record.Owner.Name", "Assign", string("x"))), start("A")
            ),
            "A (Assignment) - Field $Record.Owner.Name does not exist. Check spelling.",
        ),
        (
            flow(
                create_records("T", "Task", {"Subject": string("x")}),
                start(
                    "",
                    on="Create",
                    paths=scheduled_path("P", "Nope", offset=1, unit="Days"),
                ),
            ),
            "Start - The connector's target element Nope doesn't exist.",
        ),
        (
            flow(
                create_records("T", "Task", {"Subject": string("x")}),
                start("", paths=scheduled_path("P", "T", offset=1, unit="Days")),
            ),
            "Start - Flows with scheduled paths that run when a record is updated must "
            "have entry conditions and run only when a record is updated to meet them.",
        ),
        (
            flow(
                create_records("T", "Task", {"Subject": string("x")}),
                schedule(
                    "T", day="2026-01-01", at="06:00:00.000Z", frequency="Monthly"
                ),
            ),
            "Start - frequency Monthly: Not available for deploy for this organization",
        ),
        (
            flow(create_records("T", "Task", {"Subject": ref("$Record")}), start("T")),
            "T (Create Records) - $Record is a record; a single value is expected.",
        ),
        (
            flow(
                assign_("A", ("$Record.City", "Assign", ref("F")))
                + formula("F", "String", "{!G}")
                + formula("G", "String", "{!F}"),
                start("A", trigger="RecordBeforeSave"),
            ),
            "F (Formula) - The formula expression is invalid: Formula is referencing "
            "itself.",
        ),
    ],
)
def test_a_flow_that_cannot_run_is_refused_when_it_is_deployed(org, xml, words):
    assert refused(org, xml) == words
