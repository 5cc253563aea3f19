"""Let each key pass once within a duration."""

from __future__ import annotations

import heapq
import math
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from pydantic import Field, model_validator

from flowengine.context import ProcessContext
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, Processor, Relationship
from flowengine.session import ProcessSession
from flowengine.units import Duration, parse_duration
from processors.windows.disposal import Fate, settle
from processors.windows.plan import fold_plan
from processors.windows.properties import ReadingProperties, refuse
from processors.windows.records import Batch
from processors.windows.times import Time

SWEEP: Final = 10_000  # forgotten keys per trigger


class Unit(StrEnum):
    """What is looked at."""

    RECORD = "record"
    FLOWFILE = "flowfile"


class DeduplicateProperties(ReadingProperties):
    """Properties of Deduplicate."""

    unit: Unit = Field(
        Unit.RECORD,
        description="Look at each record of the content, or at FlowFiles whole by attributes.",
    )
    within: Duration = Field(
        parse_duration("1 h"), description="A key passes once in so long, counted from that one."
    )

    @model_validator(mode="after")
    def _has_a_key(self) -> DeduplicateProperties:
        if self.within < 1:
            refuse("within must be more than 0", f"{self.within} us")
        if self.unit is Unit.FLOWFILE and (self.key is None or self.key_fields or self.time_field):
            refuse("must have a key over attributes with unit 'flowfile'", None)
        return self


class Deduplicate(Processor):
    """Let the first record of each key pass, and no other one within the duration.

    Without a key, whole records are compared. By event time, a record behind the watermark whose
    key is not known any more goes to `late`: nobody can say whether it is the first. Keys are part
    of the flow's state; an interrupted flow knows them again.
    """

    tags = ("deduplicate", "unique", "filter", "stream")
    serial = True
    event_time = True

    Properties = DeduplicateProperties
    properties: DeduplicateProperties

    unique = Relationship("The first of each key.")
    duplicate = Relationship("Those that came again.")
    late = Relationship("Records too late to be judged.")
    invalid = Relationship("Records without a readable time or key.", failure=True)

    examples = (
        Example(
            "One reading per sensor",
            properties={"time": "processing", "key_fields": ["id"]},
            given=(Given('{"id": 1}'), Given('{"id": 2}'), Given('{"id": 1}')),
            expect={
                "unique": (Expected('{"id": 1}'), Expected('{"id": 2}')),
                "duplicate": (Expected('{"id": 1}'),),
            },
        ),
    )

    def __init__(self, properties: DeduplicateProperties) -> None:
        super().__init__(properties)
        self._reading = properties.reading(fold_plan({}))
        self._whole = properties.key is None and not properties.key_fields
        self._expiring: list[tuple[int, str]] | None = None
        self._popped: list[tuple[int, str]] = []

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        flowfiles = session.get_batch()
        if not flowfiles:
            return
        batch = self._read(flowfiles, session)
        fates = {row: Fate("invalid", None, rule) for row, rule in batch.invalid.items()}
        watermark = self._watermark(context, session)
        self._forget(context, session, watermark)
        self._judge(batch, fates, session, watermark)
        settle(session, batch, fates, watermark, "unique")

    def _read(self, flowfiles: list[FlowFile], session: ProcessSession) -> Batch:
        def content(flowfile: FlowFile) -> bytes:
            return b"{}" if whole else session.read(flowfile)

        whole = self.properties.unit is Unit.FLOWFILE
        batch = self._reading.read(flowfiles, content, session.now)
        if self._whole:
            batch.keys = [blake2b(raw, digest_size=16).hexdigest() for raw in batch.raw]
        return batch

    def _watermark(self, context: ProcessContext, session: ProcessSession) -> float:
        """Time behind which keys may be forgotten."""
        if self.properties.time is Time.EVENT:
            return context.watermark
        return session.now - 1 if self.properties.time is Time.PROCESSING else -math.inf

    def _judge(
        self, batch: Batch, fates: dict[int, Fate], session: ProcessSession, watermark: float
    ) -> None:
        state, within = session.state, self.properties.within
        for row in batch.valid:
            name, time = f"k{batch.keys[row]}", batch.times[row]
            seen = state.get(name)
            if seen is not None and abs(time - seen) < within:
                fates[row] = Fate("duplicate")
            elif time <= watermark:
                fates[row] = Fate("late")
            elif seen is None or time > seen:
                state[name] = time
                if self._expiring is not None:
                    heapq.heappush(self._expiring, (time + within, name))

    def _forget(self, context: ProcessContext, session: ProcessSession, watermark: float) -> None:
        """Take out keys that no record in time can meet any more."""
        state, within = session.state, self.properties.within
        if self._expiring is None:
            self._expiring = [
                (time + within, name) for name, time in context.state.items() if name[0] == "k"
            ]
            heapq.heapify(self._expiring)
        for entry in self._popped:  # rolled back since
            if entry[1] in context.state:
                heapq.heappush(self._expiring, entry)
        self._popped = []
        while self._expiring and self._expiring[0][0] <= watermark and len(self._popped) < SWEEP:
            entry = heapq.heappop(self._expiring)
            if state.get(entry[1]) == entry[0] - within:
                del state[entry[1]]
                self._popped.append(entry)
