"""Bulletins: five per component for five minutes, repeated ones counted."""

import pytest
from structlog.testing import capture_logs

from flowengine.bulletins import KEPT, PER_COMPONENT, BulletinBoard, ComponentLog
from flowengine.clock import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def board(clock):
    return BulletinBoard(clock)


def shown(board, component=None):
    return [(b.component, b.message, b.count) for b in board.list(component)]


def test_the_last_five_of_each_component_are_kept_in_order(board):
    for number in range(PER_COMPONENT + 2):
        board.post("a", "error", str(number))
    board.post("b", "error", "b")
    assert shown(board, "a") == [("a", str(n), 1) for n in range(2, 7)]
    assert shown(board)[-1] == ("b", "b", 1)
    assert board.list("never seen") == []


def test_the_same_message_again_is_counted_and_pushes_nothing_out(board):
    board.post("a", "error", "first")
    for _ in range(100):
        board.post("a", "error", "again")
    board.post("a", "warning", "again")
    assert shown(board) == [("a", "first", 1), ("a", "again", 100), ("a", "again", 1)]


def test_a_repeated_message_is_logged_at_most_once_a_second_with_its_count(board, clock):
    with capture_logs() as logged:
        for _ in range(25):
            board.post("a", "error", "again")
            clock.advance(100_000)
    assert [entry.get("times", 1) for entry in logged] == [1, 11, 21]
    assert {(entry["event"], entry["component"]) for entry in logged} == {("again", "a")}


def test_after_five_minutes_a_bulletin_is_gone_unless_it_is_repeated(board, clock):
    board.post("a", "error", "old")
    board.post("b", "error", "repeated")
    clock.advance(KEPT)
    board.post("b", "error", "repeated")
    clock.advance(1)
    assert shown(board) == [("b", "repeated", 2)]


@pytest.mark.parametrize(
    ("level", "expected"),
    [("debug", 4), ("info", 3), ("warning", 2), ("error", 1), ("none", 0)],
)
def test_only_what_reaches_the_level_is_shown(board, level, expected):
    log = ComponentLog(board, "a", level)
    for method in (log.debug, log.info, log.warning, log.error):
        method(method.__name__)
    assert len(board.list()) == expected


def test_listeners_hear_each_bulletin_once(board):
    heard: list = []
    board.listeners.append(heard.append)
    for _ in range(3):
        board.post("a", "error", "same")
    board.post("a", "info", "not shown", shown=False)
    assert [b.message for b in heard] == ["same"]
