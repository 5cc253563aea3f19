"""Properties that all windows have, and what is wrong with them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, NoReturn

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from flowengine.expressions import Expression, Predicate
from flowengine.processor import ProcessorProperties, When
from flowengine.units import Duration, parse_duration
from processors.windows.plan import FoldPlan, fold_plan
from processors.windows.reading import Reading
from processors.windows.times import Time, Unit, Zone, time_reader
from processors.windows.trigger import Trigger


class Emit(StrEnum):
    """When a window comes out."""

    ON_CLOSE = "on close"
    ON_UPDATE = "on update"


class Panes(StrEnum):
    """What each of several panes of one window holds."""

    ACCUMULATE = "accumulate"
    DISCARD = "discard"


class Format(StrEnum):
    """How the records of a window are written."""

    NDJSON = "ndjson"
    ARRAY = "json array"


class Stop(StrEnum):
    """What becomes of open windows when the user stopped the processor."""

    KEEP = "keep"
    EMIT = "emit"
    DISCARD = "discard"


class Changed(StrEnum):
    """What becomes of saved windows when the windows were defined anew (E18)."""

    REFUSE = "refuse"
    EMIT = "emit"
    DROP = "drop"


class ReadingProperties(ProcessorProperties):
    """Where times and keys of records come from."""

    key: Expression | None = Field(
        None,
        description="Expression over attributes and record fields, such as `{{ sensor }}`: each "
        "of its values has windows of its own. Empty: all records together.",
    )
    key_fields: tuple[str, ...] = Field(
        (), description="Record fields that make the key, quicker than an expression."
    )
    time: Time = Field(Time.EVENT, description="Which time of a record counts.")
    time_field: Annotated[str, When(time="event")] = Field(
        "", description="Record field with the event time. Empty: the FlowFile's event time."
    )
    time_expression: Annotated[Expression | None, When(time="event")] = Field(
        None, description="Event time from attributes and fields, instead of `time_field`."
    )
    time_unit: Unit = Field(Unit.MILLISECONDS, description="What times given as numbers count.")
    time_format: str = Field(
        "", description="`strptime` format of times given as text. Empty: ISO 8601."
    )
    time_zone: Zone = Field(
        "UTC", description="Time zone of texts without an offset, and of calendar windows."
    )
    max_future_skew: Duration = Field(
        parse_duration("1 h"),
        description="Records with an event time further ahead of their ingest time are invalid.",
    )
    out_of_order: Duration | None = Field(
        None,
        description="Follow the greatest time seen, less this, beside the engine's watermark: for "
        "sources that know no event time. With ingest time it is 0 unless given.",
    )

    def reading(self, plan: FoldPlan, more_keys: tuple[str, ...] = ()) -> Reading:
        """How records are read."""
        return Reading(
            self.time,
            self.time_field,
            self.time_expression,
            time_reader(self.time_unit, self.time_format, self.time_zone),
            self.max_future_skew,
            self.key,
            (*self.key_fields, *more_keys),
            plan,
            self.time_unit,
        )

    @property
    def delay(self) -> int | None:
        """µs behind the greatest time seen at which the own watermark stands; None without one."""
        if self.out_of_order is None:
            return 0 if self.time is Time.INGEST else None
        return self.out_of_order

    @model_validator(mode="after")
    def _has_one_time(self) -> ReadingProperties:
        if self.time_expression is not None and self.time_field:
            refuse("time_field must be empty when time_expression is given", self.time_field)
        return self


class TimedProperties(ReadingProperties):
    """What becomes of windows beside their closing by the watermark."""

    close_after_idle: Duration | None = Field(
        None,
        description="Close by the clock when no record came for so long; records that come later "
        "are late.",
    )
    on_stop: Stop = Field(
        Stop.KEEP, description="What becomes of open windows when the user stops the processor."
    )
    saved_windows: Changed = Field(
        Changed.REFUSE,
        description="What becomes of open windows that were saved with other parameters.",
    )


class WindowProperties(TimedProperties):
    """What all windows share."""

    folds: dict[str, Any] = Field(
        {},
        description="Results by name, such as "
        '`{"cars": "count", "mean_speed": {"mean": "speed"}}`. Known are count, sum, mean, min, '
        "max, variance, stddev, first, last, collect, distinct, median and quantile (with `q`). "
        "Empty: the window's records.",
    )
    sql: str = Field(
        "", description='A DuckDB query over the records of each window, table `"window"`.'
    )
    fold: str = Field("", description="Name of an installed fold (`flowengine.folds`).")
    format: Format = Field(Format.NDJSON, description="How the records of a window are written.")
    allowed_lateness: Duration = Field(
        parse_duration("0 sec"),
        description="A window takes late records for so long and comes out again with them.",
    )
    emit: Emit = Field(Emit.ON_CLOSE, description="When a window comes out.")
    early_records: int | None = Field(
        None, ge=1, description="Put out an early pane after so many records."
    )
    early_every: Duration | None = Field(
        None, description="Put out early panes of what changed, so often by the clock."
    )
    early_when: Predicate | None = Field(
        None, description="Put out an early pane when the folds satisfy this: `total|float > 1000`."
    )
    late_records: int = Field(1, ge=1, description="Late records per late pane.")
    panes: Panes = Field(
        Panes.ACCUMULATE,
        description="Whether each pane holds all records so far, or those since the last pane.",
    )

    @field_validator("folds")
    @classmethod
    def _folds_are_known(cls, folds: dict[str, Any]) -> dict[str, Any]:
        try:
            fold_plan(folds)
        except (ValueError, TypeError) as error:
            refuse_text(f"{error}")
        return folds

    @field_validator("sql")
    @classmethod
    def _is_one_query(cls, sql: str) -> str:
        if sql:
            from processors.windows.sql import check

            if problem := check(sql):
                refuse_text(problem)
        return sql

    @model_validator(mode="after")
    def _has_one_content(self) -> WindowProperties:
        given = [name for name in ("folds", "sql", "fold") if getattr(self, name)]
        if len(given) > 1:
            refuse("must have one of folds, sql and fold", " and ".join(given))
        if self.emit is Emit.ON_UPDATE and (self.early_records or self.early_when):
            refuse("early_records and early_when must be empty with emit 'on update'", "one")
        if self.early_when is not None and not self.folds:
            refuse("early_when must have folds to look at", "none")
        if self.early_every is not None and self.early_every < 1000:
            refuse("early_every must be at least 1 ms", f"{self.early_every} us")
        return self

    @property
    def trigger(self) -> Trigger:
        """When panes come out."""
        early = 1 if self.emit is Emit.ON_UPDATE else self.early_records
        accumulate = self.panes is Panes.ACCUMULATE
        return Trigger(early, self.early_when, self.late_records, accumulate, self.allowed_lateness)

    @property
    def plain(self) -> bool:
        """Whether each window comes out once, so that windows may share panes."""
        return self.trigger.is_plain and self.early_every is None


def refuse(rule: str, got: object) -> NoReturn:
    """Report ``<rule>; got <value>`` for a property."""
    refuse_text(f"{rule}; got {'none' if got is None else got}")


def refuse_text(message: str) -> NoReturn:
    """Report a message for a property."""
    raise PydanticCustomError("window", "{message}", {"message": message})
