"""`sidecar package`: what an admin types, and what comes back."""

import json

import pytest
from click.testing import CliRunner

from sidecar.cli import cli
from sidecar.store import deployments


@pytest.fixture
def sidecar(customer, tmp_path):
    """Run the command beside a customer's org; the admin's token is in the environment."""
    settings = customer.wiring.settings
    environ = {
        "SIDECAR_DATABASE_URL": settings.database_url,
        "SIDECAR_REDIS_URL": settings.redis_url,
        "SIDECAR_PUBLIC_URL": settings.public_url,
        "SIDECAR_CA_FILE": str(settings.ca_file),
        "SIDECAR_DEMO": "true",
        "SIDECAR_ADMIN_TOKEN": customer.org.admin_token,
    }
    runner = CliRunner()

    def run(*args, given=None, **more):
        result = runner.invoke(
            cli, ["package", *map(str, args)], input=given, env=environ | more
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_plan_install_status_report_and_rollback(sidecar, customer, tmp_path):
    rep = customer.org.reps[0]

    plan = sidecar("plan", "dev org", "--diff")
    assert plan.exit_code == 0, plan.output
    assert "Referral_Status__c" in plan.output
    assert "<fullName>" in plan.output or "+" in plan.output

    install = sidecar(
        "install", "dev org", "--grant", f"{rep}=Referral_User", "--no-self-test"
    )
    assert install.exit_code == 0, install.output
    assert "installed" in install.stdout

    status = sidecar("status", "1", "--json")
    told = json.loads(status.stdout)
    assert (status.exit_code, told["modules"]) == (0, ["core"])
    id_ = told["deployment"]["id"]

    report = tmp_path / "report.json"
    report.write_text(sidecar("report", id_).stdout)
    assert sidecar("check-report", report).exit_code == 0
    page = sidecar("report", id_, "--html").stdout
    assert page.startswith("<!doctype html>")
    changed = json.loads(report.read_text())
    changed["report"]["verdict"] = "better"
    report.write_text(json.dumps(changed))
    assert sidecar("check-report", report).exit_code == 1

    rollback = sidecar("rollback", "dev org", "--yes")
    assert rollback.exit_code == 0, rollback.output
    assert sidecar("status", "1").stdout.startswith("nothing is installed")
    for line in (plan, install, status, rollback):
        assert customer.org.admin_token not in line.output


def test_an_uninstall_with_an_export_leaves_files(sidecar, customer, tmp_path):
    assert sidecar("install", "dev org", "--no-self-test").exit_code == 0

    refused = sidecar("uninstall", "dev org", "--export", tmp_path / "out")
    assert refused.exit_code in {0, 1}
    done = refused
    if refused.exit_code:
        done = sidecar(
            "uninstall",
            "dev org",
            "--export",
            tmp_path / "out",
            "--delete-data",
            "--yes",
        )

    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "Lead.csv").is_file()


def test_without_a_token_the_command_says_how_to_go_on(sidecar, customer, tmp_path):
    asked = sidecar("install", "dev org", "--no-self-test", SIDECAR_ADMIN_TOKEN="")

    assert asked.exit_code == 1
    assert "--resume 1 --admin-token-file" in asked.output
    assert "no longer accepted" not in asked.output, "none was given"

    gone_on = sidecar(
        "install",
        "--resume",
        1,
        "--admin-token-file",
        "-",
        given=customer.org.admin_token + "\n",
        SIDECAR_ADMIN_TOKEN="",
    )
    assert gone_on.exit_code == 0, gone_on.output


def test_a_plan_without_a_token_leaves_nothing_behind(sidecar, customer):
    refused = sidecar("plan", "dev org", SIDECAR_ADMIN_TOKEN="")

    assert refused.exit_code == 2
    assert "--admin-token-file" in refused.output
    with customer.wiring.engine.connect() as db:
        assert deployments.find(db, 1) is None


def test_people_see_stages_and_no_log_lines(sidecar, customer):
    assert "deployment.turn" not in sidecar("plan", "dev org").output


def test_a_deployment_that_waits_can_be_cancelled(sidecar, customer):
    sidecar("install", "dev org", SIDECAR_ADMIN_TOKEN="")

    cancelled = sidecar("cancel", 1)

    assert "cancelled; nothing was changed" in cancelled.output
    with customer.wiring.engine.connect() as db:
        assert deployments.find(db, 1).state == "dead"


@pytest.mark.parametrize(
    ("args", "words", "code"),
    [
        (("install", "nowhere"), "there is no connection 'nowhere'", 2),
        (("install",), "name a connection", 2),
        (("install", "dev org", "--grant", "anna"), "USER=PERMISSION_SET", 2),
        (("install", "dev org", "--grant", "anna=X"), "no permission set X", 1),
        (("install", "dev org", "--module", "x"), "no module x", 1),
        (("install", "--resume", "7"), "no deployment 7", 2),
        (("rollback", "dev org"), "can be rolled back", 1),
        (("uninstall", "dev org"), "nothing of ours is installed", 1),
        (("verify", "dev org"), "nothing of ours is installed", 1),
        (("report", "7"), "no report of deployment 7", 1),
        (("cancel", "7"), "no deployment 7", 1),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(sidecar, args, words, code):
    result = sidecar(*args)

    assert (result.exit_code, words in result.output) == (code, True), result.output
