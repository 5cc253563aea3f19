"""The OpenAPI document: complete, and true of a real server (Schemathesis)."""

from __future__ import annotations

from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.serving import TOKEN, serving
from web.app import create_app
from web.config import ServerConfig
from web.site import Site

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = ("text/event-stream",)
NAMES = {
    "id": ["one"],
    "flow": ["one"],
    "processor": ["make", "put"],
    "connection": ["mark-put"],
    "number": ["1"],
    "verb": ["start", "stop"],
}
LAST = ("start", "stop", "run-once", "reset", "deploy", "restore", "terminate", "verify")


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    folder = tmp_path_factory.mktemp("described")
    site = Site(ServerConfig(flows=folder, data_root=folder))
    yield create_app(site).openapi()
    site.store.close()


def operations_of(document):
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield f"{verb.upper()} {path}", operation


def test_every_route_says_what_it_answers(described):
    silent = [
        name
        for name, operation in operations_of(described)
        for status, answer in operation["responses"].items()
        if status.startswith("2") and status != "204" and not _schemas(answer)
    ]
    assert silent == []


def _schemas(answer):
    content = answer.get("content", {}).values()
    return bool(content) and all(one.get("schema") for one in content)


def test_every_refusal_is_a_problem_document(described):
    for name, operation in operations_of(described):
        for status, answer in operation["responses"].items():
            if not status.startswith("2"):
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_every_reference_leads_somewhere(described):
    known = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(_references(described)) <= known


def _references(value):
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


# -- against a real server ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """A server with a flow ``one`` that runs, for Schemathesis."""
    with serving(tmp_path_factory.mktemp("fuzzed")) as server:
        server.create("one")
        server.running("one")
        document = server.get("/openapi.json")
        for _, operation in operations_of(document):
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in NAMES:
                    parameter["schema"] = {"enum": [*NAMES[parameter["name"]], "nowhere"]}
        yield server, document


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_no_request_gets_a_500_or_an_answer_that_is_not_described(fuzzed):
    server, document = fuzzed
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"http://127.0.0.1:{server.port}")
    failures = []
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in sorted(operations, key=_order):
        if _is_endless(operation) or operation.path.startswith("/api/v1/kafka/"):
            continue

        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _attempts(operation, mode)
            except FailureGroup as failure:
                failures += [str(one) for one in failure.exceptions]
    assert failures == [], "\n\n".join(failures)


def _order(operation):
    """Reading first, and last what ends the flow that is read."""
    return operation.method != "get", operation.path.rpartition("/")[2] in LAST, operation.path


def _attempts(operation, mode):
    slow = operation.path.rpartition("/")[2] in LAST

    @settings(
        max_examples=1 if slow else 4,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case):
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {TOKEN}"})

    with suppress(Unsatisfiable):  # there is nothing to do wrong
        attempt()


def _is_endless(operation):
    content = operation.definition.raw["responses"].get("200", {}).get("content", {})
    return any(media in content for media in ENDLESS)
