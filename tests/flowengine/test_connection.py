"""Connections against a model: order, counts, conservation, exact roll-back (E4, E9, E10)."""

import math
from operator import attrgetter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flowengine.connection import Connection
from flowengine.errors import RepositoryError
from flowengine.flowfile import FlowFile
from flowengine.line import Holds, PositionLine, runs
from flowengine.piece import OVERHEAD, ROW_BYTES, ROW_OBJECTS, Piece, Row
from flowengine.prioritizers import sort_key
from flowengine.repository import MemoryRepository
from tests.processors_for_tests import flowfile, polled, queue

PRIORITIES = st.sampled_from([None, "1", "-3", "10", "9", "abc", "b", " 2 ", "1.5"])


class Disk(MemoryRepository):
    """A journal that can evict: what is stored is kept aside and given back by ``load``."""

    def __init__(self):
        super().__init__()
        self.stored = {}
        self.broken = False

    def store(self, piece: Piece) -> None:
        if piece.row is None:
            piece.row, piece.offset = Row(len(self.stored) + 1, piece.count), 0
            piece.row.stored = True
            self.stored[piece.row.id] = list(piece.flowfiles or ())

    def load(self, piece):
        if self.broken:
            raise RepositoryError("the disk must be readable; got a broken one")
        return self.stored[piece.row.id][piece.offset : piece.offset + piece.count]


