"""Twenty customers, each with an org of their own making: in, proven, newer, and out."""

from dataclasses import replace

import pytest
from customer_orgs import make

from sidecar.package import canonical

EVERYTHING = {
    # Not Campaign: the API deletes no record type, the report names it instead.
    "CustomObject": ["Lead", "Contact", "Opportunity", "Account"],
    "GlobalValueSet": ["*"],
    "Layout": ["Lead-Lead Layout", "Contact-Contact Layout"],
    "LeadConvertSettings": ["*"],
    "PermissionSet": ["*"],
    "Workflow": ["*"],
}
SEEDS = [
    pytest.param(seed, marks=[] if seed < 2 else [pytest.mark.slow])
    for seed in range(20)
]


def theirs(customer):
    """All that the customer has; value sets of ours stay for 15 days after us."""
    files = customer.retrieve(**EVERYTHING)
    return {
        path: text
        for path, text in files.items()
        if not path.startswith("globalValueSets/Referral_")
    }


def newer(bundle):
    """A later release: one label differs."""
    path = "core/main/default/objects/Lead/fields/Referral_Code__c.field-meta.xml"
    text = bundle.tree[path].replace(b"<label>Referral Code<", b"<label>Their Code<")
    return replace(bundle, tree={**bundle.tree, path: text}, version="2")


@pytest.mark.parametrize("seed", SEEDS)
def test_an_org_of_a_customer_is_the_customer_s_again_afterwards(customer, seed):
    layout = customer.retrieve(Layout=["Lead-Lead Layout"])
    made = make(seed, admin=customer.org.admin, layout=next(iter(layout.values())))
    customer.back_door("POST", "/features", body=made.switches)
    customer.deploy(made.archive)
    before = theirs(customer)
    modules = [("programme",), ()][seed % 2]

    installed = customer.install(modules=modules, yes=True)
    assert installed.evidence["self_test"]["passed"]
    assert all(installed.evidence["flows"].values())
    assert customer.install(self_test=False, yes=True).plan["counts"]["patch"] == 0

    bundle = customer.wiring.bundle
    customer.wiring.__dict__["bundle"] = newer(bundle)
    upgraded = customer.install(self_test=False, yes=True)
    patched = [
        e["full_name"] for e in upgraded.plan["entries"] if e["action"] == "patch"
    ]
    assert patched == ["Lead.Referral_Code__c"]
    back = customer.run(customer.ask("rollback", yes=True))
    assert (back.state, back.error) == ("done", None)
    customer.wiring.__dict__["bundle"] = bundle

    gone = customer.run(customer.ask("uninstall", yes=True))
    assert (gone.state, gone.error) == ("done", None)
    assert gone.evidence["left"] == []
    assert canonical.differing(before, theirs(customer)) == []
