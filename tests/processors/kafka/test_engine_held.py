"""A processor that holds the engine costs no group membership and no status answer (E24)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.protocol.group import HeartbeatRequest

from flowengine.control import ControlClient
from flowengine.control.client import is_running
from processors.kafka import admin
from tests.kafka_fixtures import in_own_loop
from tests.waiting import until
from tests.web.lens import Readers

ROOT = Path(__file__).parents[3]
SESSION = 6  # s: as short as the broker takes
MOST_GENERATIONS = 20
PLUGIN = '''
import time
from pathlib import Path

from flowengine.processor import Processor


class Hold(Processor):
    """Compute on the engine's loop for as many seconds as a FlowFile says."""

    def on_trigger(self, context, session):
        flowfiles = session.get_batch()
        for flowfile in flowfiles:
            end = time.monotonic() + float(session.read(flowfile))
            while time.monotonic() < end:
                pass
        session.remove(flowfiles)
'''


@pytest.fixture
def plugins(tmp_path):
    """A folder with a package that has a processor of its own, as others install theirs."""
    folder = tmp_path / "plugins"
    info = folder / "holding-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "holding.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: holding\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[flowengine.processors]\nHold = holding:Hold\n")
    return folder


def definition(bootstrap, topic, group, **properties):
    consume = {
        "connection": "kafka",
        "topics": [topic],
        "group_id": group,
        "auto_offset_reset": "earliest",
        "session_timeout": f"{SESSION} sec",
        "heartbeat_interval": "1 sec",
        **properties,
    }
    return {
        "format": 1,
        "name": "held",
        "services": {
            "kafka": {"type": "KafkaConnection", "properties": {"bootstrap_servers": bootstrap}}
        },
        "processors": {
            "consume": {"type": "ConsumeKafka", "properties": consume},
            "hold": {"type": "Hold"},
        },
        "connections": [{"from": "consume", "relationships": ["success"], "to": "hold"}],
    }


@contextmanager
def flow_running(folder: Path, flow: dict, plugins: Path) -> Iterator[Path]:
    """`flowengine run` in a process of its own; its data directory."""
    file, data = folder / "held.json", folder / "data"
    file.write_text(json.dumps(flow))
    words = [sys.executable, "-m", "flowengine", "run", str(file), "--data-dir", str(data)]
    environ = {**os.environ, "PYTHONPATH": f"{plugins}{os.pathsep}{ROOT}"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, env=environ, cwd=folder, stdout=log, stderr=log)
        try:
            until(lambda: is_running(data) or None, "the flow to run")
            yield data
            with ControlClient(data) as runner:
                runner.stop()
            assert process.wait(30) == 0, (folder / "log").read_text()
        finally:
            process.kill()
            process.wait()


def generation(bootstrap: str, group: str, member: str) -> int:
    """Which generation of the group a member is in, found out by asking for each."""
    return in_own_loop(_generation(bootstrap, group, member))


async def _generation(bootstrap: str, group: str, member: str) -> int:
    async with admin.admin_client(bootstrap) as client:
        node = await client.find_coordinator(group)
        for number in range(MOST_GENERATIONS):
            request = HeartbeatRequest(group, number, member)
            if (await client._client.send(node, request)).error_code == 0:
                return number
    raise AssertionError(f"{member} is in no generation of {group}")


class Watching:
    """Looks at a group again and again while something else goes on."""

    def __init__(self, kafka, group: str) -> None:
        self.seen: set[tuple[str, tuple[str, ...]]] = set()
        self._kafka, self._group = kafka, group
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.5):
            found = self._kafka.group(self._group)
            self.seen.add((found.state, tuple(each.member_id for each in found.members)))


def held_for(kafka, tmp_path, plugins, seconds):
    """Hold a running flow's engine for so long, and tell everything that could be seen."""
    topic, group = kafka.create_topic(partitions=2), kafka.unique("held")
    flow = definition(kafka.bootstrap, topic, group)
    with flow_running(tmp_path, flow, plugins) as data, ControlClient(data) as runner:
        until(lambda: _joined(kafka, group), "the flow to be a member")
        (member,) = kafka.group(group).members
        before = generation(kafka.bootstrap, group, member.member_id)
        with Watching(kafka, group) as watching:
            kafka.produce(topic, [(None, b"%d" % seconds)])
            until(lambda: runner.status().held, "the engine to be held")
            answers = list(_answers(runner, seconds - 3))
            until(lambda: not runner.status().held, "the engine to be given back", seconds + 60)
        after = generation(kafka.bootstrap, group, member.member_id)
        bulletins = runner.get("/bulletins", component="hold")
        kafka.produce(topic, [(b"%d" % n, b"0") for n in range(50)])
        until(lambda: kafka.group(group).lag == 0, "everything to be read and committed")
        assert runner.status().ledger["in"] == 51
    return member.member_id, before, after, watching.seen, answers, bulletins


def _joined(kafka, group: str) -> bool:
    if group not in in_own_loop(admin.list_groups(kafka.bootstrap)):
        return False
    found = kafka.group(group)
    return found.state == "Stable" and bool(found.members)


def _answers(runner: ControlClient, seconds: float) -> Iterator[tuple[float, str | None]]:
    """How long each answer of the control API took while the engine was held, and who held it."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < end:
        asked = time.monotonic()
        held = runner.status().held
        yield time.monotonic() - asked, held.processor if held else None
        pause.wait(0.3)


def check(found):
    member, before, after, seen, answers, bulletins = found
    assert seen == {("Stable", (member,))}
    assert before == after
    assert len(answers) > 5
    assert max(duration for duration, _ in answers) < 3
    assert {name for _, name in answers} == {"hold"}
    texts = [one["message"] for one in bulletins]
    assert any("processor 'hold' (Hold) must give the engine back within 1 s" in t for t in texts)


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_reader_stays_a_member_while_a_processor_holds_the_engine(kafka, tmp_path, plugins):
    check(held_for(kafka, tmp_path, plugins, 10))


@pytest.mark.campaign
@pytest.mark.timeout(300)
def test_a_reader_stays_a_member_while_the_engine_is_held_for_a_minute(kafka, tmp_path, plugins):
    check(held_for(kafka, tmp_path, plugins, 60))


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_rebalance_waits_no_longer_than_its_budget_for_a_held_engine(kafka, tmp_path, plugins):
    topic, group = kafka.create_topic(partitions=2), kafka.unique("held")
    flow = definition(kafka.bootstrap, topic, group, max_poll_interval="5 sec")
    with (
        Readers(kafka.bootstrap) as readers,
        flow_running(tmp_path, flow, plugins) as data,
        ControlClient(data) as runner,
    ):
        until(lambda: _joined(kafka, group), "the flow to be a member")
        kafka.produce(topic, [(None, b"15")])
        until(lambda: runner.status().held, "the engine to be held")
        # One of its own: the assignor remembers its member's partitions in its class.
        sticky = type("Sticky", (StickyPartitionAssignor,), {})
        readers.join("guest", group, topic, partition_assignment_strategy=(sticky,))
        until(lambda: _shares(kafka, group) == [1, 1], "the guest to have its share")
        assert runner.status().held  # a fifth of the interval, not the time of the processor
        readers.leave("guest")
        kafka.produce(topic, [(b"%d" % n, b"0") for n in range(20)])
        until(lambda: kafka.group(group).lag == 0, "everything to be read and committed")


def _shares(kafka, group: str) -> list[int]:
    return [len(each.partitions) for each in kafka.group(group).members]
