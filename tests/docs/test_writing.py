"""docs/processors/writing.md: its package is built, installed, tested and used in its flow."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "processors" / "writing.md").read_text(encoding="utf-8")
FILES = ("hash_attribute.py", "pyproject.toml", "test_hash_attribute.py")

INSTALL = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation")
VALIDATE = """
import sys
from pathlib import Path
from flowengine.definition import load_flow
flow = load_flow(Path(sys.argv[1]))
print(flow.processors["hide"].cls.__module__, [str(f) for f in flow.findings])
"""


def block_after(text: str) -> str:
    """The first code block after a text."""
    found = re.search(r"```\w+\n(.*?)```", PAGE[PAGE.index(text) :], re.DOTALL)
    assert found, f"no code after {text!r}"
    return found[1]


def python(folder: Path, *arguments: str, plugins: Path | None = None) -> str:
    """What a fresh interpreter prints that sees the plug-ins beside flowengine."""
    path = os.pathsep.join(str(p) for p in (plugins, ROOT) if p)
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the page's package."""
    folder = tmp_path_factory.mktemp("hash-attribute")
    for name in FILES:
        (folder / name).write_text(block_after(f"`{name}`"), encoding="utf-8")
    (folder / "flow.json").write_text(block_after("and in flows:"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def plugins(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed, as by `pip install .`."""
    target = tmp_path_factory.mktemp("site-packages")
    python(package, *INSTALL, "--target", str(target), ".")
    return target


@pytest.mark.slow
def test_the_tests_of_the_page_pass(package: Path):
    output = python(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", FILES[2])
    assert "4 passed" in output


@pytest.mark.slow
def test_the_installed_processor_is_found_by_its_name(plugins: Path, tmp_path: Path):
    probe = (
        "from flowengine import registry;"
        "print('ControlRate' in registry.processor_types(),"
        " registry.processor_class('HashAttribute').__module__)"
    )
    assert python(tmp_path, "-c", probe, plugins=plugins) == "True hash_attribute\n"


@pytest.mark.slow
def test_the_flow_of_the_page_is_valid(package: Path, plugins: Path):
    output = python(package, "-c", VALIDATE, "flow.json", plugins=plugins)
    assert output == "hash_attribute []\n"


@pytest.mark.slow
def test_the_commands_know_the_installed_processor(package: Path, plugins: Path, tmp_path: Path):
    def flowengine(*arguments: str) -> str:
        return python(tmp_path, "-m", "flowengine", *arguments, plugins=plugins)

    flow = str(package / "flow.json")
    assert "HashAttribute" in flowengine("list", "hash")
    assert "Digits of the hash to keep." in flowengine("show", "HashAttribute")
    assert flowengine("validate", flow, "--json") == "[]\n"
    assert flowengine("run", flow, "--until-complete").startswith("3 in = 3 out + 0 failed")


def test_every_other_python_of_the_page_runs_as_it_stands():
    exec(compile(block_after("is left when the processor stops"), "writing.md", "exec"), {})
