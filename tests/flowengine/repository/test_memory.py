"""Without a disk a source is acknowledged when nothing of it is in the flow any more."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowengine.content import INLINE_LIMIT
from flowengine.repository import MemoryRepository
from tests.flowengine.repository.kit import Rig, closed


@pytest.fixture
def rig():
    return Rig(MemoryRepository())


def promised(rig: Rig, calls: list, count: int = 2) -> None:
    session = rig.session("source")
    session.transfer([session.create() for _ in range(count)], "success")
    number = len(rig.assembly.nodes["source"].state)
    session.state[str(number)] = 1
    session.on_durable(lambda: calls.append(number))
    session.commit()


def forked(rig: Rig, count: int, relationship: str = "success") -> None:
    session = rig.session("fork")
    session.transfer(session.get_batch(count), relationship)
    session.commit()


def test_a_source_that_made_nothing_is_acknowledged_at_once(rig):
    calls: list[int] = []
    promised(rig, calls, count=0)
    assert calls == [0]


def test_it_waits_for_all_that_descends(rig):
    calls: list[int] = []
    promised(rig, calls)
    forked(rig, 1)
    forked(rig, 1, "failure")
    rig.take("sink", 1)
    assert calls == []
    rig.take("sink", 1)
    assert calls == [0]


def test_children_and_clones_count_too(rig):
    calls: list[int] = []
    promised(rig, calls, 1)
    session = rig.session("fork")
    parent = session.get()
    session.transfer([session.create(parent=parent), session.clone(parent)], "success")
    session.remove(parent)
    session.commit()
    rig.take("sink", 1)
    assert calls == []
    rig.take("sink", 1)
    assert calls == [0]


def test_what_is_merged_acknowledges_all_its_parents_together(rig):
    calls: list[int] = []
    promised(rig, calls)
    promised(rig, calls)
    session = rig.session("fork")
    parents = session.get_batch(4)
    session.transfer(session.create(b"merged"), "success")
    session.remove(parents)
    session.commit()
    assert calls == []
    rig.take("sink", 1)
    assert sorted(calls) == [0, 1]


def test_a_roll_back_acknowledges_nothing(rig):
    calls: list[int] = []
    promised(rig, calls)
    session = rig.session("fork")
    session.remove(session.get_batch())
    session.rollback()
    assert calls == []
    rig.take("fork", 2)
    assert calls == [0]


def test_what_is_kept_or_thrown_away_is_followed_as_well(rig):
    calls: list[int] = []
    promised(rig, calls, 3)
    session = rig.session("fork")
    first, second, third = session.get_batch()
    session.keep([first.with_cursor(1), second])
    session.remove(third)
    session.commit()
    assert calls == []
    rig.assembly.empty(rig.queue("in"))
    assert calls == [0]


@settings(max_examples=80)
@given(st.lists(st.sampled_from(["make", "fork", "fail", "sink", "keep"]), max_size=30))
def test_every_source_is_acknowledged_exactly_when_its_last_descendant_left(steps):
    rig, calls, made = Rig(MemoryRepository()), list[int](), 0
    for step in steps:
        if step == "make":
            promised(rig, calls)
            made += 1
        elif step in ("fork", "fail"):
            forked(rig, 3, "success" if step == "fork" else "failure")
        elif step == "keep":
            session = rig.session("fork")
            session.keep([f.with_cursor(1) for f in session.get_batch(1)])
            session.commit()
        else:
            rig.take("sink", 3)
    assert len(calls) == made or rig.assembly.queued > 0
    for node in ("fork", "sink"):
        while rig.take(node, 256):
            pass
    assert sorted(calls) == list(range(made))


async def test_large_contents_are_files_that_go_with_it(rig):
    rig.make(2, size=INLINE_LIMIT + 1)
    directory = rig.repository.content_directory
    assert len(list(directory.iterdir())) == 2
    rig.take("fork", 1)
    assert len(list(directory.iterdir())) == 1
    await closed(rig)
    assert not directory.exists()


def test_two_repositories_never_share_a_directory():
    assert MemoryRepository().content_directory != MemoryRepository().content_directory
