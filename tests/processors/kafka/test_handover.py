"""The rules between members and triggers, with a state that is a plain dict."""

import asyncio

import pytest

from processors.kafka.handover import DEPTH, Batch, Fetched, Handover


class Record:
    def __init__(self, offset):
        self.offset = offset


def fetched(member=0, last=9, partition=0):
    batch = Batch("t", partition, [Record(last)])
    return Fetched(member, 0, (batch,), {f"t/{partition}": last + 1})


@pytest.fixture
async def desk():
    """A handover whose two loops are one, and the state that its sessions commit to."""
    state: dict[str, int] = {}
    handover = Handover(2, lambda: state, {})
    handover.attach()
    return handover, state


async def test_what_is_offered_can_be_taken_once(desk):
    handover, state = desk
    handover.offer(one := fetched())
    await handover.wait(1)
    assert handover.take() is one
    state["t/0"] = 10
    assert handover.take() is None


async def test_what_was_rolled_back_is_taken_again_before_anything_else(desk):
    handover, state = desk
    handover.offer(one := fetched())
    handover.offer(two := fetched(last=19))
    assert handover.take() is one
    assert handover.take() is one
    state["t/0"] = 10
    assert handover.take() is two


async def test_members_are_served_in_turn(desk):
    handover, state = desk
    for last in (1, 2):
        handover.offer(fetched(0, last))
        handover.offer(fetched(1, last, partition=1))
    seen = []
    while (one := handover.take()) is not None:
        seen.append(one.member)
        state.update(one.positions)
    assert seen in ([0, 1, 0, 1], [1, 0, 1, 0])


async def test_a_member_has_room_until_its_slot_is_full_and_again_when_one_is_taken(desk):
    handover, _ = desk
    for last in range(DEPTH):
        assert handover.has_room(0)
        handover.offer(fetched(last=last))
    assert not await handover.wait_for_room(0, 0.01)
    handover.take()
    assert await handover.wait_for_room(0, 1)


async def test_a_withdrawn_fetch_is_gone_and_another_members_stays(desk):
    handover, _ = desk
    handover.offer(fetched(0))
    handover.offer(other := fetched(1, partition=1))
    await handover.withdraw(0, 1)
    assert handover.take() is other


async def test_withdrawing_waits_for_the_step_that_commits_what_was_taken(desk):
    handover, state = desk
    handover.offer(one := fetched(0))
    handover.take()
    asyncio.get_running_loop().call_soon(state.update, one.positions)
    await handover.withdraw(0, 1)
    assert state == {"t/0": 10}


async def test_after_a_withdrawal_a_rolled_back_fetch_does_not_come_back(desk):
    handover, _ = desk
    handover.offer(fetched(0))
    handover.take()
    await handover.withdraw(0, 1)
    assert handover.take() is None


async def test_records_never_lower_a_position_and_a_choice_may(desk):
    handover, state = desk
    state["t/0"] = 50
    assert fetched(last=9).positions_in(state) == {"t/0": 50}
    assert fetched(last=9).is_in(state)
    choice = Fetched(0, 0, positions={"t/0": 3})
    assert choice.positions_in(state) == {"t/0": 3}
    handover.offer(choice)
    assert handover.take() is choice
    assert handover.take() is choice
    state["t/0"] = 3
    assert handover.take() is None


async def test_every_member_hears_of_what_is_durable(desk):
    handover, _ = desk
    handover.acknowledge({"t/0": 10})
    async with asyncio.timeout(5):
        await handover.wait_for_news(0)
        await handover.wait_for_news(1)
    assert handover.durable == {"t/0": 10}


async def test_a_stop_before_the_members_start_is_not_missed():
    handover = Handover(1, dict, {})
    handover.stop()
    handover.attach()
    async with asyncio.timeout(5):
        await handover.stopped()
