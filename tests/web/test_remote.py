"""``flowengine server``: a server driven from the shell."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from flowengine.errors import DefinitionError, EnvironmentFault
from tests.web.serving import TOKEN, pipeline
from web.client import Refused
from web.remote import server_app


@pytest.fixture
def shell(server, monkeypatch):
    """Runs a command against the shared server; raises what it raises."""
    monkeypatch.setenv("FLOWENGINE_SERVER_TOKEN", TOKEN)
    monkeypatch.setenv("FLOWENGINE_SERVER", f"http://127.0.0.1:{server.port}")

    def run(*words: str) -> str:
        return CliRunner().invoke(server_app, words, catch_exceptions=False).stdout

    return run


def test_flows_are_listed_compared_and_deployed(server, shell, tmp_path):
    server.create("shell")
    assert shell("flows") == "shell: stopped, 0 queued, 0 errors\n"
    assert shell("deploy", "shell").startswith("shell: version ")
    new = tmp_path / "new.json"
    new.write_text(json.dumps({**pipeline(), "description": "new"}))
    shell("deploy", "shell", str(new))
    assert server.get("/flows/shell")["definition"]["description"] == "new"
    server.edit("shell", server.get("/flows/shell/draft")["seq"], {"op": "move", "positions": {}})
    edit = {"op": "set", "kind": "processors", "id": "put", "path": ["name"], "value": "Put"}
    server.edit("shell", server.get("/flows/shell/draft")["seq"], edit)
    assert shell("diff", "shell") == "changed processors 'put' name: null → \"Put\"\n"


def test_a_flow_is_stopped_and_its_status_printed(server, shell):
    server.create("one")
    assert shell("stop", "one") == "one: stopped\n"
    assert json.loads(shell("status", "one"))["state"] == "stopped"


def test_a_refusal_is_said_in_the_servers_words(server, shell):
    with pytest.raises(Refused) as refused:
        shell("start", "nowhere")
    assert str(refused.value) == "flow must be a file in the folder of flows; got 'nowhere'"


def test_a_server_that_is_not_there_is_said_with_what_to_do(server, shell):
    with pytest.raises(EnvironmentFault) as fault:
        shell("flows", "--server", "http://127.0.0.1:1")
    assert str(fault.value) == (
        "server 'http://127.0.0.1:1' must answer; got [Errno 111] Connection refused. Start one "
        "with `flowengine serve`, or name another with --server"
    )


def test_a_shell_without_token_is_told_which_variable_to_set(shell, monkeypatch):
    monkeypatch.delenv("FLOWENGINE_SERVER_TOKEN")
    with pytest.raises(DefinitionError) as refused:
        shell("flows")
    assert str(refused.value) == (
        "environment variable FLOWENGINE_SERVER_TOKEN must hold a token of the server; got none"
    )


def test_users_are_added_listed_and_removed_before_a_server_runs(tmp_path):
    def run(*words: str, given: str = "") -> str:
        words = ("users", *words, "--data-dir", str(tmp_path))
        return CliRunner().invoke(server_app, words, input=given, catch_exceptions=False).stdout

    assert (
        run("add", "ann", "--role", "admin", given="a long password\n") == "user 'ann' is admin\n"
    )
    assert run("list") == "ann: admin\n"
    assert len(run("token", "ann").strip()) == 43
    assert run("remove", "ann") == "user 'ann' is removed\n"
