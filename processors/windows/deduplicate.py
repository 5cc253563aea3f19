"""Let each key pass once within a duration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from pydantic import Field, model_validator

from flowengine.context import ProcessContext
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, Processor, Relationship
from flowengine.session import ProcessSession
from flowengine.units import Duration, parse_duration
from processors.windows.disposal import Fate, settle
from processors.windows.due import DueIndex
from processors.windows.plan import fold_plan
from processors.windows.properties import ReadingProperties, refuse
from processors.windows.records import Batch
from processors.windows.state import Saved
from processors.windows.times import Time

SWEEP: Final = 10_000  # forgotten keys per trigger
KEY_BYTES: Final = 60  # what a key takes beside itself, about


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
        plan = fold_plan({})
        self._reading = properties.reading(plan)
        self._whole = properties.key is None and not properties.key_fields
        self._saved = Saved(plan)
        self._expiring = DueIndex(self._saved)

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        watermark = self._watermark(context, session)
        if self._saved.begin(session.state):
            self._expiring.rebuild()
        done = self._forget(watermark)
        flowfiles = session.get_batch()
        if flowfiles:
            batch = self._read(flowfiles, session)
            fates = {row: Fate("invalid", None, rule) for row, rule in batch.invalid.items()}
            self._judge(batch, fates, watermark)
            self._count(context, session, fates)
            settle(session, batch, fates, watermark, "unique")
        self._set_timers(session, done)
        self._saved.finish()

    def _set_timers(self, session: ProcessSession, done: bool) -> None:
        """Known keys hold nothing back; they are forgotten with what comes, or when it stops."""
        session.set_clock_timer(None if done else session.now)

    def status(self, context: ProcessContext) -> Mapping[str, Any]:
        """How far time has come, and how many keys are known."""
        counters = context.counters
        windows = {
            "time": self.properties.time.value,
            "watermark": self._reached(context),
            "bytes": self._saved.size,
            "late": counters.get(f"records_late_total.{context.id}", 0),
            "invalid": counters.get(f"records_invalid_total.{context.id}", 0),
        }
        return {"keys": self._saved.count, "windows": windows}

    def _reached(self, context: ProcessContext) -> int | None:
        if self.properties.time is Time.PROCESSING:
            return context.clock.wall() - 1
        known = self.properties.time is Time.EVENT and math.isfinite(context.watermark)
        return int(context.watermark) if known else None

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

    def _judge(self, batch: Batch, fates: dict[int, Fate], watermark: float) -> None:
        state, within = self._saved.state, self.properties.within
        for row in batch.valid:
            key, time = batch.keys[row], batch.times[row]
            seen = state.get(f"~k{key}")
            if seen is not None and abs(time - seen) < within:
                fates[row] = Fate("duplicate")
            elif time <= watermark:
                fates[row] = Fate("late")
            elif seen is None or time > seen:
                self._remember(key, seen, time)

    def _count(
        self, context: ProcessContext, session: ProcessSession, fates: Mapping[int, Fate]
    ) -> None:
        for name in ("late", "invalid"):
            if number := sum(fate.relationship == name for fate in fates.values()):
                session.adjust_counter(f"records_{name}_total.{context.id}", number)

    def _remember(self, key: str, seen: int | None, time: int) -> None:
        if seen is None:
            self._saved.count += 1
            self._saved.size += KEY_BYTES + len(key)
        else:
            self._expiring.remove(seen + self.properties.within, key)
        self._saved.put(f"~k{key}", time)
        self._expiring.add(time + self.properties.within, key)

    def _forget(self, watermark: float) -> bool:
        """Take out keys that no record in time can meet any more; False when there are more."""
        expiring, saved = self._expiring, self._saved
        for _ in range(SWEEP):
            top = expiring.top()
            if top is None or top[0] > watermark:
                return True
            expiring.remove(*top)
            saved.remove(f"~k{top[1]}")
            saved.count -= 1
            saved.size -= KEY_BYTES + len(top[1])
        return False
