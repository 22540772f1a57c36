"""The description says of the doors what is so."""

import json
import re

from click.testing import CliRunner
from openapi_spec_validator import OpenAPIV31SpecValidator

from sidecar import web
from sidecar.api import description
from sidecar.cli import cli


def test_it_is_openapi_3_1() -> None:
    document = description.document()

    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_the_web_and_the_command_line_give_out_the_same(service) -> None:
    answer = service.app.test_client().get("/openapi.json")

    assert answer.json == description.document()
    assert (
        json.loads(CliRunner().invoke(cli, ["openapi"]).output)
        == description.document()
    )


def test_every_route_is_described_and_nothing_else(service) -> None:
    """Two doors stand before Flask; a browser's style sheets are no door."""
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in service.app.url_map.iter_rules()
        if not rule.endpoint.endswith("static")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    routes |= {
        (f"{prefix}{{hook_key}}", "POST") for prefix in web.doors(service.wiring)
    }
    described = {
        (path, method.upper())
        for path, operations in description.document()["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert described == routes


def test_patterns_are_json_schemas_and_not_pythons() -> None:
    assert "\\\\Z" not in json.dumps(description.document())
