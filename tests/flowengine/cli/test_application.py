import subprocess
import sys

import pytest
import typer

from flowengine import registry
from flowengine.cli.application import SECTIONS
from flowengine.cli.places import complete_flow
from tests.flowengine.cli.kit import call

COMMANDS = [name for section in SECTIONS.values() for name in section]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_text_shows_an_example(shell, name):
    result = shell(name, "--help")
    assert result.code == 0
    assert f"Example: flowengine {name}" in result.out


@pytest.mark.parametrize("name", ["list", "peek", "empty"])
def test_every_help_text_of_queue_shows_an_example(shell, name):
    assert f"Example: flowengine queue {name}" in shell("queue", name, "--help").out


def test_the_help_lists_every_command_with_a_whole_sentence(shell):
    text = shell("--help").out
    listed = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert set(COMMANDS) <= set(listed)
    assert "..." not in text.partition("\n")[2]


def test_without_a_command_the_help_is_shown(shell):
    result = shell()
    assert result.code == 2
    assert result.err.startswith("Usage: flowengine [OPTIONS] COMMAND [ARGS]...")


def test_the_version_is_that_of_the_package(shell):
    assert shell("--version").out.startswith("flowengine 0.")


def test_an_unknown_command_gets_a_suggestion(shell):
    result = shell("validat")
    assert result.code == 2
    assert result.err.endswith(
        "Error: command must be a known one; got 'validat'; did you mean 'validate'?\n"
    )


def test_commands_of_other_packages_are_mounted(shell):
    result = shell("kafka", "topics", "--help")
    assert result.code == 0
    assert result.out.startswith("Usage: flowengine kafka topics")


class Entry:
    """Stands for an installed command that is no typer app, or cannot be imported."""

    value = "broken.commands:app"

    def __init__(self, load):
        self.load = load


def _missing():
    raise ImportError("No module named 'nowhere'")


def test_a_broken_command_of_another_package_breaks_no_other(shell, monkeypatch):
    monkeypatch.setattr(registry, "command_types", lambda: {"broken": Entry(_missing)})
    result = shell("--help")
    assert result.code == 0
    assert "(cannot be loaded)" in result.out
    result = shell("broken")
    assert result.code == 2
    assert result.err == (
        "error: plug-in command 'broken' (broken.commands:app) must be importable; got "
        "ImportError: No module named 'nowhere'; repair or remove the package that provides it\n"
    )


def test_a_command_must_be_a_typer_app(shell, monkeypatch):
    monkeypatch.setattr(registry, "command_types", lambda: {"odd": Entry(lambda: print)})
    result = shell("odd")
    assert result.code == 2
    assert result.err == (
        "error: plug-in command 'odd' must be a typer.Typer; got builtin_function_or_method\n"
    )


def test_a_command_of_another_package_may_be_a_single_one(shell, monkeypatch):
    app = typer.Typer()
    app.command()(lambda: print("hello"))
    monkeypatch.setattr(registry, "command_types", lambda: {"greet": Entry(lambda: app)})
    assert shell("greet").out == "hello\n"


def test_completion_offers_commands():
    environment = {"_FLOWENGINE_COMPLETE": "complete_bash", "COMP_WORDS": "flowengine va"}
    result = call(**environment, COMP_CWORD="1")
    assert result.out.split() == ["validate"]


def test_running_a_flow_imports_no_library_that_the_flow_does_not_use():
    heavy = ("aiokafka", "duckdb", "fastapi", "pyarrow", "httpx", "uvicorn")
    probe = f"""
import sys
from flowengine.cli import run_command
run_command(["run", "--help"])
import flowengine.cli.runner, flowengine.cli.display
print(*sorted(set({heavy}) & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stderr == "\n"


def test_completion_offers_flows_by_file_and_by_name(place):
    (place / "flows").mkdir()
    (place / "flows" / "users.json").write_text("")
    (place / "unrelated.txt").write_text("")
    assert complete_flow("") == ["flows/", "users"]
    assert complete_flow("flows/u") == ["flows/users.json"]
