"""WindowProcessor: windows of one stream that put out records, folds or the result of a query."""

from __future__ import annotations

from typing import ClassVar

from processors.windows.base import TimedProcessor
from processors.windows.clocks import Clocks
from processors.windows.output import Query, Shape
from processors.windows.plan import fold_plan
from processors.windows.properties import Format, WindowProperties


class WindowProcessor(TimedProcessor):
    """Base of TumblingWindow, SlidingWindow and SessionWindow."""

    bounds: ClassVar[bool] = False

    Properties = WindowProperties
    properties: WindowProperties

    def make_shape(self) -> Shape:
        properties = self.properties
        array = properties.format is Format.ARRAY
        return Shape(fold_plan(properties.folds), self._query(), array, self.bounds)

    def _query(self) -> Query | None:
        if self.properties.sql:
            from processors.windows.sql import WindowQuery

            return WindowQuery(self.properties.sql)
        if self.properties.fold:
            from processors.windows.installed import installed_fold

            return installed_fold(self.properties.fold)
        return None

    def make_clocks(self) -> Clocks:
        properties = self.properties
        return Clocks(properties, properties.allowed_lateness, properties.early_every)
