"""Whatever a customer made of an org: installed, upgraded, taken back, taken out."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from made_orgs import later, made

from sidecar.devorg.process import running
from sidecar.package import canonical
from sidecar.package.read import PROJECT
from sidecar.wiring import Wiring

SLOW = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 22)]
MODULES = ["programme", "analytics", "guidance", "translations"]
HELP = "core/main/default/objects/Lead/fields/Referral_Notes__c.field-meta.xml"


def everything(customer):
    """What the org has of all that we touch, and of all that is the customer's."""
    return customer.retrieve(
        CustomObject=["Lead", "Contact", "Opportunity", "Account", "Activity"],
        Layout=["Lead-Lead Layout", "Contact-Contact Layout"],
        LeadConvertSettings=["*"],
        GlobalValueSet=["*"],
        PermissionSet=["*"],
        Flow=["*"],
        Workflow=["*"],
        Report=["*"],
    )


def layouts(customer):
    return (
        customer.retrieve(
            Layout=[
                "Lead-Lead Layout",
                "Contact-Contact Layout",
                "Opportunity-Opportunity Layout",
            ]
        )
        | {}
    )


def only_layouts(files):
    return {path: text for path, text in files.items() if path.startswith("layouts/")}


def newer(bundle):
    """A newer release: one help text is another, and one field is new."""
    tree = dict(bundle.tree)
    old = tree[HELP]
    tree[HELP] = old.replace(b"<inlineHelpText>", b"<inlineHelpText>Newer: ", 1)
    assert tree[HELP] != old
    assert PROJECT in tree
    return replace(bundle, tree=tree, version="99.0")


def without_held(found, expected):
    """Deleted fields hold value sets of ours for 15 days, as in Salesforce."""
    held = "globalValueSets/Referral_"
    return {
        path: text
        for path, text in found.items()
        if path in expected or not path.startswith(held)
    }


def live_in(customer, seed):
    """Let a customer make an org theirs."""
    there = only_layouts(layouts(customer))
    customer.deploy(made(seed, layouts=there, admin=customer.org.admin))


@pytest.fixture
def twin(customer, tmp_path):
    """The same kind of org, which never sees us."""
    with running(tmp_path / "twin") as org:
        settings = replace(customer.wiring.settings, ca_file=Path(str(org.ca_file)))
        yield type(customer)(org, Wiring(settings), customer.connection_id)


@pytest.mark.parametrize("seed", [0, *SLOW])
def test_a_customer_s_org_is_left_as_it_was(customer, twin, seed):
    r = random.Random(f"test {seed}")
    live_in(customer, seed)
    modules = r.sample(MODULES, r.randint(0, len(MODULES)))

    # Install, proven; nothing is left to do.
    first = customer.run(customer.ask(modules=modules, yes=True))
    assert first.state == "done", (first.stage, first.error, first.findings)
    assert first.evidence["self_test"]["passed"], first.evidence["self_test"]
    again = customer.run(customer.ask(modules=modules, yes=True, self_test=False))
    assert "deployed" not in again.evidence

    # The customer lives on; a newer release comes, and is taken back.
    customer.deploy(later(seed, layouts=only_layouts(layouts(customer))))
    lived_in = everything(customer)
    customer.wiring.__dict__["bundle"] = newer(customer.wiring.bundle)
    upgrade = customer.run(customer.ask(modules=modules, yes=True, self_test=False))
    assert upgrade.state == "done", (upgrade.stage, upgrade.error)
    assert upgrade.plan["counts"]["patch"] == 1, upgrade.plan["counts"]
    back = customer.run(customer.ask("rollback", yes=True))
    assert (back.state, back.error) == ("done", None)
    assert canonical.differing(lived_in, everything(customer)) == []

    # Out again: what is left is what an org would be that never saw us.
    out = customer.run(customer.ask("uninstall", yes=True))
    assert (out.state, out.error) == ("done", None), out.plan["steps"]
    assert out.evidence["left"] == []
    live_in(twin, seed)
    twin.deploy(later(seed, layouts=only_layouts(layouts(twin))))
    expected, found = everything(twin), everything(customer)
    assert canonical.differing(expected, without_held(found, expected)) == []
