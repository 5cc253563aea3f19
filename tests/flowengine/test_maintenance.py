import asyncio
from datetime import datetime

import pytest

from flowengine.content import FileContent
from flowengine.definition.builder import Flow
from flowengine.errors import DefinitionError, EnvironmentFault, LockedError
from flowengine.flowfile import FlowFile
from flowengine.maintenance import (
    forget_queues,
    forget_states,
    parse_target,
    reset_positions,
    stopped_store,
)
from flowengine.processor import InputRequirement, Processor, Relationship
from flowengine.repository.lock import DirectoryLock
from flowengine.repository.store import Cut, NewRow, Run, Store


class Positioned(Processor):
    """A source with positions that can be set."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("Everything.")

    @classmethod
    async def reset_positions(cls, properties, services, to):
        if to == "latest":
            raise EnvironmentFault("broker must answer; got none")
        return {"users/0": 7 if to == "earliest" else to, "users/1": None}


class Sink(Processor):
    """An end."""


def flow_with(*types):
    flow = Flow("f")
    for number, cls in enumerate(types):
        flow.add(f"source{number}", cls)
        flow.add(f"sink{number}", Sink)
        flow.connect(f"source{number}", "success", f"sink{number}")
    return flow.load()


@pytest.fixture
def directory(tmp_path):
    """A data directory with three FlowFiles, one of them dead, a content file, and states."""
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "a").write_bytes(b"large")
    store = Store(tmp_path / "flow.db")
    store.prepare()
    flowfiles = [FlowFile(n, {}, FileContent("a", 5), 5, 0, 0, 0, None) for n in range(3)]
    row = NewRow(1, "a-b", [Run(0, 3, 15, False, 0, None)], [flowfiles], ["a"])
    state = {("source0", "users/0"): 3, ("source0", "users/1"): 4, ("other", "n"): 1}
    meta = {"ledger": {"in": 3, "out": 1}}
    store.write(Cut(rows=[row], state=state, meta=meta))
    store.write(Cut(dead={1: [(0, 1)]}))
    store.close()
    return tmp_path


def test_queues_are_forgotten_with_their_contents_and_counted_as_dropped(directory):
    with stopped_store(directory) as store:
        assert forget_queues(store) == 2
        assert list(store.rows()) == []
        assert store.meta()["ledger"] == {"in": 3, "out": 1, "dropped": 2}
    assert list((directory / "content").iterdir()) == []


def test_states_are_forgotten_and_queues_stay(directory):
    with stopped_store(directory) as store:
        assert forget_states(store) == 3
        assert store.state() == {}
        assert len(list(store.rows())) == 1


def test_positions_are_set_by_the_processors_that_have_them(directory):
    with stopped_store(directory) as store:
        assert asyncio.run(reset_positions(store, flow_with(Positioned), "earliest")) == 2
        assert store.state() == {("source0", "users/0"): 7, ("other", "n"): 1}


def test_nothing_changes_when_one_of_them_fails(directory):
    with stopped_store(directory) as store:
        before = store.state()
        with pytest.raises(EnvironmentFault, match="broker must answer; got none"):
            asyncio.run(reset_positions(store, flow_with(Positioned), "latest"))
        assert store.state() == before


def test_a_directory_whose_flow_runs_is_refused(directory):
    lock = DirectoryLock(directory)
    lock.acquire()
    with pytest.raises(LockedError), stopped_store(directory):
        pass
    lock.release()


def test_the_lock_is_given_back(directory):
    for _ in range(2):
        with stopped_store(directory):
            pass


def test_a_target_is_a_word_or_a_time():
    assert parse_target("Earliest") == "earliest"
    assert parse_target("latest") == "latest"
    assert parse_target("1970-01-01T00:01:00.5+00:00") == 60_500_000
    local = datetime(2025, 1, 31, 12).astimezone().timestamp()
    assert parse_target("2025-01-31T12:00") == int(local * 1e6)


def test_any_other_text_is_refused():
    with pytest.raises(DefinitionError) as caught:
        parse_target("soon")
    assert str(caught.value) == (
        "option '--offsets' must be 'earliest', 'latest' or a time such as '2025-01-31T12:00'; "
        "got 'soon'"
    )
