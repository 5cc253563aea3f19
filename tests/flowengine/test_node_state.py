"""State that may be larger than memory says the same as a dict, whatever has left memory."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowengine.node_state import NodeState
from flowengine.session_state import SessionState

NAMES = [f"~{name}" for name in ("a", "b", "c 1", "c 2", "c 3", "d", "é", "z")] + ["kept", "other"]


class Disk:
    """What the cuts have written so far, and how often it was asked."""

    def __init__(self, values: dict | None = None) -> None:
        self.values = values or {}
        self.reads = 0

    def read(self, name):
        self.reads += 1
        return self.values.get(name)

    def names(self, start, end, most):
        names = sorted(self.values)
        return names[bisect_left(names, start) : bisect_left(names, end)][:most]


class Rig:
    """A state, its disk, and the dict that both must equal."""

    def __init__(self, limit: int) -> None:
        self.disk = Disk()
        self.state = NodeState(self.disk, limit)
        self.model: dict = {}
        self.changed: dict = {}
        self.cut: dict = {}

    def set(self, name, value):
        self.state.put(name, value)
        self.changed[name] = value
        if value is None:
            self.model.pop(name, None)
        else:
            self.model[name] = value

    def collect(self):
        self.cut |= self.changed
        self.changed = {}
        self.state.collected()

    def write(self):
        for name, value in self.cut.items():
            if value is None:
                self.disk.values.pop(name, None)
            else:
                self.disk.values[name] = value
        self.cut = {}
        self.state.written()

    def check(self):
        assert {name: self.state.get(name) for name in NAMES if name in self.state} == self.model
        assert sorted(self.state) == sorted(self.model)
        for start, end in (("~", "\x7f"), ("~c ", "~c!"), ("~b", "~z"), ("k", "l")):
            wanted = sorted(name for name in self.model if start <= name < end)
            assert list(self.state.scan(start, end)) == wanted


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(NAMES), st.one_of(st.none(), st.integers(0, 9))),
        st.sampled_from(["collect", "write", "look"]),
    ),
    max_size=40,
)


@given(STEPS, st.sampled_from([0, 500, 10_000]))
def test_it_equals_a_dict_whatever_was_cut_and_has_left_memory(steps, limit):
    rig = Rig(limit)
    for step in steps:
        if step == "collect":
            rig.collect()
        elif step == "write":
            rig.write()
        elif step == "look":
            rig.check()
        else:
            rig.set(*step)
    rig.check()


@given(STEPS, STEPS)
def test_a_session_sees_its_own_changes_over_it(before, during):
    rig = Rig(0)
    for step in before:
        if isinstance(step, tuple):
            rig.set(*step)
        else:
            rig.collect()
            rig.write()
    changes: dict = {}
    session, model = SessionState(rig.state, changes), dict(rig.model)
    for step in during:
        if isinstance(step, tuple):
            changes[step[0]] = step[1]
            model[step[0]] = step[1]
    wanted = {name: value for name, value in model.items() if value is not None}
    assert {name: session[name] for name in session} == wanted
    assert list(session.scan("~", "\x7f")) == sorted(name for name in wanted if name[0] == "~")


def test_without_a_disk_everything_stays():
    state = NodeState.of({"~a": 1, "b": 2})
    state.collected()
    state.written()
    del state["~a"]
    assert dict(state) == {"b": 2}
    with pytest.raises(KeyError):
        del state["~a"]


def test_what_is_on_disk_leaves_memory_and_comes_back_when_asked_for():
    rig = Rig(1000)
    for number in range(100):
        rig.set(f"~{number:03}", bytes(100))
        rig.collect()
        rig.write()
    assert len(rig.state._young) + len(rig.state._old) < 20
    assert rig.state["~000"] == bytes(100)
    assert rig.disk.reads == 1
    assert rig.state["~000"] == bytes(100)
    assert rig.disk.reads == 1


def test_what_no_cut_has_written_never_leaves_memory():
    rig = Rig(0)
    rig.set("~a", 1)
    rig.collect()
    rig.set("~b", 2)
    assert (rig.state["~a"], rig.state["~b"], rig.disk.reads) == (1, 2, 0)
    rig.write()
    assert rig.state["~b"] == 2
    assert rig.disk.values == {"~a": 1}


def test_a_cut_that_failed_is_written_with_the_next_one():
    rig = Rig(0)
    rig.set("~a", 1)
    rig.collect()  # and the disk was full
    rig.set("~a", None)
    rig.set("~b", 2)
    rig.collect()
    rig.write()
    assert rig.disk.values == {"~b": 2}
    rig.check()


def test_a_restart_loads_no_lazy_value():
    disk = Disk({"~a": 1, "~b": 2})
    state = NodeState(disk, 1000)
    assert disk.reads == 0
    assert (state["~b"], disk.reads) == (2, 1)


def test_what_was_never_on_disk_is_not_looked_for_there():
    rig = Rig(1 << 20)
    assert rig.state.get("~a") is None
    assert rig.disk.reads == 0


def test_a_walk_over_many_names_goes_page_by_page():
    rig = Rig(0)
    for number in range(0, 3000, 2):
        rig.set(f"~{number:04}", 1)
    rig.collect()
    rig.write()
    for number in range(1, 3000, 2):
        rig.set(f"~{number:04}", 1)
    rig.set("~0500", None)
    wanted = [f"~{number:04}" for number in range(3000) if number != 500]
    assert list(rig.state.scan("~", "\x7f")) == wanted
