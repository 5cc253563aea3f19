"""When a schedule allows the next trigger."""

from datetime import datetime

import pytest

from flowengine.clock import FakeClock
from flowengine.definition.flat import Scheduling, Strategy
from flowengine.scheduling import first_due, next_due, until_cron

SECOND = 1_000_000
NOON = int(datetime(2026, 3, 3, 12, 0, 0).astimezone().timestamp() * SECOND)


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [("* * * * *", 60), ("*/5 * * * *", 300), ("0 13 * * *", 3600), ("*/10 * * * * *", 10)],
)
def test_cron_counts_in_the_time_zone_of_the_machine(cron, seconds):
    assert until_cron(cron, NOON) == seconds * SECOND
    assert until_cron(cron, NOON + SECOND // 2) == seconds * SECOND - SECOND // 2


def test_only_cron_waits_at_the_start():
    clock = FakeClock(wall=NOON)
    every = Scheduling(Strategy.EVERY, every_us=7)
    cron = Scheduling(Strategy.CRON, cron="* * * * *")
    assert (first_due(every, clock), next_due(every, clock)) == (None, 7)
    assert first_due(cron, clock) == next_due(cron, clock) == 60 * SECOND
    assert next_due(Scheduling(), clock) is None
    assert next_due(Scheduling(Strategy.ONCE), clock) is None
