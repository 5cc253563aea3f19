"""The log: JSON lines in a file, warnings on the console, secrets in neither."""

import json
import logging

import pytest

from flowengine import logs
from flowengine.bulletins import BulletinBoard
from flowengine.clock import FakeClock
from flowengine.logs import log_path, logging_to, redacted_json, register_secrets, tail
from flowengine.units import Secret
from tests.flowengine.running import small_flow


@pytest.fixture
def no_secrets(monkeypatch):
    monkeypatch.setattr(logs, "_secrets", set())


def test_a_bulletin_becomes_a_line_of_json(tmp_path, capsys):
    with logging_to(tmp_path):
        board = BulletinBoard(FakeClock())
        board.post("publish", "warning", "broker must answer; got none")
        board.post("publish", "info", "resumed")
    lines = tail(log_path(tmp_path), 10)
    assert [(line["level"], line["component"], line["event"]) for line in lines] == [
        ("warning", "publish", "broker must answer; got none"),
        ("info", "publish", "resumed"),
    ]
    shown = capsys.readouterr().err
    assert "broker must answer; got none" in shown
    assert "resumed" not in shown


def test_a_library_logs_into_the_file_only_from_warning_on(tmp_path, capsys):
    with logging_to(tmp_path):
        logging.getLogger("aiokafka").info("fetching")
        logging.getLogger("aiokafka").warning("no %s", "leader")
    [line] = tail(log_path(tmp_path), 10)
    assert (line["logger"], line["event"]) == ("aiokafka", "no leader")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("no_secrets")
def test_a_secret_reaches_neither_file_nor_console(tmp_path, capsys):
    register_secrets([Secret("correct horse")])
    with logging_to(tmp_path):
        BulletinBoard(FakeClock()).post("kafka", "error", "login failed for 'correct horse'")
        try:
            raise ValueError("correct horse")
        except ValueError:
            logging.getLogger("library").exception("battery")
    text = log_path(tmp_path).read_text() + capsys.readouterr().err
    assert "correct horse" not in text
    assert "login failed for '******'" in text
    assert "battery" in text


@pytest.mark.usefixtures("no_secrets")
def test_a_secret_is_masked_in_json_however_it_is_escaped():
    register_secrets([Secret('say "true"'), Secret("ünique")])
    encoded = json.dumps({"a": ['say "true"'], "b": "x ünique y", "c": True}).encode()
    plain = json.dumps({"a": ['say "true"'], "b": "x ünique y"}, ensure_ascii=False).encode()
    assert json.loads(redacted_json(encoded)) == {"a": ["******"], "b": "x ****** y", "c": True}
    assert json.loads(redacted_json(plain)) == {"a": ["******"], "b": "x ****** y"}


def test_the_secrets_of_a_flow_are_found():
    found = [secret.reveal() for secret in logs.secrets_of(small_flow(secret="hidden"))]
    assert found == ["hidden"]


def test_the_tail_reaches_into_the_file_before(tmp_path):
    path = log_path(tmp_path)
    path.parent.mkdir()
    path.with_name("flow.log.1").write_text('{"event": 1}\n{"event": 2}\n')
    path.write_text('{"event": 3}\nnot json\n')
    assert [line["event"] for line in tail(path, 3)] == [2, 3, "not json"]
    assert tail(tmp_path / "none", 3) == []


def test_the_file_is_rotated_by_size(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "FILE_BYTES", 2000)
    with logging_to(tmp_path, console=False):
        for number in range(100):
            logging.getLogger("flowengine").info("message %d %s", number, "x" * 100)
    files = sorted(path.name for path in log_path(tmp_path).parent.iterdir())
    assert files == ["flow.log", *(f"flow.log.{n}" for n in range(1, 5))]
