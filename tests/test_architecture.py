"""The edges of design §3: who may import whom, and what the command line must not load to start."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture import PACKAGES, direction_violations, undeclared_imports

ROOT = Path(__file__).parents[1]

# Each costs 50 ms or more to import, or tens of MB; a flow without them must not pay for them.
HEAVY = ("aiokafka", "duckdb", "faker", "fastapi", "pyarrow")


def findings(rule: Callable[[Path, str], list[str]]) -> list[str]:
    """What `rule` finds in all modules of the three packages."""
    modules = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return [
        finding
        for path in modules
        for finding in rule(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
    ]


def declared_modules() -> set[str]:
    """Top-level modules that the runtime dependencies (all extras too) provide."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    names = {canonicalize_name(Requirement(line).name) for line in project["dependencies"] + extras}
    return {
        module
        for module, distributions in packages_distributions().items()
        if names & {canonicalize_name(distribution) for distribution in distributions}
    }


def test_every_import_points_in_an_allowed_direction():
    assert findings(direction_violations) == []


def test_every_third_party_import_is_a_declared_dependency():
    declared = declared_modules()
    assert findings(lambda path, source: undeclared_imports(path, source, declared)) == []


@pytest.mark.parametrize(
    ("path", "source", "finding"),
    [
        (
            "flowengine/cli.py",
            "import os\nimport processors.put_file\n",
            "flowengine/cli.py:2: flowengine must not import processors;"
            " got import of processors.put_file",
        ),
        (
            "flowengine/definition/load.py",
            "def late():\n    from web import app\n",
            "flowengine/definition/load.py:2: flowengine must not import web;"
            " got import of web.app",
        ),
        (
            "web/app.py",
            "from processors import kafka\n",
            "web/app.py:1: web must not import processors; got import of processors.kafka",
        ),
        (
            "processors/put_file.py",
            "from web.app import app\n",
            "processors/put_file.py:1: processors must not import web; got import of web.app.app",
        ),
        (
            "processors/put_file.py",
            "from .kafka import _core\n",
            "processors/put_file.py:1: family put_file must not import family kafka;"
            " got import of processors.kafka._core",
        ),
        (
            "processors/kafka/publish.py",
            "from ..put_file import PutFile\n",
            "processors/kafka/publish.py:1: family kafka must not import family put_file;"
            " got import of processors.put_file.PutFile",
        ),
        (
            "processors/kafka/publish.py",
            "from processors import windows\n",
            "processors/kafka/publish.py:1: family kafka must not import family windows;"
            " got import of processors.windows",
        ),
        (
            "processors/__init__.py",
            "from .put_file import PutFile\n",
            "processors/__init__.py:1: the package processors must not import family put_file;"
            " got import of processors.put_file.PutFile",
        ),
    ],
)
def test_a_forbidden_import_is_found_with_its_place(path, source, finding):
    assert direction_violations(Path(path), source) == [finding]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("processors/kafka/publish.py", "from processors.kafka.connection import KafkaConnection"),
        ("processors/kafka/publish.py", "from . import _core"),
        ("processors/kafka/publish.py", "from ._core import producer"),
        ("processors/kafka/deep/nested.py", "from .._core import producer"),
        ("processors/kafka/__init__.py", "from .publish import PublishKafka"),
        ("processors/put_file.py", "from flowengine.processor import Processor"),
        ("web/app.py", "import flowengine.registry"),
    ],
)
def test_an_import_within_the_family_or_of_the_runtime_is_allowed(path, source):
    assert direction_violations(Path(path), source) == []


def test_an_undeclared_dependency_is_found_with_its_place():
    source = "import json\nimport httpx\nfrom numpy.linalg import norm\n"
    assert undeclared_imports(Path("web/app.py"), source, {"httpx"}) == [
        "web/app.py:3: numpy must be a runtime dependency in pyproject.toml"
    ]


def test_the_command_line_starts_without_the_heavy_libraries():
    probe = f"import sys, flowengine.cli; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert (result.stdout.strip(), result.stderr) == ("", "")
