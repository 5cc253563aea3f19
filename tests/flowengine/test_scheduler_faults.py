"""The scheduler: what it does when the repository fails, and when all is done (E11, E12)."""

import os
import sqlite3
import threading
from typing import Any

import pytest

from flowengine.clock import FakeClock
from flowengine.content import INLINE_LIMIT
from flowengine.engine import Engine
from flowengine.errors import RepositoryError
from flowengine.repository import SqliteRepository
from tests.processors_for_tests import (
    SECOND,
    Numbers,
    Remove,
    chain,
    collector,
    counted,
    elapse,
    ended,
    numbers,
    one_each,
    processor,
    running,
    settled,
)


async def test_an_unreadable_content_stops_sources_until_it_can_be_read_again():
    broken = [True]

    def read(context, session):
        batch = session.get_batch()
        if broken:
            raise RepositoryError("content file 'x' must be readable")
        session.remove(batch)

    source, made = counted(one_each, source=True)
    flow = chain(
        (source, {"scheduling": {"every": "1 sec"}}, {}), processor(read, relationships=())
    )
    async with running(flow) as engine:
        await elapse(engine, 60 * SECOND)
        assert len(made) == 1
        assert engine.assembly.core.faults == {"p1": "content file 'x' must be readable"}
        broken.clear()
        await elapse(engine, 2 * SECOND)
        await elapse(engine, 2 * SECOND)
        assert engine.assembly.core.faults == {}
    assert len(made) >= 2


async def test_sources_go_on_once_what_could_not_be_read_is_thrown_away():
    def read(context, session):
        if session.get_batch():
            raise RepositoryError("content file 'x' must be readable")

    source, made = counted(one_each, source=True)
    flow = chain(
        (source, {"scheduling": {"every": "1 sec"}}, {}), processor(read, relationships=())
    )
    async with running(flow) as engine:
        engine.assembly.empty(engine.assembly.connections["p0-p1"])
        await elapse(engine, 2 * SECOND)
        assert len(made) == 2


async def test_a_source_whose_own_fault_it_is_tries_again():
    def make(context, session):
        if context.clock.monotonic() < 5 * SECOND:
            raise RepositoryError("content directory must be writable")
        one_each(context, session)

    source, _ = counted(make, source=True)
    sink, got = collector()
    async with running(chain((source, {"scheduling": {"every": "1 sec"}}, {}), sink)) as engine:
        for _ in range(10):
            await elapse(engine, SECOND)
        assert engine.assembly.core.faults == {}
    assert got


class Full(SqliteRepository):
    full = True

    def _write(self, cut):
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        super()._write(cut)


async def test_a_full_disk_stops_sources_and_room_resumes_them(tmp_path):
    clock = FakeClock()
    repository = Full(tmp_path, clock)
    source, made = counted(one_each, source=True)
    flow = chain((source, {"scheduling": {"every": "1 sec"}}, {}), Remove)
    async with running(flow, repository, clock=clock) as engine:
        while repository.problem is None:
            await on_disk(engine)
        stopped = len(made)
        for _ in range(10):
            await on_disk(engine)
        assert len(made) == stopped
        repository.full = False
        while len(made) == stopped:
            await on_disk(engine)


async def on_disk(engine):
    """A second passes, and the writer has done what it was asked."""
    await elapse(engine, SECOND)
    async with engine.repository._written:
        pass
    await settled(engine)


async def test_memory_beyond_the_budget_is_freed_by_a_cut_and_all_arrives(tmp_path):
    clock = FakeClock()
    sink, got = collector()
    flow = chain((Numbers, {}, {"count": 3000}), sink)
    repository = SqliteRepository(tmp_path, clock)
    options: Any = {"clock": clock, "memory_budget": 100_000, "stopped": ("p1",)}
    async with running(flow, repository, **options) as engine:
        await on_disk(engine)
        await repository.flush()
        queue = engine.assembly.connections["p0-p1"]
        assert queue.count == 3000
        assert queue.resident <= 100_000
        engine.start("p1")
        await settled(engine)
    assert numbers(got) == list(range(3000))


# -- content in files is not for the loop (E3, E16) --------------------------------------------

BIG = b"x" * (INLINE_LIMIT + 1)


def _write_big(context, session):
    made = [session.write(flowfile, BIG) for flowfile in session.get_batch()]
    session.transfer(made, "success")


async def _write_big_as_task(context, session):
    _write_big(context, session)


@pytest.mark.parametrize("trigger", [_write_big, _write_big_as_task])
async def test_content_in_files_is_synced_by_a_thread_before_the_commit(
    tmp_path, monkeypatch, trigger
):
    synced = []
    fsync = os.fsync

    def watched(descriptor):
        if "/content" in os.readlink(f"/proc/self/fd/{descriptor}"):
            synced.append((threading.get_ident(), len(got)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    sink, got = collector()
    flow = chain((Numbers, {}, {"count": 3}), processor(trigger), sink)
    engine = Engine(flow, SqliteRepository(tmp_path), clock=FakeClock())
    async with engine.opened():
        await ended(engine)
    assert [flowfile.size for flowfile in got] == [len(BIG)] * 3
    assert len(synced) >= 4  # three files and their folder
    assert threading.get_ident() not in {thread for thread, _ in synced}
    assert {before for _, before in synced} == {0}


async def test_a_trigger_that_starts_over_on_a_thread_loses_and_doubles_nothing(tmp_path):
    seen = []

    def trigger(context, session):
        for flowfile in session.get_batch():
            seen.append(threading.get_ident())
            content = BIG if flowfile.attributes["number"] == "5" else b"small"
            session.transfer(session.write(flowfile, content), "success")

    sink, got = collector()
    flow = chain(Numbers, processor(trigger), sink)
    async with running(flow, SqliteRepository(tmp_path)) as engine:
        await settled(engine)
        assert numbers(got) == list(range(10))
        assert engine.board.list() == []
    assert len(seen) == 16  # five and a half on the loop, then all ten on a thread
    assert len(set(seen)) == 2
