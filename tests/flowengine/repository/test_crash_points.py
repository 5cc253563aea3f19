"""Wherever it crashes: what is recovered is one of the cuts (E10, E13, E14)."""

import random
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from flowengine.clock import FakeClock
from flowengine.errors import RepositoryError
from flowengine.session import ProcessSession
from tests.flowengine.repository.kit import FullDisk, Rig, copied, run

SECOND = 1_000_000
NAMES = """make make many fork fork sink open commit rollback cut cut evict wait full empty"""
STEPS = st.sampled_from(NAMES.split())


class Life:
    """Random sessions over a repository, with what each cut contained."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.clock = FakeClock()
        self.repository = FullDisk(directory, self.clock)
        self.rig = Rig(self.repository, self.clock)
        self.open: list[ProcessSession] = []
        self.cuts: list[Any] = [snapshot(self.rig, [])]
        self.acknowledged: list[int] = []
        self.promised = 0

    async def step(self, name: str) -> None:
        await getattr(self, f"do_{name}")()

    async def do_make(self) -> None:
        priority = str(self.random.randint(-2, 2))
        self.rig.make(self.random.choice([1, 3, 40]), attributes={"priority": priority})

    async def do_many(self) -> None:
        self.rig.make(self.random.choice([255, 300, 600]))

    async def do_fork(self) -> None:
        session = self.rig.session("fork")
        for flowfile in session.get_batch(self.random.choice([1, 5, 100, 300])):
            self._hand_on(session, flowfile)
        session.state["turns"] = session.state.get("turns", 0) + 1
        number, self.promised = self.promised, self.promised + 1
        session.on_durable(lambda: self.acknowledged.append(number))
        session.commit()

    def _hand_on(self, session: ProcessSession, flowfile: Any) -> None:
        fate = self.random.randint(0, 9)
        if fate < 4:
            session.transfer(flowfile, "success")
        elif fate < 7:
            session.transfer(flowfile, "failure")
        elif fate == 7:
            session.keep(flowfile.with_cursor(flowfile.cursor + 1))
        elif fate == 8:
            session.transfer(session.penalize(flowfile), self.random.choice(["success", "failure"]))
        else:
            session.keep(session.penalize(flowfile) if self.random.random() < 0.5 else flowfile)

    async def do_sink(self) -> None:
        self.rig.take("sink", self.random.choice([1, 10, 256, 500]))

    async def do_open(self) -> None:
        session = self.rig.session(self.random.choice(["fork", "sink"]))
        if session.get_batch(self.random.choice([1, 20, 300])):
            self.open.append(session)

    async def do_commit(self) -> None:
        if self.open:
            session = self.open.pop()
            session.remove(session.work.polled)
            session.commit()

    async def do_rollback(self) -> None:
        if self.open:
            self.open.pop(0).rollback()

    async def do_cut(self) -> None:
        try:
            await self.repository.flush()
        except RepositoryError:
            assert self.repository.backlogged
            return
        self.cuts.append(snapshot(self.rig, self.open))
        assert self.acknowledged == list(range(self.promised))

    async def do_full(self) -> None:
        self.repository.failures = self.random.randint(1, 2)

    async def do_evict(self) -> None:
        self.rig.assembly.limit_memory(self.random.choice([0, 50_000]))

    async def do_wait(self) -> None:
        self.clock.advance(self.random.choice([1, 20, 40]) * SECOND)

    async def do_empty(self) -> None:
        if self.random.random() < 0.2:
            self.rig.assembly.empty(self.rig.queue("plain"))


def snapshot(rig: Rig, sessions: list[ProcessSession]) -> Any:
    """Each connection's FlowFiles with their positions, polled ones included; state and ledger."""
    queues: dict[str, list[tuple[int, bytes]]] = {}
    flying = [piece for session in sessions for piece in session.work.pieces]
    for name, connection in rig.assembly.connections.items():
        pieces = [*connection._walk(newest=False)]
        pieces += [piece for piece in flying if piece.connection is connection]
        queues[name] = sorted(
            (piece.position + index, msgspec.msgpack.encode(flowfile))
            for piece in pieces
            for index, flowfile in enumerate(connection.members(piece))
        )
    state = {node.id: dict(node.state) for node in rig.assembly.nodes.values()}
    return queues, state, dict(rig.core.ledger.totals)


async def recovered(directory: Path, clock: FakeClock) -> Any:
    rig = Rig(FullDisk(directory, clock), clock)
    found = snapshot(rig, [])
    queued = rig.assembly.queued
    assert rig.core.ledger.balance(queued) == 0
    assert queued == sum(rig.recovered.connections.values())
    clock.advance(1000 * SECOND)
    for node in ("fork", "sink"):
        for connection in rig.assembly.nodes[node].inputs:
            check_order(connection, found[0][connection.id], clock.wall())
    rig.repository.abandon()
    return found


def check_order(connection: Any, expected: list[tuple[int, bytes]], now: int) -> None:
    """All that is polled after a restart comes in the order of positions (or of priorities)."""
    pieces = connection.poll(10**9, 10**9, now)
    if connection.id != "sorted":
        got = [msgspec.msgpack.encode(f) for piece in pieces for f in piece.flowfiles]
        assert got == [data for _, data in expected]
    assert connection.in_flight == connection.count == len(expected)


@settings(max_examples=60)
@given(st.lists(STEPS, min_size=3, max_size=40), st.integers(0, 10**6), st.floats(0, 1))
def test_every_crash_point_restores_a_cut(steps, seed, reached):
    async def live() -> None:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            life = Life(directory / "live", seed)
            for step in steps:
                await life.step(step)
            last = copied(directory / "live", directory / "last")
            torn = copied(directory / "live", directory / "torn", wal=reached)
            assert await recovered(last, life.clock) == life.cuts[-1]
            assert await recovered(torn, life.clock) in life.cuts
            life.repository.abandon()
            assert await recovered(directory / "live", life.clock) == life.cuts[-1]

    run(live())


@settings(max_examples=30)
@given(st.lists(STEPS, min_size=3, max_size=25), st.integers(0, 10**6), st.integers(1, 4))
def test_lives_that_crash_and_go_on_lose_nothing_and_repeat_no_id(steps, seed, lives):
    async def live() -> None:
        with tempfile.TemporaryDirectory() as name:
            last, ids, made = None, set(), 0
            for number in range(lives):
                life = Life(Path(name), seed + number)
                assert last is None or life.cuts[0] == last
                for step in steps:
                    await life.step(step)
                fresh = life.rig.make(3)
                made += 3
                ids |= {flowfile.id for flowfile in fresh}
                life.repository.abandon()
                last = life.cuts[-1]
            assert len(ids) == made

    run(live())
