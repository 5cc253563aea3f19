"""Cut a stream into windows that overlap."""

from __future__ import annotations

from pydantic import Field, model_validator

from flowengine.processor import Example, Expected, Given
from flowengine.units import Duration
from processors.windows.aligned import AlignedWindows
from processors.windows.assign import Hopping
from processors.windows.base import SHAPING
from processors.windows.counts import CountWindows
from processors.windows.output import Emitter
from processors.windows.properties import WindowProperties, refuse
from processors.windows.shared import SharedWindows
from processors.windows.sharing import EventPanes, HoppingPanes
from processors.windows.state import Saved
from processors.windows.store import Store
from processors.windows.times import Offset
from processors.windows.windowing import WindowProcessor

EARLY = frozenset({"allowed_lateness", "emit", "early_records", "early_every", "early_when"})


class SlidingProperties(WindowProperties):
    """Properties of SlidingWindow."""

    size: Duration | None = Field(None, description="Length of a window, such as `10 min`.")
    slide: Duration | None = Field(
        None, description="A new window begins so often. Empty: one window ends with each record."
    )
    offset: Offset = Field(0, description="Shift of the windows from the epoch.")
    allow_gaps: bool = Field(
        False, description="Allow a `slide` above the `size`; records between go to `unmatched`."
    )
    count: int | None = Field(None, ge=1, description="Windows of so many records of a key.")
    count_slide: int = Field(1, ge=1, description="A new window of `count` so often, in records.")

    @model_validator(mode="after")
    def _fits(self) -> SlidingProperties:
        if (self.size is None) == (self.count is None):
            refuse("must have one of size and count", "both" if self.count else None)
        if self.count is not None and self.count_slide > self.count:
            refuse("count_slide must be at most count", self.count_slide)
        if self.size is not None and self.size < 1:
            refuse("size must be more than 0", self.size)
        if self.slide is not None and self.slide < 1:
            refuse("slide must be more than 0", self.slide)
        if not self.allow_gaps and (self.slide or 0) > (self.size or self.slide or 0):
            refuse("slide must be at most size unless allow_gaps is set", f"{self.slide} us")
        if self.size is not None and self.slide is None and not self.plain:
            refuse("slide must be given with allowed_lateness or early panes", None)
        return self


class SlidingWindow(WindowProcessor):
    """Collect or fold the records of windows that overlap, such as the last 10 minutes each second.

    Overlapping windows share panes: a record is kept and folded once. With early panes or allowed
    lateness each window has its own.
    """

    tags = ("window", "time", "aggregate", "moving", "stream")
    shaping = SHAPING | EARLY | {"size", "slide", "offset", "count", "count_slide"}

    Properties = SlidingProperties
    properties: SlidingProperties

    examples = (
        Example(
            "Mean of the last three readings, at each reading",
            properties={"count": 3, "time": "processing", "folds": {"mean": {"mean": "v"}}},
            given=(Given('{"v": 100}\n{"v": 60}'), Given('{"v": 200}\n{"v": 40}')),
            expect={"window": (Expected('{"mean":120.0}'), Expected('{"mean":100.0}'))},
        ),
    )

    def make_store(self, emitter: Emitter, saved: Saved) -> Store:
        properties, trigger = self.properties, self.properties.trigger
        if properties.count is not None:
            count, every = properties.count, properties.count_slide
            return CountWindows(count, every, trigger, emitter, saved)
        size, slide = properties.size or 1, properties.slide
        if slide is None:
            return SharedWindows(EventPanes(size), trigger, emitter, saved)
        windows = Hopping(size, slide, properties.offset)
        if properties.plain and slide <= size:
            return SharedWindows(HoppingPanes(windows), trigger, emitter, saved)
        return AlignedWindows(windows, trigger, emitter, saved)
