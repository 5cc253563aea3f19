"""Resident memory stays under 400 MB and the budget, whatever waits or passes."""

import pytest

from tests.faults.hungry import Meal, megabytes

FIXED = 400  # MB
BUDGET = 64  # MB; without it sixty full queues would take about 540
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_slow_sink_does_not_fill_the_memory():
    used = megabytes(Meal(count=300_000, budget=BUDGET << 20), patience=200)
    print(f"\n300 000 FlowFiles through a slow sink: {used:.0f} MB at most")
    assert used <= FIXED + BUDGET


def test_sixty_full_connections_stay_in_the_budget():
    meal = Meal(count=20_000, pairs=60, budget=BUDGET << 20, full=True)
    used = megabytes(meal, patience=200)
    print(f"\n60 full connections: {used:.0f} MB at most")
    assert used <= FIXED + BUDGET


@pytest.mark.campaign
@pytest.mark.timeout(1800)
def test_five_million_flowfiles_through_a_slow_sink():
    used = megabytes(Meal(count=5_000_000, budget=512 << 20), patience=1700)
    print(f"\n5 000 000 FlowFiles through a slow sink: {used:.0f} MB at most")
    assert used <= FIXED + 512
