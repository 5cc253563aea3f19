"""Which partitions hold back event time (E20, E21): rules 1 to 5 of processors.kafka.progress."""

from typing import NamedTuple

import pytest

from flowengine.watermarks import NEVER
from processors.kafka.handover import Batch
from processors.kafka.progress import Progress

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class Message(NamedTuple):
    timestamp: int


class Group:
    """A processor's partitions, and what the engine has been told of them."""

    def __init__(self, members=1, bound=0, idle=MINUTE, leave=MINUTE):
        self.now = HOUR
        self.told = {}
        self.read = set()
        self.rolled_back = False
        names = [f"member-{number}" for number in range(members)]
        self.progress = Progress(names, bound, idle, leave)
        self.look()

    def report_progress(self, partition, event_time):
        if self.rolled_back:
            return
        if event_time is None:
            self.told.pop(partition, None)
        else:
            self.told[partition] = max(event_time, self.told.get(partition, event_time))

    def assign(self, member, *partitions):
        self.progress.assigned(member, partitions, self.now)
        self.look()

    def look(self, after=0):
        self.now += after
        self.progress.look(self, dict(self.told), lambda member, key: key in self.read)

    def hand_on(self, partition, *milliseconds):
        batch = Batch("t", partition, [Message(each) for each in milliseconds])
        self.look()
        self.progress.read(self, [batch], self.now)


@pytest.fixture
def group():
    return Group()


def test_before_it_has_joined_nothing_is_certain(group):
    assert group.told == {"member-0": NEVER}


def test_a_member_without_a_partition_holds_nothing(group):
    group.assign(0)
    assert group.told == {}


def test_all_members_must_have_joined():
    group = Group(members=2)
    group.assign(0, "t/0")
    group.hand_on(0, 5000)
    assert group.told["member-1"] == NEVER
    group.assign(1)
    assert group.told == {"t/0": 4_999_999}


def test_a_partition_holds_until_it_is_read(group):
    group.assign(0, "t/0", "t/1")
    group.hand_on(0, 5000)
    assert group.told == {"t/0": 4_999_999, "t/1": NEVER}


def test_the_newest_less_the_bound_counts():
    group = Group(bound=SECOND)
    group.assign(0, "t/0")
    group.hand_on(0, 2000, 5000, 4000)
    assert group.told == {"t/0": 3_999_999}


def test_what_lies_in_the_far_future_moves_nothing(group):
    group.assign(0, "t/0")
    group.hand_on(0, 5000, group.now // 1000 + 3_600_001)
    assert group.told == {"t/0": 4_999_999}


def test_a_partition_that_was_read_to_its_end_is_idle_after_the_timeout(group):
    group.assign(0, "t/0")
    group.hand_on(0, 5000)
    group.read.add("t/0")
    group.look(after=MINUTE - 1)
    assert group.told == {"t/0": 4_999_999}
    group.look(after=1)
    assert group.told == {}


def test_an_idle_partition_takes_part_again_with_its_next_message(group):
    group.assign(0, "t/0")
    group.read.add("t/0")
    group.look(after=MINUTE)
    group.hand_on(0, 5000)
    group.look(after=1)
    assert group.told == {"t/0": 4_999_999}


def test_w71_what_was_not_read_to_its_end_is_never_idle(group):
    group.assign(0, "t/0")
    group.hand_on(0, 5000)
    group.look(after=10 * MINUTE)
    assert group.told == {"t/0": 4_999_999}
    group.read.add("t/0")
    group.look(after=MINUTE - 1)  # the timeout counts from when it was still behind
    assert group.told == {"t/0": 4_999_999}


def test_without_a_timeout_no_partition_is_idle():
    group = Group(idle=None)
    group.assign(0, "t/0")
    group.read.add("t/0")
    group.look(after=100 * HOUR)
    assert group.told == {"t/0": NEVER}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_partition_that_goes_from_one_member_to_another_holds_on(order):
    group = Group(members=2)
    group.assign(0, "t/0", "t/1")
    group.assign(1)
    group.hand_on(1, 5000)
    for member in order:
        group.assign(member, f"t/{member}")
        assert group.told["t/1"] == 4_999_999
    group.look(after=10 * MINUTE)
    assert group.told == {"t/0": NEVER, "t/1": 4_999_999}


def test_w74_a_partition_that_another_runner_keeps_is_left_out_in_the_end(group):
    group.assign(0, "t/0", "t/1")
    group.hand_on(1, 5000)
    group.assign(0, "t/0")
    group.look(after=MINUTE - 1)
    assert group.told["t/1"] == 4_999_999
    group.look(after=1)
    assert group.told == {"t/0": NEVER}


def test_a_partition_that_is_back_in_time_has_missed_nothing(group):
    group.assign(0, "t/0", "t/1")
    group.hand_on(1, 5000)
    group.assign(0, "t/0")
    group.look(after=MINUTE - 1)
    group.assign(0, "t/0", "t/1")
    group.look(after=2)
    assert group.told["t/1"] == 4_999_999


def test_what_an_earlier_run_left_behind_leaves_unless_it_is_assigned(group):
    group.told |= {"old/0": 77, "t/0": 88}
    group.look()
    group.assign(0, "t/0")
    assert group.told == {"old/0": 77, "t/0": 88}
    group.look(after=MINUTE)
    assert group.told == {"t/0": 88}


def test_a_session_that_was_rolled_back_is_made_up_for(group):
    group.rolled_back = True
    group.assign(0, "t/0")
    group.rolled_back = False
    group.look()
    assert group.told == {"t/0": NEVER}
