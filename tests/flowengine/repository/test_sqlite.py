"""The durable repository: what a cut promises, and what goes wrong around it (E1, E2, E10-E18)."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

from flowengine.clock import FakeClock
from flowengine.content import INLINE_LIMIT
from flowengine.definition.builder import Flow
from flowengine.errors import LockedError, RepositoryError
from flowengine.flowfile import FlowFile
from flowengine.repository import SqliteRepository
from flowengine.repository.sqlite import BACKLOG_OBJECTS
from tests.flowengine.repository.kit import (
    FullDisk,
    Rig,
    Sink,
    Source,
    closed,
    copied,
    crashed,
    rig_on,
)
from tests.processors_for_tests import SECOND, file_of, only, polled

LARGE = b"x" * (INLINE_LIMIT + 1)


# -- acknowledging (E2) ------------------------------------------------------------------------


def promised(rig: Rig, calls: list, name: str, count: int = 1) -> None:
    session = rig.session("source")
    session.transfer([session.create() for _ in range(count)], "success")
    session.on_durable(lambda: calls.append(name))
    session.commit()


async def test_callbacks_come_after_the_cut_in_the_order_of_commits_and_once(tmp_path):
    rig, calls = rig_on(tmp_path), list[Any]()
    for name in "abc":
        promised(rig, calls, name)
    assert calls == []
    await rig.repository.flush()
    assert calls == ["a", "b", "c"]
    await rig.repository.flush()
    await closed(rig)
    assert calls == ["a", "b", "c"]


async def test_a_callback_waits_for_its_own_cut(tmp_path):
    rig, calls = rig_on(tmp_path), list[Any]()
    seen = []
    promised(rig, calls, "first")
    rig.repository.after_cut = lambda: seen.append(list(calls))
    async with asyncio.TaskGroup() as group:
        group.create_task(rig.repository.flush())
        await asyncio.sleep(0)  # the cut is being written now
        promised(rig, calls, "second")
    assert seen == [["first"]]
    await rig.repository.flush()
    assert calls == ["first", "second"]
    await closed(rig)


async def test_a_rolled_back_session_is_never_acknowledged(tmp_path):
    rig, calls = rig_on(tmp_path), list[Any]()
    session = rig.session("source")
    session.on_durable(lambda: calls.append("no"))
    session.rollback()
    await closed(rig)
    assert calls == []


# -- a full disk (E12) -------------------------------------------------------------------------


async def test_a_full_disk_stops_sources_loses_nothing_and_ends_by_itself(tmp_path):
    clock, calls, changes = FakeClock(), list[Any](), list[bool]()
    repository = FullDisk(tmp_path, clock)
    rig = Rig(repository, clock)
    repository.on_change = lambda: changes.append(repository.backlogged)
    repository.failures = 2
    promised(rig, calls, "a", 3)
    for _ in range(2):
        with pytest.raises(RepositoryError) as caught:
            await repository.flush()
        rig.take("fork", 1)
        assert repository.backlogged, "a commit in between must not set sources free"
    assert str(caught.value) == (
        f"repository '{tmp_path}' must be writable; got database or disk is full. Sources wait and "
        "resume by themselves when there is room again; nothing queued is lost"
    )
    assert rig.core.sources_wait()
    await repository.flush()
    assert (calls, repository.problem, repository.backlogged, changes[-1]) == (["a"], None, 0, 0)
    left = rig.ids("in")
    crashed(rig)
    again = rig_on(tmp_path, clock)
    assert again.ids("in") == left
    assert len(left) == 1
    crashed(again)


async def test_the_runner_tries_again_after_a_second(tmp_path):
    clock = FakeClock()
    repository = FullDisk(tmp_path, clock)
    rig = Rig(repository, clock)
    repository.failures = 1
    rig.make(1)
    async with asyncio.TaskGroup() as group:
        group.create_task(repository.run())
        while repository.cuts == 0:
            await asyncio.sleep(0)
            clock.advance(SECOND // 10)
        repository.stop()
    assert repository.problem is None
    await closed(rig)


async def test_a_cut_that_is_cancelled_is_written_with_the_next(tmp_path):
    rig, calls = rig_on(tmp_path), list[Any]()
    promised(rig, calls, "a", 5)
    cutting = asyncio.get_running_loop().create_task(rig.repository.flush())
    await asyncio.sleep(0)
    cutting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cutting
    taken = rig.take("fork", 2)
    left = rig.ids("in")
    await closed(rig)
    again = rig_on(tmp_path)
    assert (again.ids("in"), calls, len(taken)) == (left, ["a"], 2)
    crashed(again)


async def test_a_full_disk_at_the_end_still_gives_the_directory_back(tmp_path):
    clock = FakeClock()
    rig = Rig(FullDisk(tmp_path, clock), clock)
    made = rig.make(2)
    await rig.repository.flush()
    rig.repository.failures = 1
    await closed(rig)
    again = rig_on(tmp_path)
    assert again.ids("in") == [f.id for f in made]
    crashed(again)


async def test_too_much_that_no_cut_has_seen_stops_sources(tmp_path):
    rig = rig_on(tmp_path)
    rig.make(BACKLOG_OBJECTS)
    assert not rig.core.sources_wait()
    rig.make(1)
    assert rig.core.sources_wait()
    await rig.repository.flush()
    assert not rig.core.sources_wait()
    await closed(rig)


# -- identity and completion (E1, E19) ---------------------------------------------------------


async def test_no_start_repeats_the_ids_of_another(tmp_path):
    firsts = []
    for _ in range(3):
        rig = rig_on(tmp_path)
        firsts.append(rig.core.ids.take() >> 40)
        crashed(rig)
    assert firsts == [1, 2, 3]


@pytest.mark.parametrize("completed", [True, False])
async def test_only_a_completed_run_clears_its_sources(tmp_path, completed):
    rig = rig_on(tmp_path)
    for name in ("source", "fork"):
        session = rig.session(name)
        session.state["place"] = 7
        session.commit()
    await closed(rig, completed=completed)
    again = rig_on(tmp_path)
    nodes = again.assembly.nodes
    assert dict(nodes["source"].state) == ({} if completed else {"place": 7})
    assert dict(nodes["fork"].state) == {"place": 7}
    crashed(again)


async def test_counters_ledger_and_state_come_back(tmp_path):
    rig = rig_on(tmp_path)
    rig.make(3)
    session = rig.session("fork")
    session.remove(session.get_batch(2))
    session.adjust_counter("seen", 2)
    session.state.update(a=1, b="x", c=b"y", d={"e": 1.5}, gone=1)
    session.commit()
    await rig.repository.flush()
    session = rig.session("fork")
    del session.state["gone"]
    session.commit()
    await closed(rig)
    again = rig_on(tmp_path)
    assert again.core.counters == {"seen": 2}
    assert again.core.ledger.line(1) == "3 in = 2 out + 0 failed + 0 expired + 0 dropped + 1 queued"
    assert again.assembly.nodes["fork"].state == {"a": 1, "b": "x", "c": b"y", "d": {"e": 1.5}}
    crashed(again)


# -- penalties (E10) ---------------------------------------------------------------------------


async def penalized(tmp_path, clock: FakeClock) -> None:
    rig = rig_on(tmp_path, clock)
    rig.make(2)
    session = rig.session("fork")
    session.keep(session.penalize(only(session)))
    session.commit()
    await closed(rig)


@pytest.mark.parametrize(("jump", "left"), [(0, 30), (10, 20), (40, -10), (-86_400, 30)], ids=str)
async def test_a_penalty_outlasts_neither_a_restart_nor_a_jump_of_the_clock(tmp_path, jump, left):
    clock = FakeClock()
    await penalized(tmp_path, clock)
    clock.set_wall(clock.wall() + jump * SECOND)
    again = rig_on(tmp_path, clock)
    queue = again.queue("in")
    assert queue.next_due() == clock.wall() + left * SECOND
    clock.advance(max(left, 0) * SECOND)
    assert [f.cursor for f in polled(queue.poll(9, 99, clock.wall()))] == [0, 0]
    crashed(again)


# -- content files (E16) -----------------------------------------------------------------------


def names(rig: Rig) -> set[str]:
    return rig.core.contents.names()


async def test_a_file_is_unlinked_after_the_cut_that_drops_its_last_reference(tmp_path):
    rig = rig_on(tmp_path)
    [made] = rig.make(1, size=len(LARGE))
    await rig.repository.flush()
    rig.take("fork", 1)
    assert names(rig) == {file_of(made).name}
    await rig.repository.flush()
    assert names(rig) == set()
    await closed(rig)


async def test_references_are_counted_again_after_a_restart(tmp_path):
    rig = rig_on(tmp_path)
    rig.make(3, size=len(LARGE))
    await rig.repository.flush()
    session = rig.session("fork")
    session.transfer(session.get_batch(1), "success")
    session.commit()
    await rig.repository.flush()  # dead in the row of "in", alive in "plain"
    crashed(rig)
    again = rig_on(tmp_path)
    assert len(names(again)) == 3
    again.take("sink", 1)
    await again.repository.flush()
    assert len(names(again)) == 2
    again.take("fork", 9)
    await again.repository.flush()
    again.take("fork", 9)
    await again.repository.flush()
    assert names(again) == set()
    crashed(again)


async def test_files_that_no_cut_names_go_at_the_start(tmp_path):
    rig = rig_on(tmp_path)
    [kept] = rig.make(1, size=len(LARGE))
    await rig.repository.flush()
    rig.make(1, size=len(LARGE))
    assert len(names(rig)) == 2
    crashed(rig)
    again = rig_on(tmp_path)
    assert names(again) == {file_of(kept).name}
    crashed(again)


async def test_a_kept_flowfile_keeps_its_new_file_through_a_restart(tmp_path):
    rig = rig_on(tmp_path)
    rig.make(2)
    session = rig.session("fork")
    session.keep(session.write(only(session), LARGE))
    session.commit()
    await closed(rig)
    again = rig_on(tmp_path)
    session = again.session("fork")
    assert session.read(only(session)) == LARGE
    session.rollback()
    crashed(again)


async def test_an_unreadable_file_names_the_remedy_and_keeps_the_flowfile(tmp_path):
    rig = rig_on(tmp_path)
    [made] = rig.make(1, size=len(LARGE))
    (path := rig.core.contents.path(file_of(made))).unlink()
    session = rig.session("fork")
    with pytest.raises(RepositoryError) as caught:
        session.read(only(session))
    assert str(caught.value) == (
        f"content file {str(path)!r} must be readable; got No such file or directory. "
        "Restore it from a backup, or empty the queue that holds its FlowFile"
    )
    session.rollback()
    assert rig.assembly.empty(rig.queue("in")) == 1
    await closed(rig)


# -- a different definition (E18) --------------------------------------------------------------


async def test_forgotten_connections_are_counted_and_their_files_go(tmp_path):
    rig = rig_on(tmp_path)
    rig.make(3, size=len(LARGE))
    await rig.repository.flush()
    rig.take("fork", 1)
    await closed(rig)
    repository = SqliteRepository(tmp_path, FakeClock())
    found = repository.recover()
    assert found.connections == {"in": 2}
    assert repository.forget(["in"]) == 2
    await repository.flush()
    assert os.listdir(repository.content_directory) == []
    await repository.close(completed=False)
    again = SqliteRepository(tmp_path)
    assert again.recover().connections == {}
    again.abandon()


async def test_rows_of_connections_that_are_gone_wait_for_a_choice(tmp_path):
    rig = rig_on(tmp_path)
    made = rig.make(3)
    await closed(rig)
    flow = Flow("other")
    flow.add("a", Source)
    flow.add("b", Sink)
    flow.connect("a", "success", "b")
    crashed(rig_on(tmp_path, flow=flow.load()))
    again = rig_on(tmp_path)
    assert again.ids("in") == [f.id for f in made]
    crashed(again)


# -- memory (E11) ------------------------------------------------------------------------------


async def test_what_is_on_disk_leaves_memory_and_is_read_back_in_order(tmp_path):
    rig = rig_on(tmp_path)
    made = rig.make(1000, size=100)
    rig.assembly.limit_memory(0)
    assert rig.core.out_of_memory, "nothing is on disk yet"
    await rig.repository.flush()
    rig.assembly.limit_memory(0)
    assert (rig.queue("in").resident, rig.core.out_of_memory) == (0, False)
    assert rig.take("fork", 1000) == made
    await closed(rig)


async def test_recovery_loads_metadata_only(tmp_path):
    rig = rig_on(tmp_path)
    rig.make(1000, size=100)
    await closed(rig)
    again = rig_on(tmp_path)
    queue = again.queue("in")
    assert (queue.count, queue.bytes, queue.resident) == (1000, 100_000, 0)
    crashed(again)


# -- one bad processor (E5) --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "stored"),
    [(5, "5"), ("a\udcffb", "a?b"), (object, "<class 'object'>"), (2**70, str(2**70))],
)
async def test_an_attribute_that_is_no_text_does_not_stop_the_store(tmp_path, value, stored):
    rig = rig_on(tmp_path)
    session = rig.session("source")
    session.transfer([session.create(b"a"), session.create(b"b", {"bad": value})], "success")
    session.commit()
    await closed(rig)
    again = rig_on(tmp_path)
    assert [f.attributes for f in again.queue("in").peek(9)] == [{}, {"bad": stored}]
    assert all(type(f) is FlowFile for f in again.queue("in").peek(9))
    crashed(again)


# -- one owner, and files that are not ours (E17) ----------------------------------------------


async def test_the_second_runner_is_refused_with_the_pid_of_the_first(tmp_path):
    rig = rig_on(tmp_path)
    with pytest.raises(LockedError) as caught:
        SqliteRepository(tmp_path).recover()
    assert str(caught.value) == (
        f"data directory '{tmp_path}' must have one owner; got a second runner while pid "
        f"{os.getpid()} runs on it. Stop that one, or choose another --data-dir"
    )
    await closed(rig)
    crashed(rig_on(tmp_path))


def test_the_lock_of_a_process_that_died_is_free(tmp_path):
    code = (
        "import sys, os; from pathlib import Path; from flowengine.repository.lock import *;"
        "DirectoryLock(Path(sys.argv[1])).acquire(); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60)
    repository = SqliteRepository(tmp_path)
    repository.recover()
    repository.abandon()


def message(directory) -> str:
    repository = SqliteRepository(directory)
    with pytest.raises(RepositoryError) as caught:
        repository.recover()
    (directory / "flow.db").unlink()
    repository = SqliteRepository(directory)
    repository.recover()  # the lock was given back
    repository.abandon()
    return str(caught.value)


def test_another_programs_database_is_refused_and_left_as_it_was(tmp_path):
    other = sqlite3.connect(tmp_path / "flow.db")
    other.execute("CREATE TABLE theirs (a)")
    other.close()
    before = (tmp_path / "flow.db").read_bytes()
    repository = SqliteRepository(tmp_path)
    with pytest.raises(RepositoryError):
        repository.recover()
    assert (tmp_path / "flow.db").read_bytes() == before
    assert message(tmp_path) == (
        f"repository '{tmp_path}/flow.db' must be one that flowengine made; got another program's "
        "database. Choose another --data-dir"
    )


def test_a_newer_format_is_refused(tmp_path):
    crashed(rig_on(tmp_path))
    newer = sqlite3.connect(tmp_path / "flow.db")
    newer.execute("PRAGMA user_version=99")
    newer.close()
    assert message(tmp_path) == (
        f"repository '{tmp_path}/flow.db' must have format 1 or older; got 99. "
        "Use the newer flowengine that wrote it"
    )


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "flow.db").write_bytes(b"no database" * 1000)
    assert message(tmp_path) == (
        f"repository '{tmp_path}/flow.db' must be a readable SQLite database; got file is not a "
        "database. Restore it with `flowengine restore`, or move the file away to start empty"
    )


async def test_a_damaged_file_is_an_error_with_a_remedy_and_never_wrong_data(tmp_path):
    rig = rig_on(tmp_path / "good")
    rig.make(600, attributes={"a": "b"})
    await closed(rig)
    before = rig_on(tmp_path / "good")
    good = before.queue("in").peek(1000)
    crashed(before)
    size = (tmp_path / "good" / "flow.db").stat().st_size
    for number in range(40):
        directory = copied(tmp_path / "good", tmp_path / str(number))
        with (directory / "flow.db").open("r+b") as file:
            file.seek(size * number // 40 + number)
            file.write(b"\xa5" * 50)
        repository = SqliteRepository(directory, FakeClock())
        with suppress(RepositoryError):
            rig = Rig(repository)
            assert rig.queue("in").peek(1000) == good[: rig.queue("in").count]
        with suppress(AttributeError):  # recovery itself failed, and gave everything back
            repository.abandon()
