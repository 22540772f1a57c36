"""Each bad case ends in a clear message, and in an org no worse than before."""

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from sidecar.errors import Permanent
from sidecar.salesforce import metadata
from sidecar.store import answers, audit
from sidecar.store.deployments import Admin

MD = "http://soap.sforce.com/2006/04/metadata"


def give_token(customer, id_, username=None):
    token = customer.token_for(username or customer.org.admin)
    with customer.wiring.engine.begin() as db:
        assert answers.give_admin(
            db,
            id_,
            Admin(customer.org.base_url, token),
            now=customer.wiring.now(),
            keyring=customer.wiring.keyring,
        )


def say_yes(customer, row):
    with customer.wiring.engine.begin() as db:
        return answers.say_yes(
            db, row.id, fingerprint=row.fingerprint, now=customer.wiring.now()
        )


def manifest(**members):
    rows = "".join(
        f"<types>{''.join(f'<members>{m}</members>' for m in names)}"
        f"<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    return f'<Package xmlns="{MD}">{rows}<version>62.0</version></Package>'.encode()


def ours(customer):
    """Permission sets of ours in the org."""
    return customer.rows("SELECT Name FROM PermissionSet WHERE Name LIKE 'Referral%'")


def real_deployments(customer):
    return customer.rows(
        "SELECT Id, Status FROM DeployRequest WHERE CheckOnly = false", tooling=True
    )


def test_a_token_that_expires_mid_deploy_costs_nothing_but_another_token(customer):
    id_ = customer.ask(self_test=False)
    begun = customer.run(id_, until="deploying").async_id
    customer.back_door("DELETE", "/sessions", body={"token": customer.org.admin_token})

    row = customer.run(id_)

    assert (row.state, row.question, row.stage) == ("asking", "token", "deploying")
    assert f"--resume {id_}" in row.error
    assert row.async_id == begun

    give_token(customer, id_)
    row = customer.run(id_)
    assert (row.state, row.error) == ("done", None)
    assert row.evidence["deployed"]["id"] == begun


@pytest.mark.parametrize("stage", ["validate", "deploy"])
def test_an_answer_lost_after_the_org_accepted_is_looked_for(customer, stage):
    id_ = customer.ask(self_test=False)
    customer.run(id_, until=stage)
    customer.befall(
        method="POST", path="deployRequest", after_acting=True, hang_up=True
    )

    row = customer.run(id_)

    assert (row.state, row.error) == ("done", None)
    assert row.evidence["read_back"]["lacking"] == []
    if stage == "deploy":
        assert len(real_deployments(customer)) == 1


def test_a_process_killed_after_the_org_accepted_is_taken_over(customer, monkeypatch):
    """The lease ends, and whoever comes next finds what the dead one began."""

    class Killed(BaseException):
        pass

    real = metadata.start

    def accepted_then_killed(*args, options, **kwargs):
        real(*args, options=options, **kwargs)
        if not options.check_only:
            raise Killed
        return real(*args, options=options, **kwargs)

    id_ = customer.ask(self_test=False)
    customer.run(id_, until="deploy")
    with monkeypatch.context() as patched:
        patched.setattr(metadata, "start", accepted_then_killed)
        with pytest.raises(Killed):
            customer.turn(id_)
    assert customer.turn(id_).state == "sending"

    customer.wiring.now.move(seconds=customer.wiring.settings.lease_seconds + 1)
    row = customer.run(id_)

    assert (row.state, row.error) == ("done", None)
    assert len(real_deployments(customer)) == 1


def test_another_process_goes_on_with_the_same_deployment_of_the_org(customer):
    id_ = customer.ask(self_test=False)
    begun = customer.run(id_, until="deploying").async_id

    row = customer.another_process().run(id_)

    assert (row.state, row.evidence["deployed"]["id"]) == ("done", begun)


def test_a_second_install_of_the_same_org_is_refused_while_one_is_open(customer):
    first = customer.ask()

    with pytest.raises(Permanent, match=f"deployment {first} of this connection"):
        customer.ask()


def test_a_field_of_another_type_blocks_before_anything_changes(customer):
    theirs = (
        f'<CustomObject xmlns="{MD}"><fields><fullName>Referral_Code__c</fullName>'
        "<label>Code</label><type>Checkbox</type><defaultValue>false</defaultValue>"
        "</fields></CustomObject>"
    )
    customer.deploy(
        {
            "objects/Lead.object": theirs.encode(),
            "package.xml": manifest(CustomField=["Lead.Referral_Code__c"]),
        }
    )

    row = customer.run(customer.ask())

    assert row.state == "dead"
    assert "Lead.Referral_Code__c" in row.error
    assert row.error.startswith("nothing was changed")
    assert len(real_deployments(customer)) == 1  # the customer's own
    assert ours(customer) == []


def test_an_org_that_refuses_a_component_is_left_as_it_was(customer, monkeypatch):
    """What the plan cannot foresee, the validation finds; told with file and cause."""
    id_ = customer.ask()
    customer.run(id_, until="validate")
    # The integration user is renamed between the plan and the validation.
    user = customer.org.user_ids[customer.org.integration_user]
    customer.rest("PATCH", f"sobjects/User/{user}", json={"Username": "x@example.com"})

    row = customer.run(id_)

    assert row.state == "dead"
    assert "nothing was changed" in row.error
    refused = row.evidence["failures"][0]
    assert refused["file"].endswith("workflows/Contact.workflow-meta.xml")
    assert refused["line"]
    assert "integration user" in refused["cause"]
    assert ours(customer) == []


def test_a_layout_edited_after_the_plan_makes_another_plan_that_is_shown(customer):
    name = "layouts/Lead-Lead Layout.layout"
    id_ = customer.ask(self_test=False)
    customer.run(id_, until="validate")
    (path, layout), *_ = customer.retrieve(Layout=["Lead-Lead Layout"]).items()
    assert path == name
    edited = layout.replace(
        b"<layoutSections>",
        b"<layoutSections><customLabel>true</customLabel><detailHeading>true"
        b"</detailHeading><editHeading>true</editHeading><label>Theirs</label>"
        b"<layoutColumns/><layoutColumns/><style>TwoColumnsTopToBottom</style>"
        b"</layoutSections><layoutSections>",
        1,
    )
    customer.deploy(
        {name: edited, "package.xml": manifest(Layout=["Lead-Lead Layout"])}
    )

    row = customer.run(id_)

    assert (row.state, row.question) == ("asking", "yes")
    assert row.evidence["replanned"] == [[name]]
    assert any(each["code"] == "stale" for each in row.findings)
    assert ours(customer) == []

    assert say_yes(customer, row)
    row = customer.run(id_)
    assert (row.state, row.error) == ("done", None)
    layout = customer.retrieve(Layout=["Lead-Lead Layout"])[name]
    assert b"<label>Theirs</label>" in layout
    assert b"<field>Referral_Status__c</field>" in layout


def test_flows_that_arrive_inactive_are_activated_and_looked_at(customer):
    customer.back_door("POST", "/features", body={"edition": "Enterprise Edition"})

    row = customer.install()

    assert row.evidence["activated"]
    assert all(row.evidence["flows"].values())


def test_a_permission_that_is_missing_is_told_by_name(customer):
    customer.install(self_test=False)
    (hidden,) = customer.rows(
        "SELECT Id FROM FieldPermissions WHERE Field = 'Lead.Referral_Code__c' "
        "AND Parent.Name = 'Referral_Integration'"
    )
    customer.rest("DELETE", f"sobjects/FieldPermissions/{hidden['Id']}")

    row = customer.run(customer.ask("verify", self_test=False))

    assert row.state == "dead"
    assert "may not see Lead.Referral_Code__c" in row.error
    assert "Referral_Integration" in row.error


def test_a_renamed_picklist_value_stays_renamed_and_the_proof_says_what_it_breaks(
    customer,
):
    customer.install(self_test=False)
    path = "globalValueSets/Referral_Status.globalValueSet"
    theirs = customer.retrieve(GlobalValueSet=["Referral_Status"])[path]
    renamed = theirs.replace(b"Contacted", b"In contact")
    customer.deploy(
        {path: renamed, "package.xml": manifest(GlobalValueSet=["Referral_Status"])}
    )

    again = customer.run(customer.ask(yes=True))

    kept = customer.retrieve(GlobalValueSet=["Referral_Status"])[path]
    assert b"In contact" in kept
    assert again.state == "dead"
    assert "Contacted" in again.error
    assert "not proven" in again.error
    assert customer.rows("SELECT Id FROM Lead") == []


def test_a_cancelled_install_leaves_the_org_as_it_was(customer):
    id_ = customer.ask()
    customer.run(id_, until="compare")
    with customer.wiring.engine.begin() as db:
        assert answers.cancel(db, id_, now=customer.wiring.now())

    row = customer.run(id_)

    assert (row.state, row.error) == ("dead", "cancelled; nothing was changed")
    assert ours(customer) == []


def test_no_admin_no_deployment(customer):
    id_ = customer.ask(admin=None, self_test=False)
    row = customer.run(id_)
    assert (row.state, row.question) == ("asking", "token")

    give_token(customer, id_)
    assert customer.run(id_).state == "done"


def test_an_admin_without_rights_is_told_so_before_anything_changes(customer):
    rep = Admin(customer.org.base_url, customer.token_for(customer.org.reps[0]))

    row = customer.run(customer.ask(admin=rep))

    assert row.state == "dead"
    assert "Modify" in row.error or "INSUFFICIENT_ACCESS" in row.error
    assert ours(customer) == []


def hold(customer, *, held):
    customer.back_door("POST", "/deployments", body={"held": held})


def test_another_deployment_running_in_the_org_is_waited_for(customer):
    id_ = customer.ask(self_test=False)
    customer.run(id_, until="validate")
    hold(customer, held=True)
    customer.run(id_, until="validating")
    row = customer.turn(id_)
    while "queue" not in row.progress["words"]:
        row = customer.turn(id_)
    assert (row.state, row.stage) == ("waiting", "validating")

    hold(customer, held=False)
    assert customer.run(id_).state == "done"


def test_a_deployment_in_the_org_s_queue_is_cancelled_there(customer):
    id_ = customer.ask(self_test=False)
    customer.run(id_, until="deploy")
    hold(customer, held=True)
    customer.run(id_, until="deploying")
    with customer.wiring.engine.begin() as db:
        assert answers.cancel(db, id_, now=customer.wiring.now())
    customer.turn(id_)
    hold(customer, held=False)

    row = customer.run(id_)

    assert (row.state, row.error) == ("dead", "cancelled; nothing was changed")
    assert [each["Status"] for each in real_deployments(customer)] == ["Canceled"]
    assert ours(customer) == []


@pytest.mark.parametrize(
    ("switch", "modules", "words"),
    [
        ({"languages": []}, ("translations",), "Translation Workbench"),
        ({"dynamic_dashboards": 0}, ("analytics",), "run as the logged-in user"),
    ],
)
def test_a_feature_that_is_off_is_told_before_anything_changes(
    customer, switch, modules, words
):
    customer.back_door("POST", "/features", body=switch)

    row = customer.run(customer.ask(modules=modules))

    assert row.state == "dead"
    assert words in row.error
    assert "nothing was changed" in row.error
    assert ours(customer) == []


def test_a_limit_that_is_reached_mid_deploy_is_waited_for(customer):
    id_ = customer.ask(self_test=False)
    customer.run(id_, until="deploying")
    customer.befall(
        method="GET",
        path="deployRequest",
        status=403,
        error_code="REQUEST_LIMIT_EXCEEDED",
    )
    row = customer.turn(id_)
    while row.failures == 0:
        row = customer.turn(id_)
    assert (row.state, row.stage) == ("waiting", "deploying")
    assert row.due_at > customer.wiring.now()

    customer.wiring.now.move(hours=1)
    assert customer.run(id_).state == "done"


def test_another_org_than_the_connection_s_is_never_touched(customer):
    with customer.wiring.engine.begin() as db:
        db.execute(text("UPDATE connection SET org_id = '00D000000000009EAA'"))

    row = customer.run(customer.ask())

    assert row.state == "dead"
    assert customer.org.org_id in row.error
    assert ours(customer) == []


def test_what_was_asked_and_how_it_ended_is_in_the_audit_trail(customer):
    row = customer.run(customer.ask("plan"))

    with customer.wiring.engine.connect() as db:
        entries = audit.listing(db, limit=10)
    assert [(each.what, each.who) for each in reversed(entries)] == [
        ("package.plan", "anna"),
        ("package.plan.ended", "the installer"),
    ]
    assert entries[0].details == {"deployment": row.id, "state": "done"}


def test_the_clock_rings_for_a_deployment_that_nobody_drives(customer):
    id_ = customer.ask("plan")

    assert customer.wiring.sweep() == 1

    queue = Queue("deploy", connection=customer.wiring.redis, serializer=JSONSerializer)
    (job,) = queue.get_jobs()
    assert (job.func_name, job.args) == ("sidecar.worker.deploy", [id_])


def test_what_the_preflight_found_counts_for_half_an_hour(customer):
    id_ = customer.ask("install", self_test=False)
    row = customer.run(id_, until="agree")
    found_at = row.facts["at"]
    customer.wiring.now.move(minutes=31)

    row = customer.run(id_)

    assert row.state == "done"
    assert row.facts["at"] > found_at


def test_paths_come_when_path_is_switched_on(customer):
    customer.back_door("POST", "/features", body={"path": False})
    without = customer.install(self_test=False)
    assert any(each["code"] == "path" for each in without.findings)

    customer.back_door("POST", "/features", body={"path": True})
    row = customer.install(self_test=False)

    added = [e["type"] for e in row.plan["entries"] if e["action"] == "add"]
    assert set(added) == {"PathAssistant"}
