"""What is in the wheel, and that it works in an environment without the clone."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.packaging.conftest import BUILT, run

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
with_editor = pytest.mark.skipif(not BUILT.exists(), reason="the editor is not built")


def test_the_wheel_carries_flows_lake_tests_and_documents(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {name.removeprefix("flowengine/shipped/") for name in names}
    assert {"flows/users-producer.json", "flows/tests/users-producer.json"} <= shipped
    assert {"docs/tutorial.md", "docs/processors/control-rate.md"} <= shipped
    assert len([name for name in shipped if name.startswith("flows/lake/users/")]) == 17
    assert {"web/templates/shell.html.j2", "processors/kafka/broker/artifacts.txt"} <= names


def test_nothing_strange_is_in_the_wheel(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "flowengine",
        "processors",
        "web",
    }
    odd = re.compile(
        r"web/editor/|node_modules|__pycache__|\.map$|\.deployed\.json$|/tests?/.*\.py$"
    )
    assert [name for name in names if odd.search(name)] == []


@with_editor
def test_both_distributions_carry_the_built_editor(sdist, wheel):
    entry = "web/static/.vite/manifest.json"
    assert entry in zipfile.ZipFile(wheel).namelist()
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith(entry) for name in names)
    assert not any("node_modules" in name or "/.venv/" in name for name in names)


def test_the_command_line_works_without_the_clone(installed, tmp_path):
    program = installed / "flowengine"
    assert run(program, "--version", cwd=tmp_path).stdout.startswith("flowengine ")
    assert "PublishKafka" in run(program, "list", "kafka", cwd=tmp_path).stdout
    where = "import flowengine, processors, web; print(flowengine.__file__)"
    found = run(installed / "python", "-c", where, cwd=tmp_path).stdout
    assert Path(found).is_relative_to(installed.parent)


def test_carried_flows_are_copied_valid_and_tested(installed, tmp_path):
    program = installed / "flowengine"
    run(program, "examples", "--copy", "flows", cwd=tmp_path)
    run(program, "validate", "flows/users-producer.json", cwd=tmp_path)
    assert (tmp_path / "flows" / "lake" / "users" / "user-01.json").is_file()
    run(program, "test", "flows/tests/read-data-lake.json", cwd=tmp_path)


@pytest.fixture
def address(installed: Path, tmp_path: Path) -> Iterator[str]:
    """What `flowengine serve` prints in a folder with the examples."""
    run(installed / "flowengine", "examples", "--copy", "flows", cwd=tmp_path)
    process = subprocess.Popen(
        [installed / "flowengine", "serve", "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().rpartition(" at ")[2].strip()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    process.stdout.close()


@with_editor
def test_its_server_shows_a_flow_on_the_canvas(address):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address.replace("/?", "/flows/users-producer?"))
        expect(page.get_by_test_id("node-throttle")).to_be_visible(timeout=20_000)
        browser.close()
    assert errors == []


@pytest.mark.kafka
@pytest.mark.campaign
def test_its_demo_proves_the_chapter_in_a_folder_of_the_users(installed, tmp_path):
    kafka = os.environ.get("FLOWENGINE_KAFKA_HOME", str(tmp_path / "kafka"))
    words = [installed / "flowengine", "demo", "--period", "100 ms"]
    done = run(*words, cwd=tmp_path, FLOWENGINE_KAFKA_HOME=kafka)
    assert "proved: every user is in the topic and in both groups, once." in done.stdout
    assert len(list((tmp_path / ".flowengine/demo/data/users/warehouse").glob("*.json"))) == 17
