"""Trigger: when a pane is put out, and what becomes of its records then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flowengine.expressions import Predicate


class Timing(StrEnum):
    """Where a pane stands: before its window closed, as it closed, after it."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"


class Reason(StrEnum):
    """What made a pane come out."""

    WATERMARK = "watermark"
    COUNT = "count"
    INTERVAL = "interval"
    CONDITION = "condition"
    LATE = "late"
    END = "end"
    IDLE = "idle"
    STOP = "stop"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Trigger:
    """When panes come out beside the closing of their window.

    early:      after so many records; None: never
    when:       early, once the folds satisfy this
    late:       after so many late records
    accumulate: each pane holds all records so far, else those since the last pane
    lateness:   µs for which a closed window still takes records
    """

    early: int | None = None
    when: Predicate | None = None
    late: int = 1
    accumulate: bool = True
    lateness: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether each window comes out once, so that windows may share their panes."""
        return self.early is None and self.when is None and not self.lateness
