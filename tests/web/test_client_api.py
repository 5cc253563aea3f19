"""The generated client: never stale, and it drives a real server."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.web.serving import ROOT, TOKEN, pipeline
from web.client import Refused, ServerClient
from web.client_api import models


@pytest.fixture
def api(server):
    with ServerClient(f"http://127.0.0.1:{server.port}", TOKEN) as client:
        yield client.api


def test_the_client_is_what_the_description_gives(tmp_path):
    subprocess.run([sys.executable, ROOT / ".ci" / "client", tmp_path], check=True)
    for name in ("__init__.py", "api.py", "models.py"):
        committed = (ROOT / "web" / "client_api" / name).read_text()
        assert (tmp_path / name).read_text() == committed, "run `make client`"


def test_a_flow_is_created_edited_deployed_and_run_with_types(api):
    made = api.flows_create(models.NewFlow(id="typed", definition=pipeline()))
    assert (made.id, made.problems) == ("typed", [])
    operation = {"op": "set", "kind": "processors", "id": "put", "path": ["name"], "value": "Put"}
    edit = models.Edit.model_validate({"client": "me", "base": 0, "operations": [operation]})
    seq = api.drafting_operations("typed", edit).seq
    assert api.drafting_deploy("typed", if_match=f'"{seq}"').version == 1
    assert api.running_start("typed").state in ("starting", "running")
    stopped = api.running_stop("typed", models.BodyRunningStop(drain=False))
    assert stopped.state in ("stopping", "stopped")


def test_a_problem_is_an_error_with_its_document(api):
    with pytest.raises(Refused) as refused:
        api.flows_read("nowhere")
    assert (refused.value.status, refused.value.problem["title"]) == (404, "Not Found")


def test_events_are_read_while_they_come(api):
    with api.general_events() as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert next(answer.iter_lines()) == "retry: 2000"