class ConnectionMachine(RuleBasedStateMachine):
    """The model is a list of ``(position, FlowFile)`` that wait, and one of what was polled."""

    expiration = 0
    prioritizers = ()

    @initialize(names=st.sampled_from([(), (), ("priority attribute",), ("newest first",)]))
    def make(self, names):
        self.now, self.next = 1000, 1
        self.key = sort_key(names)
        self.disk = Disk()
        self.queue = queue(self.disk, sort_key=self.key)
        self.waiting, self.tail, self.sessions, self.settled = [], 0, [], 0

    def _make(self, count, priority=None, **fields):
        attributes = {} if priority is None else {"priority": priority}
        made = [
            flowfile(self.next + i, size=(self.next + i) % 7, attributes=attributes, **fields)
            for i in range(count)
        ]
        self.next += count
        self.waiting += [(self.tail + i, f) for i, f in enumerate(made)]
        self.tail += count
        return made

    @rule(count=st.sampled_from([1, 1, 2, 5, 255, 256, 257, 600]), priority=PRIORITIES)
    def put(self, count, priority):
        made = self._make(count, priority)
        self.queue.put(made, sum(f.size for f in made))

    @rule(count=st.integers(1, 4), wait=st.integers(1, 50))
    def put_penalized(self, count, wait):
        self.queue.put_penalized(self._make(count, penalty_until=self.now + wait))

    @rule(time=st.integers(1, 60))
    def advance(self, time):
        self.now += time

    def _ready(self):
        free = [entry for entry in self.waiting if entry[1].penalty_until <= self.now]
        if self.key is None:
            return sorted(free, key=lambda entry: entry[0])
        key = self.key
        return sorted(free, key=lambda entry: (key(entry[1], entry[0]), entry[0]))

    @rule(objects=st.sampled_from([1, 2, 10, 256, 300]), size=st.sampled_from([1, 50, 10**6]))
    def poll(self, objects, size):
        pieces = self.queue.poll(objects, size, self.now)
        got = polled(pieces)
        expected = self._ready()[: len(got)]
        assert got == [f for _, f in expected]
        assert len(got) <= objects
        assert bool(got) == bool(self._ready())
        total = sum(f.size for f in got)
        assert total <= size or len(got) == 1 or sum(f.size for f in got[:-1]) <= size
        if len(got) < objects and total < size:
            assert len(got) == len(self._ready())
        self.waiting = [entry for entry in self.waiting if entry not in expected]
        if pieces:
            self.sessions.append((pieces, expected))

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def restore(self, data):
        pieces, entries = self.sessions.pop(data.draw(st.integers(0, len(self.sessions) - 1)))
        self.queue.restore(data.draw(st.permutations(pieces)))
        self.waiting += entries

    @precondition(lambda self: self.sessions)
    @rule(data=st.data())
    def settle(self, data):
        pieces, entries = self.sessions.pop(data.draw(st.integers(0, len(self.sessions) - 1)))
        self.queue.settle(pieces)
        self.settled += len(entries)
        assert not any(piece.alive for piece in pieces)

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), wait=st.sampled_from([0, 20]))
    def put_the_first_one_back_changed(self, data, wait):
        """As a retry or a cursor does."""
        pieces, entries = self.sessions.pop()
        first, *rest = pieces
        if first.count > 1:
            first, other = self.queue.split(first, [1, first.count - 1])
            rest = [other, *rest]
        (position, old), *kept = entries
        until = self.now + wait if wait else 0
        new = flowfile(old.id, old.size, attributes=old.attributes, penalty_until=until, attempts=1)
        self.queue.put_at(position, new)
        self.queue.settle([first])
        self.queue.restore(rest)
        self.waiting += [(position, new), *kept]
        assert first.position == position

    @rule(excess=st.sampled_from([1, 500, 10**9]))
    def store_and_evict(self, excess):
        for piece in self.queue._walk(newest=False):
            self.disk.store(piece)
        before = self.queue.resident
        freed = self.queue.evict(excess)
        assert self.queue.resident == before - freed
        assert freed >= min(excess, self._evictable(before))

    def _evictable(self, resident):
        flying = [f for pieces, _ in self.sessions for f in polled(pieces)]
        return resident - sum(f.size + OVERHEAD for f in flying)

    @rule(maximum=st.integers(1, 400), newest=st.booleans())
    def peek(self, maximum, newest):
        self.queue.release(self.now)
        ready = [f for _, f in self._ready()]
        penalized = [entry for entry in self.waiting if entry[1].penalty_until > self.now]
        got = self.queue.peek(maximum, newest=newest)
        assert len(got) == min(maximum, len(self.waiting))
        if newest and maximum >= len(self.waiting):
            got = got[::-1]
        if not newest or maximum >= len(self.waiting):
            assert got[: len(ready)] == ready[: len(got)]
            late = got[len(ready) :]
            assert late == sorted(late, key=attrgetter("penalty_until"))
            assert {f.id for f in late} <= {f.id for _, f in penalized}

    @invariant()
    def counts_are_exact(self):
        if not hasattr(self, "queue"):
            return
        flying = [entry for _, entries in self.sessions for entry in entries]
        everything = [f for _, f in self.waiting + flying]
        assert self.queue.count == len(everything)
        assert self.queue.bytes == sum(f.size for f in everything)
        assert self.queue.in_flight == len(flying)
        assert self.next - 1 == self.queue.count + self.settled
        assert self.queue.resident >= 0

    def teardown(self):
        if not hasattr(self, "queue"):
            return
        for pieces, entries in self.sessions:
            self.queue.restore(pieces)
            self.waiting += entries
        self.now += 1000
        rest = polled(self.queue.poll(10**9, 10**9, self.now))
        assert rest == [f for _, f in self._ready()]


ConnectionMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestConnectionAgainstItsModel = ConnectionMachine.TestCase


# -- bounds ------------------------------------------------------------------------------------


def filled(count: int, **options) -> Connection:
    made = queue(**options)
    made.put([flowfile(i) for i in range(count)], count)
    return made


def ids_of(connection: Connection, objects: int = 10**6, size: int = 10**9, now: int = 0) -> list:
    return [f.id for f in polled(connection.poll(objects, size, now))]


@pytest.mark.parametrize(
    ("limits", "full"),
    [({"objects": 10}, True), ({"objects": 11}, False), ({"bytes": 10}, True), ({}, False)],
)
def test_it_is_full_at_either_threshold_and_never_without_one(limits, full):
    assert filled(10, **limits).full is full


def test_what_was_polled_still_counts_until_its_session_commits():
    made, room = filled(10, objects=10), []
    made.on_room = lambda: room.append(made.count)
    pieces = made.poll(5, 100, 0)
    assert made.full
    assert made.statistics().in_flight == 5
    made.settle(pieces)
    assert (made.full, room) == (False, [5])


def test_statistics_name_the_fuller_bound():
    made = queue(objects=4, bytes=100)
    made.put([flowfile(1, 80)], 80)
    made.put_penalized([flowfile(2, 10, penalty_until=5)])
    now = made.statistics()
    assert (now.queued, now.bytes, now.penalized, now.percent) == (2, 90, 1, 90.0)


