"""When a schedule allows the next trigger."""

from __future__ import annotations

from datetime import UTC, datetime

from flowengine.clock import Clock
from flowengine.definition.flat import Scheduling, Strategy


def next_due(scheduling: Scheduling, clock: Clock) -> int | None:
    """Monotonic µs before which there is no further trigger; None when at any time."""
    if scheduling.strategy is Strategy.EVERY:
        return clock.monotonic() + scheduling.every_us
    if scheduling.strategy is Strategy.CRON and scheduling.cron is not None:
        return clock.monotonic() + until_cron(scheduling.cron, clock.wall())
    return None


def first_due(scheduling: Scheduling, clock: Clock) -> int | None:
    """The same for the first trigger after a start: only cron waits."""
    return next_due(scheduling, clock) if scheduling.strategy is Strategy.CRON else None


def until_cron(expression: str, wall: int) -> int:
    """Microseconds from ``wall`` to the next time that matches, in the machine's time zone."""
    from cronsim import CronSim

    now = datetime.fromtimestamp(wall / 1e6, UTC).astimezone()
    due = next(CronSim(expression, now))
    return max(int(due.timestamp() * 1e6) - wall, 0)
