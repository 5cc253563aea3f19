"""docs/tutorial.md: its commands, one shell, a real Kafka; and the output that it shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^```console run\n(?P<commands>.*?)^```$(?:\n\n```text\n(?P<shown>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
MARK = "=== block"
TAUGHT = (  # what the tutorial must come to speak of
    "append",
    "partition",
    "key",
    "offset",
    "fire and forget",
    "synchronous",
    "asynchronous",
    "bookmark",
    "idle",
    "warehouse",
    "read-data-lake.json",
    "users-producer.json",
    "output port",
    "bounded",
    "unbounded",
    "flush",
    "moving view",
    "tumbling",
    "sliding",
    "sessions",
    "watermark",
    "event time",
    "ingest time",
    "processing time",
)


class Step(NamedTuple):
    """Commands, and lines of their output; `…` stands for anything."""

    commands: str
    shown: str


STEPS = [Step(found["commands"], found["shown"] or "") for found in BLOCK.finditer(PAGE)]


def test_it_speaks_of_everything_that_the_chapter_teaches():
    assert [word for word in TAUGHT if word not in PAGE] == []


def test_every_flow_and_file_that_it_names_is_there():
    named = set(re.findall(r"flows/[\w/.-]+\.(?:json|py)", PAGE))
    assert len(named) >= 9
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_commands_run_in_order_and_print_what_it_shows(shell):
    outputs = shell("".join(f"echo '{MARK}'\n{step.commands}" for step in STEPS))
    assert len(outputs) == len(STEPS) >= 15
    for step, output in zip(STEPS, outputs, strict=True):
        lines = [" ".join(line.split()) for line in output.splitlines()]
        for line in step.shown.splitlines():
            assert any(map(pattern(line).fullmatch, lines)), f"{line!r} is not in:\n{output}"


def pattern(line):
    """A line as it is shown, spaces and `…` taken freely."""
    parts = (re.escape(" ".join(part.split())) for part in line.split("…"))
    return re.compile(r"\s*" + r"\s*.*\s*".join(parts) + r"\s*")


@pytest.fixture
def shell(tmp_path):
    """Run a script in a folder with a copy of flows/; the output of each block."""
    pytest.importorskip("confluent_kafka", reason="needs the extra `clients`")
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    environment = {
        **os.environ,
        "FLOWENGINE_KAFKA_HOME": str(tmp_path / "kafka-home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def run(script):
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=560,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout.split(f"{MARK}\n")[1:]

    yield run
    stop = [sys.executable, "-m", "flowengine", "kafka", "stop"]
    subprocess.run(stop, cwd=tmp_path, env=environment, check=True, stdout=subprocess.DEVNULL)