def test_at_least_one_is_polled_however_large_it_is():
    made = queue()
    made.put([flowfile(1, 5000), flowfile(2, 1)], 5001)
    assert ids_of(made, 10, 100) == [1]
    assert ids_of(made, 10, 100) == [2]


# -- expiration (NiFi scenarios 18, 19) --------------------------------------------------------


def test_a_poll_drops_what_has_expired_and_reports_it():
    made, gone = queue(expiration=10), list[FlowFile]()
    made.expired = gone.extend
    made.put([flowfile(i, entry_time=0) for i in range(100)], 100)
    assert ids_of(made, now=10) == []
    assert (made.count, made.bytes, made.in_flight, len(gone)) == (0, 0, 0, 100)


def test_what_lives_between_expired_ones_keeps_its_order():
    made, gone = queue(expiration=10), list[FlowFile]()
    made.expired = gone.extend
    made.put([flowfile(i, entry_time=20 if i % 3 else 0) for i in range(9)], 9)
    assert ids_of(made, now=15) == [1, 2, 4, 5, 7, 8]
    assert [f.id for f in gone] == [0, 3, 6]


# -- prioritizers (NiFi scenarios 28, 30) ------------------------------------------------------


def with_priority(number: int, priority: str | None) -> FlowFile:
    return flowfile(number, attributes={} if priority is None else {"priority": priority})


def test_priority_is_integers_by_value_then_text_then_none():
    made = queue(sort_key=sort_key(["priority attribute"]))
    values = [None, "b", "10", "9", "-1", "a", "1.5", " 2 "]
    made.put([with_priority(i, value) for i, value in enumerate(values)], 8)
    assert [values[i] for i in ids_of(made)] == ["-1", " 2 ", "9", "10", "1.5", "a", "b", None]


@pytest.mark.parametrize(
    ("name", "order"), [("newest first", [2, 0, 1]), ("oldest first", [1, 0, 2])]
)
def test_age_is_that_of_the_oldest_ancestor(name, order):
    made = queue(sort_key=sort_key([name]))
    made.put([flowfile(i, entry_time=time) for i, time in enumerate([5, 1, 9])], 3)
    assert ids_of(made) == order


def test_later_prioritizers_decide_where_earlier_ones_do_not():
    made = queue(sort_key=sort_key(["priority attribute", "newest first"]))
    pairs = [("1", 1), ("1", 2), ("0", 0)]
    made.put(
        [flowfile(i, attributes={"priority": p}, entry_time=t) for i, (p, t) in enumerate(pairs)],
        3,
    )
    assert ids_of(made) == [2, 1, 0]


def test_a_penalized_one_comes_after_all_others_whatever_its_priority():
    made = queue(sort_key=sort_key(["priority attribute"]))
    made.put_penalized([flowfile(1, attributes={"priority": "0"}, penalty_until=100)])
    made.put([with_priority(2, "5")], 1)
    assert ids_of(made, now=50) == [2]
    assert made.next_due() == 100
    assert ids_of(made, now=100) == [1]


def test_priority_order_survives_thirty_thousand_that_are_polled_and_put_back():
    made = queue(sort_key=sort_key(["priority attribute"]))
    made.put([with_priority(i, str(-i)) for i in range(30_000)], 30_000)
    for _ in range(3):
        made.restore(made.poll(1000, 10**9, 0))
    assert ids_of(made) == list(range(29_999, -1, -1))


# -- faults and pitfalls -----------------------------------------------------------------------


def evicted(count: int, per_piece: int, **options) -> tuple[Connection, Disk]:
    disk = Disk()
    made = queue(disk, **options)
    for start in range(0, count, per_piece):
        made.put([flowfile(start + i) for i in range(per_piece)], per_piece)
        for piece in made._walk(newest=False):
            disk.store(piece)
    assert made.evict(10**9) > 0
    return made, disk


