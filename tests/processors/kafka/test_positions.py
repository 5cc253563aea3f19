"""Where reading goes on."""

import pytest

from processors.kafka.positions import (
    NoPosition,
    Placement,
    Reset,
    first_position,
    known_position,
    lost_position,
)


@pytest.mark.parametrize(
    ("stored", "committed", "known"),
    [(None, None, None), (5, None, 5), (None, 7, 7), (5, 7, 7), (9, 7, 9), (0, None, 0)],
)
def test_the_greater_of_stored_and_committed_counts(stored, committed, known):
    assert known_position(stored, committed) == known


def test_earliest_needs_no_storing_and_latest_does():
    assert first_position("t/0", 3, 9, Reset.EARLIEST) == Placement(3)
    assert first_position("t/0", 3, 9, Reset.LATEST) == Placement(9, store=True)


def test_none_without_a_position_is_refused():
    with pytest.raises(NoPosition, match=r"^partition 't/0' must have a committed offset since "):
        first_position("t/0", 3, 9, Reset.NONE)


@pytest.mark.parametrize(("reset", "offset"), [(Reset.EARLIEST, 3), (Reset.LATEST, 9)])
def test_deleted_offsets_are_said_with_their_range(reset, offset):
    placement = lost_position("t/0", 1, 3, 9, reset)
    assert (placement.offset, placement.store) == (offset, True)
    assert placement.remark == (
        "partition 't/0' must have the offset to read; got offsets 1 to 2 were deleted before "
        f"they were read; reading from {offset}"
    )


def test_none_refuses_a_lost_position_too():
    with pytest.raises(NoPosition) as caught:
        lost_position("t/0", 20, 3, 9, Reset.NONE)
    assert str(caught.value) == (
        "partition 't/0' must have offset 20 since 'auto_offset_reset' is 'none'; got offset 20 "
        "is beyond its end 9: the topic was made anew; set the group's offset, or choose "
        "'earliest' or 'latest'"
    )
