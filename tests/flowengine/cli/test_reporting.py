import io
from pathlib import Path

import pytest

from flowengine.cli.reporting import Debugging, Reporting
from flowengine.errors import DefinitionError, EnvironmentFault


def reported(error: BaseException, debug: bool = False, file: Path | None = None):
    """Code and message for an error that ends a command."""
    stream = io.StringIO()
    reporting = Reporting(stream)
    with reporting:
        Debugging.shown, Debugging.file = debug, file
        raise error
    return reporting.code, stream.getvalue()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_an_error_of_ours_is_one_message_without_traceback():
    assert reported(EnvironmentFault("disk must have room")) == (2, "error: disk must have room\n")


def test_an_error_in_the_definition_exits_with_1():
    assert reported(DefinitionError("flow must be edited")) == (1, "error: flow must be edited\n")


def test_errors_in_groups_are_named_once_each():
    one, two = EnvironmentFault("a must b"), EnvironmentFault("c must d")
    group = ExceptionGroup("tasks", [one, ExceptionGroup("inner", [two, one])])
    assert reported(group) == (2, "error: a must b\nerror: c must d\n")


def test_an_unexpected_error_is_short_and_its_traceback_is_in_a_file(tmp_path):
    code, text = reported(KeyError("x"), file=tmp_path / "logs" / "crash.log")
    assert code == 2
    assert text == (
        "error: flowengine must not fail like this; got KeyError: 'x'. This is a bug: please "
        f"report it with the traceback in {tmp_path}/logs/crash.log\n"
    )
    assert "Traceback (most recent call last)" in (tmp_path / "logs" / "crash.log").read_text()


def test_debugging_shows_the_traceback_of_any_error():
    code, text = reported(EnvironmentFault("disk must have room"), debug=True)
    assert code == 2
    assert text.startswith("Traceback (most recent call last)")


def test_an_interrupt_is_not_an_error():
    assert reported(KeyboardInterrupt()) == (130, "interrupted\n")


@pytest.mark.parametrize(("code", "answer"), [(None, 0), (3, 3), ("text", 1)])
def test_the_code_of_an_exit_is_kept(code, answer):
    assert reported(SystemExit(code)) == (answer, "")


def test_the_debug_option_reaches_the_report(shell):
    result = shell("--debug", "show", "Nothing")
    assert result.code == 1
    assert "Traceback (most recent call last)" in result.err


def test_so_does_the_variable(shell, monkeypatch):
    monkeypatch.setenv("FLOWENGINE_DEBUG", "yes")
    assert "Traceback (most recent call last)" in shell("show", "Nothing").err
