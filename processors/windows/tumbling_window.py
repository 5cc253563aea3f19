"""Cut a stream into windows that follow one another."""

from __future__ import annotations

from pydantic import Field, model_validator

from flowengine.processor import Example, Expected, Given
from flowengine.units import Duration
from processors.windows.aligned import AlignedWindows
from processors.windows.assign import Calendar, CalendarWindows, Hopping, Windower
from processors.windows.base import SHAPING
from processors.windows.counts import CountWindows
from processors.windows.output import Emitter
from processors.windows.properties import WindowProperties, refuse
from processors.windows.state import Saved
from processors.windows.store import Store
from processors.windows.times import Offset
from processors.windows.windowing import WindowProcessor


class TumblingProperties(WindowProperties):
    """Properties of TumblingWindow: one of size, calendar and count."""

    size: Duration | None = Field(None, description="Length of a window, such as `1 min`.")
    calendar: Calendar | None = Field(
        None, description="Windows of the calendar in `time_zone` instead of a fixed length."
    )
    count: int | None = Field(
        None, ge=1, description="Windows of so many records of a key instead of a length of time."
    )
    offset: Offset = Field(
        0, description="Shift of windows of a `size` from the epoch, such as `-8 h`."
    )

    @model_validator(mode="after")
    def _has_one_rule(self) -> TumblingProperties:
        given = [name for name in ("size", "calendar", "count") if getattr(self, name) is not None]
        if len(given) != 1:
            refuse("must have one of size, calendar and count", " and ".join(given) or None)
        if self.size is not None and self.size < 1:
            refuse("size must be more than 0", self.size)
        return self


class TumblingWindow(WindowProcessor):
    """Collect or fold the records of each window and key; put each window out as it closes.

    Windows are half-open, from their start to before their end, and aligned to the epoch or the
    calendar. A window closes when the watermark passes its end: when no record of it can come any
    more, however long records waited in queues of this flow.
    """

    tags = ("window", "time", "aggregate", "group", "stream")
    shaping = SHAPING | {"size", "calendar", "count", "offset", "time_zone"}

    Properties = TumblingProperties
    properties: TumblingProperties

    examples = (
        Example(
            "Mean of every two readings of a sensor",
            properties={
                "count": 2,
                "time_field": "t",
                "time_unit": "s",
                "key_fields": ["sensor"],
                "folds": {"cars": "count", "mean_speed": {"mean": "speed"}},
            },
            given=(
                Given('{"sensor": "a", "t": 1, "speed": 50}\n{"sensor": "b", "t": 1, "speed": 1}'),
                Given('{"sensor": "a", "t": 2, "speed": 61}'),
            ),
            expect={
                "window": (
                    Expected('{"cars":2,"mean_speed":55.5}', {"window.key": "a", "final": "true"}),
                ),
            },
        ),
    )

    def make_store(self, emitter: Emitter, saved: Saved) -> Store:
        properties = self.properties
        trigger = properties.trigger
        if properties.count is not None:
            return CountWindows(properties.count, properties.count, trigger, emitter, saved)
        return AlignedWindows(self._windower(), trigger, emitter, saved)

    def _windower(self) -> Windower:
        properties = self.properties
        if properties.calendar is not None:
            return CalendarWindows(properties.calendar, properties.time_zone)
        size = properties.size or 1
        return Hopping(size, size, properties.offset)
