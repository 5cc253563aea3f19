"""What a restart must know, kept small."""

from typing import Any

from processors.read_data_lake.memory import Memory, Position
from processors.read_data_lake.records import Place
from processors.read_data_lake.storage import Entry


def entries(count: int) -> list[Entry]:
    return [Entry(f"/lake/{n}.json", n, n) for n in range(count)]


def test_a_position_survives_its_way_through_the_state():
    memory = Memory({})
    memory.position = Position(Entry("/a", 1, 2), Place(3, 4, 5), 6)
    assert memory.position == Position(Entry("/a", 1, 2), Place(3, 4, 5), 6)
    memory.position = None
    assert memory.position is None


def test_files_that_are_gone_are_forgotten_once_they_are_the_most():
    state: dict[str, Any] = {}
    memory = Memory(state)
    files = entries(10_030)
    for entry in files:
        memory.see(entry)
    memory.forget_vanished(files[:15], state)
    assert len(state) == 10_030
    memory.forget_vanished([], state)
    assert len(state) == 10_030
    memory.forget_vanished(files[:10], dict(state))
    assert len(state) == 10
    assert memory.has_seen(files[0])
    assert not memory.has_seen(files[20])
