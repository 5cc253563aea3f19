"""A user's processor that misbehaves, as the command line meets it (E3, E5, E24)."""

import os
import signal
from pathlib import Path

import pytest

from flowengine.definition.builder import Flow
from tests.flowengine.cli import misbehaving
from tests.flowengine.cli.kit import Runner, call

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
NAMES = ("Endless", "Leaky", "Picky", "Sleeper")
ENTRIES = "[flowengine.processors]\n" + "".join(
    f"{name} = {misbehaving.__name__}:{name}\n" for name in NAMES
)


@pytest.fixture
def installed(place, monkeypatch):
    """The working directory, beside which the processors are an installed package."""
    info = place / "plugins" / "misbehaving-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{place / 'plugins'}")
    return place


def flow_with(kind: str, place: Path, count: int = 10) -> Path:
    """Numbered FlowFiles into a processor of this type."""
    flow = Flow(kind.lower())
    fields = {"number": {"provider": "sequence"}}
    flow.add(
        "generate", "GenerateRecords", count=count, schema=fields, attributes={"number": "number"}
    )
    ends = [name for name in ("success", "failure") if hasattr(getattr(misbehaving, kind), name)]
    flow.add("user", getattr(misbehaving, kind), {"auto_terminate": ends})
    flow.connect("generate", "success", "user")
    flow.save(place / f"{kind.lower()}.json")
    return place / f"{kind.lower()}.json"


@pytest.fixture
def started():
    """Starts flows; whatever still runs is killed at the end."""
    runners: list[Runner] = []

    def start(*arguments: object) -> Runner:
        runners.append(Runner(arguments))
        return runners[-1]

    yield start
    for runner in runners:
        runner.process.kill()
        runner.process.communicate()


def test_a_run_ends_though_a_worker_thread_never_does(installed, started):
    runner = started(flow_with("Sleeper", installed), "--drain-timeout", "0 sec")
    runner.wait_for(" in = ")
    runner.process.send_signal(signal.SIGTERM)
    runner.wait_for("stopping")
    result = runner.end(signal.SIGTERM)
    assert result.code == 130
    assert result.out == "10 in = 0 out + 0 failed + 0 expired + 0 dropped + 10 queued\n"


def test_a_second_ctrl_c_ends_a_run_whose_engine_is_held(installed, started):
    flow = flow_with("Endless", installed)
    runner = started(flow)
    runner.wait_for("must give the engine back")
    runner.process.send_signal(signal.SIGINT)
    runner.wait_for("must give the engine back")  # the watch-dog's second word: ten seconds on
    result = runner.end(signal.SIGINT)
    assert result.code == 130
    assert result.err.endswith(
        "processor 'user' (Endless) holds the engine: ending without it; what is on disk waits "
        "for the next run\n"
    )


def test_the_status_names_the_processor_that_holds_the_engine(installed, started):
    flow = flow_with("Endless", installed)
    runner = started(flow)
    runner.wait_for("must give the engine back")
    result = call("status", flow)
    assert result.code == 0
    assert "processor 'user' has held the engine for" in result.out


def test_one_record_that_makes_it_raise_fails_and_the_rest_flows(installed):
    result = call("run", flow_with("Picky", installed), "--until-complete")
    assert result.code == 0
    assert result.out == "10 in = 9 out + 1 failed + 0 expired + 0 dropped + 0 queued\n"
    assert "processor 'user' (Picky) must not raise; got KeyError: 'three'" in result.err


def test_one_record_that_it_forgets_stays_queued_and_the_rest_flows(installed, started):
    runner = started(flow_with("Leaky", installed), "--drain-timeout", "0 sec")
    runner.wait_for("10 in = 9 out + 0 failed + 0 expired + 0 dropped + 1 queued")
    result = runner.end()
    assert result.code == 3
    assert "processor 'user' (Leaky)" in result.err
