"""Secrets: in by REST or shell, used by flows, and nowhere to be seen."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue

import pytest
from typer.testing import CliRunner

from flowengine.secret_store import KEY, SecretStore
from tests.waiting import until
from tests.web.serving import pipeline, serving
from web.remote import server_app

VALUE = "hunter2-never-to-be-seen"


def with_secret(port: int = 1, **parameter):
    """A flow whose PutDatabaseRecord sends a secret to a database."""
    flow = pipeline()
    flow["parameters"] = {"password": {"sensitive": True, **parameter}}
    flow["processors"]["store"] = {
        "type": "PutDatabaseRecord",
        "properties": {
            "url": f"postgresql+pg8000://ann@127.0.0.1:{port}/none",
            "table": "t",
            "password": "#{password}",
        },
        "auto_terminate": ["success", "failure"],
    }
    flow["connections"].append({"from": "make", "relationships": ["success"], "to": "store"})
    return flow


@contextmanager
def database() -> Iterator[tuple[int, Queue[bytes]]]:
    """A PostgreSQL that asks for the password in clear text, tells us, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    told: Queue[bytes] = Queue()

    def serve() -> None:
        with suppress(OSError):
            while True:
                caller, _ = listener.accept()
                with caller:
                    if len(caller.recv(4096)) == 8:  # it asks for TLS first
                        caller.sendall(b"N")
                        caller.recv(4096)
                    caller.sendall(b"R" + struct.pack("!ii", 8, 3))
                    told.put(caller.recv(4096)[5:].rstrip(b"\0"))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], told
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
def own(tmp_path):
    with serving(tmp_path) as server:
        yield server


def test_a_secret_is_named_by_the_api_and_never_told(server):
    assert server.ask("PUT", "/secrets/kafka", json={"value": VALUE}).status_code == 204
    server.create("one", with_secret(store="kafka"))
    answer = server.ask("GET", "/secrets")
    (found,) = answer.json()["secrets"]
    assert (found["name"], found["set"], found["used_by"]) == ("kafka", True, ["one"])
    assert VALUE not in answer.text
    (parameter,) = server.get("/flows/one/parameters")["parameters"]
    assert (parameter["source"], parameter["where"], parameter["set"], parameter["value"]) == (
        *("store", "kafka", True, None),
    )
    assert server.ask("DELETE", "/secrets/kafka").status_code == 204
    assert server.ask("DELETE", "/secrets/kafka").status_code == 404
    assert not server.get("/flows/one/parameters")["parameters"][0]["set"]


@pytest.mark.parametrize("body", [{"value": VALUE, "more": 1}, {"value": [VALUE]}])
def test_a_refused_secret_is_not_repeated(server, body):
    answer = server.ask("PUT", "/secrets/kafka", json=body)
    assert answer.status_code == 422
    assert VALUE not in answer.text


def test_a_flow_whose_secret_is_missing_says_how_to_enter_it(server):
    server.create("one", with_secret(store="nothing"))
    answer = server.ask("POST", "/flows/one/start")
    assert answer.status_code == 422
    (problem,) = [one for one in answer.json()["problems"] if "encrypted" in one["message"]]
    assert problem["pointer"] == "/parameters/password"
    assert problem["message"] == (
        "parameter 'password' must be held by the encrypted store as 'nothing'; got none"
    )
    assert problem["remedy"] == "flowengine server secrets set nothing"


@pytest.mark.slow
def test_a_known_secret_is_in_no_answer_page_log_export_or_process_list(own):
    own.ask("PUT", "/secrets/kafka", json={"value": VALUE})
    with database() as (port, told):
        own.create("one", with_secret(port, store="kafka"))
        pid = own.running("one")
        assert told.get(timeout=30) == VALUE.encode()  # the runner has it and uses it
    until(lambda: own.get("/flows/one/bulletins")["bulletins"], "a failure that is told")
    own.ask("POST", "/verify", json={"flow": "one", "processor": "store"})
    paths = [
        *("/secrets", "/flows", "/flows/one", "/flows/one/draft", "/flows/one/parameters"),
        *("/flows/one/status", "/flows/one/processors/store", "/flows/one/logs", "/audit"),
        *("/flows/one/bulletins", "/flows/one/versions/1", "/flows/one/diff?from=1&to=draft"),
        *("/flows/one/metrics", "/flows/one/state/store", "/openapi.json", "/catalogue"),
    ]
    seen = {path: own.ask("GET", path).text for path in paths}
    for page in ("/status", "/flows/one/doc", "/"):
        seen[page] = own.http.get(page, headers={"Accept": "text/html"}).text
    assert [path for path, text in seen.items() if VALUE in text] == []
    assert [str(file) for file in files_with(own.folder, VALUE)] == []
    assert processes_with([own.process.pid, *family(own.process.pid), pid]) == []


def files_with(folder: Path, text: str) -> list[Path]:
    """Files below a folder in which a text stands."""
    return [
        path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()
    ]


def family(pid: int) -> list[int]:
    """Children of a process, and theirs."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()[1:]]
    children = [child for child, parent in pairs if parent == pid]
    return [*children, *(deeper for child in children for deeper in family(child))]


def processes_with(pids: list[int]) -> list[tuple[int, str]]:
    """Processes of which command line or environment show the secret."""
    return [
        (pid, name)
        for pid in pids
        for name in ("cmdline", "environ")
        if VALUE.encode() in Path(f"/proc/{pid}/{name}").read_bytes()
    ]


# -- from the shell ----------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path):
    def run(*words: str, given: str = "") -> tuple[int, str]:
        words = ("secrets", *words, "--data-dir", str(tmp_path))
        result = CliRunner().invoke(server_app, words, input=given)
        return result.exit_code, result.output

    return run


def test_a_secret_is_set_rotated_and_removed_in_the_shell(shell, tmp_path):
    assert shell("set", "kafka", given=f"{VALUE}\n") == (0, "secret 'kafka' is set\n")
    assert shell("list") == (0, "kafka: set\n")
    key = tmp_path / ".server" / KEY
    assert shell("rotate") == (0, f"1 secrets are sealed with the first key of {key}\n")
    assert SecretStore(tmp_path / ".server" / "secrets.json", environ={})["kafka"] == VALUE
    assert shell("remove", "kafka") == (0, "secret 'kafka' is removed\n")


def test_a_lost_key_is_shown_and_given_up_in_the_shell(shell, tmp_path):
    shell("set", "kafka", given=VALUE)
    (tmp_path / ".server" / KEY).unlink()
    code, output = shell("list")
    assert code == 2
    assert "must have its key in" in output
    code, output = shell("rotate", "--lost")
    assert (code, output.splitlines()[0]) == (0, "secret 'kafka' must be entered again")
    assert shell("list") == (0, "kafka: lost, enter it again\n")
