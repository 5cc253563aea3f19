"""Join two streams within windows of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from flowengine.errors import DefinitionError
from flowengine.processor import Relationship
from flowengine.session import ProcessSession
from flowengine.units import Duration
from processors.windows.assign import Calendar, CalendarWindows, Hopping
from processors.windows.base import WRITES, TimedProcessor
from processors.windows.joining import LEFT, RIGHT, Join, JoinedWindows
from processors.windows.output import Emitter, Shape
from processors.windows.plan import fold_plan
from processors.windows.properties import TimedProperties, refuse
from processors.windows.records import Batch
from processors.windows.state import Saved
from processors.windows.times import Offset


class JoinProperties(TimedProperties):
    """Properties of WindowJoin."""

    left: str = Field(
        description="The left input: id of the processor that it comes from, or of the connection. "
        "All other inputs are the right one."
    )
    join: Join = Field(Join.INNER, description="Which records come out without a partner.")
    size: Duration | None = Field(None, description="Length of a window, such as `1 min`.")
    slide: Duration | None = Field(
        None, description="A new window begins so often. Empty: windows follow one another."
    )
    calendar: Calendar | None = Field(
        None, description="Windows of the calendar in `time_zone` instead of a fixed length."
    )
    offset: Offset = Field(0, description="Shift of the windows from the epoch.")
    right_key_fields: tuple[str, ...] = Field(
        (), description="Key fields of the right input where they have other names."
    )
    right_time_field: str = Field(
        "", description="Time field of the right input where it has another name."
    )

    @model_validator(mode="after")
    def _has_windows(self) -> JoinProperties:
        if (self.size is None) == (self.calendar is None):
            refuse("must have one of size and calendar", "both" if self.size else None)
        if self.size is not None and self.size < 1:
            refuse("size must be more than 0", self.size)
        if self.slide is not None and not 0 < self.slide <= (self.size or 0):
            refuse("slide must be at most size", f"{self.slide} us")
        if self.key is None and not self.key_fields:
            refuse("must have a key or key_fields to join on", None)
        return self


class WindowJoin(TimedProcessor):
    """Pair the records of two inputs that have the same key and lie in the same window.

    Each window and key gives one FlowFile with a line per pair: `{"left": …, "right": …}`. It comes
    out when the window closes, so it does not matter which input was faster.
    """

    tags = ("window", "join", "time", "enrich", "stream")
    writes = {
        **{name: text for name, text in WRITES.items() if name != "final"},
        "join.left": "Records of the left input.",
        "join.right": "Records of the right input.",
        "join.side": "`left` or `right`, on what is unmatched.",
    }
    shaping = frozenset(
        {"key", "key_fields", "right_key_fields", "time", "left"}
        | {"size", "slide", "calendar", "offset", "time_zone"}
    )

    Properties = JoinProperties
    properties: JoinProperties

    window = Relationship("One FlowFile per window and key, with the pairs.")
    unmatched = Relationship("Records that found no partner, where the kind of join drops them.")

    @classmethod
    def relationships_for(cls, properties: Any) -> Mapping[str, Relationship]:
        """An outer join leaves nothing unmatched."""
        outer = getattr(properties, "join", None) is Join.OUTER
        return {n: r for n, r in cls.relationships.items() if not outer or n != cls.unmatched}

    def make_shape(self) -> Shape:
        return Shape(fold_plan({}))

    def make_store(self, emitter: Emitter, saved: Saved) -> JoinedWindows:
        properties = self.properties
        if properties.calendar is not None:
            calendar = CalendarWindows(properties.calendar, properties.time_zone)
            return JoinedWindows(calendar, properties.join, emitter, saved)
        size = properties.size or 1
        windows = Hopping(size, properties.slide or size, properties.offset)
        return JoinedWindows(windows, properties.join, emitter, saved)

    def batches(self, session: ProcessSession) -> Iterator[Batch]:
        """Take from both inputs, the left one first."""
        left = [i for i, source in session.inputs if self.properties.left in (i, source)]
        if not left:
            known = ", ".join(sorted(source or id for id, source in session.inputs)) or "none"
            raise DefinitionError(
                f"property 'left' must name one of the inputs ({known}); "
                f"got {self.properties.left!r}"
            )
        for connection, _ in session.inputs:
            flowfiles = session.get_batch(connection=connection)
            if not flowfiles:
                continue
            side = LEFT if connection in left else RIGHT
            batch = self._reading_of(side).read(flowfiles, session.read, self._clocks.now)
            batch.keys = [side + key for key in batch.keys]
            batch.prefix = 1
            yield batch

    def _reading_of(self, side: str) -> Any:
        properties, reading = self.properties, self._reading
        if side == LEFT:
            return reading
        return reading._replace(
            key_fields=properties.right_key_fields or reading.key_fields,
            field=properties.right_time_field or reading.field,
        )