def test_a_fault_in_the_middle_of_a_poll_loses_nothing():
    made, disk = evicted(6, 2)
    made.restore(made.poll(2, 10, 0))  # the head is in memory again
    disk.broken = True
    assert ids_of(made) == [0, 1]
    with pytest.raises(RepositoryError):
        made.poll(10, 10, 0)
    disk.broken = False
    assert ids_of(made) == [2, 3, 4, 5]
    assert made.in_flight == made.count == 6


def test_a_fault_at_the_end_of_a_penalty_loses_nothing():
    disk = Disk()
    made = queue(disk, sort_key=sort_key(["newest first"]))
    made.put_penalized([flowfile(i, penalty_until=5) for i in range(3)])
    for piece in made._walk(newest=False):
        disk.store(piece)
    assert made.evict(10**9) == 3 * (1 + OVERHEAD)
    disk.broken = True
    with pytest.raises(RepositoryError):
        made.poll(10, 10, 5)
    disk.broken = False
    assert ids_of(made, now=5) == [2, 1, 0]


def test_ten_thousand_penalties_that_end_together_are_released_in_order():
    made = queue()
    free, late = range(0, 20_000, 2), range(1, 20_000, 2)
    for a, b in zip(free, late, strict=True):
        made.put([flowfile(a)], 1)
        made.put_penalized([flowfile(b, penalty_until=5)])
    assert ids_of(made, now=5) == list(range(20_000))


def test_a_trickle_becomes_few_pieces_until_a_cut_has_seen_them():
    made, disk = queue(disk := Disk()), disk
    for number in range(ROW_OBJECTS + 1):
        made.put([flowfile(number)], 1)
    [full, last] = made._walk(newest=False)
    assert (full.count, last.count) == (ROW_OBJECTS, 1)
    disk.store(last)
    made.put([flowfile(1000)], 1)
    assert [piece.count for piece in made._walk(newest=False)] == [ROW_OBJECTS, 1, 1]


def test_the_callers_list_never_grows():
    made, mine = queue(), [flowfile(1)]
    made.put(mine, 1)
    made.put([flowfile(2)], 1)
    made.put([flowfile(3)], 1)
    assert len(mine) == 1
    assert ids_of(made) == [1, 2, 3]


def test_a_large_batch_becomes_pieces_that_fit_into_rows():
    made = queue()
    made.put([flowfile(i, ROW_BYTES // 2) for i in range(5)], ROW_BYTES * 5 // 2)
    assert [piece.count for piece in made._walk(newest=False)] == [2, 2, 1]


def test_taking_one_by_one_and_giving_back_leaves_the_order(  # what `get` in a loop does
):
    made = filled(1000)
    singles = [made.poll(1, 10, 0)[0] for _ in range(1000)]
    made.restore(singles)
    assert ids_of(made) == list(range(1000))


def test_drain_takes_penalized_ones_too():
    made = filled(3)
    made.put_penalized([flowfile(9, penalty_until=math.inf)])
    pieces = made.drain()
    made.settle(pieces)
    assert (made.count, made.bytes, made.in_flight, made.next_due()) == (0, 0, 0, None)


# -- event time (E20) --------------------------------------------------------------------------


def test_a_queue_holds_the_least_event_time_until_it_is_settled():
    made = queue()
    made.tracks_time = True
    made.put([flowfile(1, event_time=7), flowfile(2, event_time=5)], 2)
    made.put([flowfile(3)], 1)
    pieces = made.poll(2, 100, 0)
    assert made.hold() == 5
    made.settle(pieces)
    assert made.hold() is None


def test_holds_forget_the_dead_while_an_old_one_lives():
    holds = Holds()
    oldest = Piece(queue(), 0, [], 0, event_time=0)
    holds.track(oldest)
    for number in range(10_000):
        piece = Piece(queue_once, 0, [], 0, event_time=number + 1)
        holds.track(piece)
        piece.alive = False
    assert holds.least() == 0
    assert len(holds) < 200


queue_once = queue()


def test_lines_and_runs():
    line = PositionLine()
    pieces = [Piece(queue_once, position, [flowfile(position)], 1) for position in range(40)]
    line.insert(pieces[::2])
    line.insert(pieces[1::2])
    line.pop()
    line.insert([pieces[0]])
    assert [piece.position for piece in line] == list(range(40))
    assert runs("aabccc") == [2, 1, 3]
    assert runs("") == []
