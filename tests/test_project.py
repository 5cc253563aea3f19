"""The files around the code: locks, licence, changelog, sizes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", ".ci/requirements-bench.lock")
MOST_LINES = 400
MOST_TEST_LINES = 600


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def locked_requirements(name: str) -> list[str]:
    """The logical lines of a lock file, each one requirement with its hashes."""
    return text_of(name).replace("\\\n", " ").splitlines()


def requirement_of(line: str) -> Requirement:
    """The requirement of one logical line, without its hashes."""
    return Requirement(line.partition("--hash=")[0].strip())


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_address(name):
    options = re.findall(r"^\s*-(?!-hash=).*$|.*://.*|.*@ .*", text_of(name), flags=re.MULTILINE)
    assert options == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_requirement_is_exact_and_has_a_hash(name):
    exact = re.compile(r"[a-z0-9.-]+==\S+( ; [^-]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    lines = locked_requirements(name)
    assert [line for line in lines if not exact.fullmatch(line)] == []
    assert lines


def test_the_lock_satisfies_every_declared_requirement():
    locked: dict[str, list[str]] = {}
    for line in locked_requirements("requirements.lock"):
        found = requirement_of(line)
        locked.setdefault(canonicalize_name(found.name), []).append(str(found.specifier)[2:])
    unsatisfied = [
        str(wanted)
        for wanted in declared_requirements()
        if not any(wanted.specifier.contains(v) for v in locked.get(wanted.name.lower(), []))
    ]
    assert unsatisfied == [], "pyproject.toml has changed: run `make lock`"


def declared_requirements() -> list[Requirement]:
    """Runtime, extras, build back end and development groups of pyproject.toml."""
    document = tomllib.loads(text_of("pyproject.toml"))
    project, groups = document["project"], document["dependency-groups"]
    lines = project["dependencies"] + document["build-system"]["requires"]
    lines += [line for extra in project["optional-dependencies"].values() for line in extra]
    lines += [line for group in groups.values() for line in group if isinstance(line, str)]
    return [Requirement(line) for line in lines]


def test_the_changelog_has_a_place_for_what_is_new():
    assert "\n## [Unreleased]\n" in text_of("CHANGELOG.md")


def test_the_licence_is_the_whole_apache_licence():
    licence = text_of("LICENSE")
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_no_module_is_longer_than_a_reader_can_hold():
    folders = {"flowengine": MOST_LINES, "processors": MOST_LINES, "web": MOST_LINES}
    written = ROOT / "web" / "client_api"  # by a generator
    too_long = {
        str(path.relative_to(ROOT)): lines
        for folder, most in {**folders, "tests": MOST_TEST_LINES}.items()
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "node_modules" not in path.parts
        and written not in path.parents
        and (lines := len(path.read_text().splitlines())) > most
    }
    assert too_long == {}
