"""An upgrade brings what is new, and leaves what the customer made of the old."""

from dataclasses import replace

import pytest

from sidecar.package import canonical

LEAD = "core/main/default/objects/Lead/fields"
GVS = "globalValueSets/Referral_Source.globalValueSet"
MD = "http://soap.sforce.com/2006/04/metadata"


@pytest.fixture
def newer(customer):
    """Give the service a newer package: a new field, another help text, a new value."""

    def become():
        bundle = customer.wiring.bundle
        tree = dict(bundle.tree)
        code = f"{LEAD}/Referral_Code__c.field-meta.xml"
        tree[f"{LEAD}/Referral_Batch__c.field-meta.xml"] = (
            f'<CustomField xmlns="{MD}"><fullName>Referral_Batch__c</fullName>'
            "<description>New</description><label>Referral Batch</label>"
            "<length>40</length><type>Text</type></CustomField>"
        ).encode()
        assert b"<label>Referral Code</label>" in tree[code]
        tree[code] = tree[code].replace(
            b"<label>Referral Code</label>", b"<label>Code of Referral</label>"
        )
        sources = (
            "core/main/default/globalValueSets/Referral_Source.globalValueSet-meta.xml"
        )
        tree[sources] = tree[sources].replace(
            b"<masterLabel>",
            b"<customValue><fullName>Podcast</fullName><default>false</default>"
            b"<label>Podcast</label></customValue><masterLabel>",
            1,
        )
        customer.wiring.__dict__["bundle"] = replace(bundle, tree=tree, version="2")

    return become


def source_values(customer):
    return customer.retrieve(GlobalValueSet=["Referral_Source"])[GVS]


def test_an_upgrade_brings_only_what_is_new(customer, newer):
    customer.install(self_test=False)
    newer()

    row = customer.install(self_test=False)

    changed = {
        each["full_name"]
        for each in row.plan["entries"]
        if each["action"] in {"add", "patch"}
    }
    assert changed == {
        "Lead.Referral_Batch__c",
        "Lead.Referral_Code__c",
        "Referral_Source",
    }
    assert "deployed" in row.evidence
    assert customer.install(self_test=False).plan["counts"]["patch"] == 0


def test_what_the_customer_changed_meanwhile_stays(customer, newer):
    customer.install(self_test=False)
    theirs = source_values(customer).replace(
        b"<label>Partner</label>", b"<label>Ally</label>"
    )
    assert b"Ally" in theirs
    customer.deploy(
        {
            GVS: theirs,
            "package.xml": (
                f'<Package xmlns="{MD}"><types><members>Referral_Source</members>'
                "<name>GlobalValueSet</name></types><version>62.0</version></Package>"
            ).encode(),
        }
    )
    newer()

    customer.install(self_test=False, yes=True)

    after = source_values(customer)
    assert b"<label>Ally</label>" in after
    assert b"Podcast" in after


def test_a_rolled_back_upgrade_is_the_version_before(customer, newer):
    customer.install(self_test=False)
    before = customer.retrieve(CustomObject=["Lead"], GlobalValueSet=["*"])
    newer()
    customer.install(self_test=False)

    row = customer.run(customer.ask("rollback", yes=True))

    assert (row.state, row.error) == ("done", None)
    after = customer.retrieve(CustomObject=["Lead"], GlobalValueSet=["*"])
    assert canonical.differing(before, after) == []
    state = customer.state()
    assert (list(state.modules), state.version != "2") == (["core"], True)


def test_an_uninstall_after_an_upgrade_goes_back_to_before_the_first_install(
    customer, newer
):
    before = customer.retrieve(CustomObject=["Lead"], Layout=["Lead-Lead Layout"])
    customer.install(self_test=False)
    newer()
    customer.install(self_test=False)

    row = customer.run(customer.ask("uninstall", yes=True))

    assert (row.state, row.error) == ("done", None)
    after = customer.retrieve(CustomObject=["Lead"], Layout=["Lead-Lead Layout"])
    assert canonical.differing(before, after) == []
