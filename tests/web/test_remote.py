"""``flowengine server``: a server driven from the shell."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from flowengine.cli import run_command
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


@pytest.mark.parametrize("by", ["option", "variable"])
def test_the_short_form_asks_the_server_instead_of_this_machine(server, monkeypatch, capsys, by):
    server.create("short")
    url = f"http://127.0.0.1:{server.port}"
    monkeypatch.setenv("FLOWENGINE_SERVER_TOKEN", TOKEN)
    words = ["--server", url] if by == "option" else []
    if by == "variable":
        monkeypatch.setenv("FLOWENGINE_SERVER", url)
    assert run_command([*words, "flows"]) == 0
    assert capsys.readouterr().out == "short: stopped, 0 queued, 0 errors\n"
    assert run_command([*words, "status", "short"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "stopped"


def test_a_command_of_a_server_without_one_says_how_to_name_it(monkeypatch, capsys):
    monkeypatch.delenv("FLOWENGINE_SERVER", raising=False)
    assert run_command(["flows"]) != 0
    assert (
        "command 'flows' must be asked of a server; got none; flowengine --server URL flows"
        in capsys.readouterr().err
    )


def test_a_choice_that_is_none_is_refused(server, shell):
    server.create("one")
    with pytest.raises(DefinitionError) as refused:
        shell("deploy", "one", "--removed", "keep")
    assert str(refused.value) == "option '--removed' must be 'drain' or 'drop'; got 'keep'"


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
