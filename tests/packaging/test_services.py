"""The systemd unit and the Containerfile: what can be checked without installing either."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

from tests.web.serving import serving
from web.commands import serve_app

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "docs" / "deploy" / "flowengine.service"
CONTAINER = ROOT / "docs" / "deploy" / "Containerfile"
PROGRAM = ROOT / ".venv" / "bin" / "flowengine"
MOST_EXPOSED = 30  # of 100, as `systemd-analyze security` counts


def commands_of_the_unit() -> list[list[str]]:
    lines = re.findall(r"^#?ExecStart=(\S.*)$", UNIT.read_text(), re.MULTILINE)
    return [shlex.split(line) for line in lines]


def instructions() -> list[tuple[str, str]]:
    """Keyword and text of each instruction of the Containerfile."""
    text = re.sub(r"^#.*\n", "", CONTAINER.read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


def refused_options(words: list[str]) -> list[str]:
    shown = CliRunner().invoke(serve_app, ["--help"], env={"COLUMNS": "200"}).output
    known = set(re.findall(r"--[a-z-]+", shown))
    return [word for word in words if word.startswith("--") and word not in known]


def test_every_option_in_the_unit_and_the_container_exists():
    (serve,) = (json.loads(text) for word, text in instructions() if word == "CMD")
    commands = [*commands_of_the_unit(), ["flowengine", *serve]]
    assert len(commands) == 3
    for program, name, *words in commands:
        assert (Path(program).name, name) == ("flowengine", "serve")
        assert refused_options(words) == []


def test_credentials_in_the_unit_are_the_ones_that_its_command_reads():
    text = UNIT.read_text()
    loaded = set(re.findall(r"^#?LoadCredential=([^:]+):", text, re.MULTILINE))
    assert set(re.findall(r"%d/(\S+)", text)) <= loaded
    assert "flowengine-secret-key" in loaded


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    text = UNIT.read_text().replace("/opt/flowengine/bin/flowengine", str(PROGRAM))
    unit = tmp_path / "flowengine.service"
    unit.write_text(re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "flowengine" in line]
    assert ours == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_the_service_is_hardly_exposed():
    threshold = f"--threshold={MOST_EXPOSED}"
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", threshold, "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


def test_the_image_copies_what_is_there_and_runs_as_nobody_in_particular():
    copies = [text.split()[:-1] for word, text in instructions() if word == "COPY"]
    sources = [name for names in copies for name in names if names[0] != "--from=build"]
    assert [name for name in sources if not (ROOT / name).exists()] == []
    users = [text for word, text in instructions() if word == "USER"]
    assert users == ["10001"]


def test_the_constraints_of_the_image_are_the_lock_without_hashes(tmp_path):
    (line,) = (text for word, text in instructions() if word == "RUN" and text.startswith("sed"))
    command = line.replace("requirements.lock", str(ROOT / "requirements.lock"))
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    lines = (tmp_path / "constraints.txt").read_text().splitlines()
    assert all(str(Requirement(line).specifier).startswith("==") for line in lines)
    assert len(lines) > 50


@pytest.mark.slow
def test_the_health_check_tells_a_server_from_none(tmp_path):
    (text,) = (text for word, text in instructions() if word == "HEALTHCHECK")
    command = json.loads(text.partition("CMD ")[2])
    with serving(tmp_path) as server:
        code = command[2].replace(":8700/", f":{server.port}/")
        subprocess.run([sys.executable, "-c", code], check=True)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 1
