"""Make up records. Source: NiFi ``GenerateFlowFile`` and ``GenerateRecord``, but seeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from flowengine.content import INLINE_LIMIT
from flowengine.context import ProcessContext
from flowengine.flowfile import FlowFile
from flowengine.processor import (
    Example,
    Expected,
    InputRequirement,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import PART_BYTES, PART_OBJECTS, ProcessSession
from processors.generate_records.properties import Format, RecordProperties
from processors.generate_records.recipe import Recipe

FAKER_BATCH: Final = 20  # records; about 5 ms, since Faker takes a tenth of a millisecond per field
COLUMN: Final = 64  # records made at once: quicker, and 64 big ones are still few
TEXT: Final = {"mime.type": "text/plain"}
TYPES: Final = {
    Format.JSON: {"mime.type": "application/json"},
    Format.NDJSON: {"mime.type": "application/x-ndjson"},
}
BURST: Final = 1_000_000  # µs of missed records that are made up for after a pause


class GenerateRecords(Processor):
    """Make up records from a schema: seeded, at a rate, and going on exactly where it stopped."""

    tags = ("test", "generate", "fake", "random", "records", "source", "load")
    writes = {
        "record.number": "Number of the (first) record, from 0.",
        "record.count": "Records in the FlowFile, with `ndjson`.",
        "mime.type": "`application/json`, `application/x-ndjson` or `text/plain`.",
    }
    input = InputRequirement.FORBIDDEN
    serial = True
    nifi = NifiNote(
        "GenerateFlowFile",
        {"content_size": "File Size", "attributes": "dynamic properties"},
        {"rate": "one batch per minute, by its schedule"},
    )
    Properties = RecordProperties
    properties: RecordProperties
    success = Relationship("The records.")

    examples = (
        Example(
            "Three orders",
            properties={
                "schema": {
                    "id": "sequence",
                    "country": {"provider": "choice", "values": ["NL"]},
                },
                "count": 3,
                "attributes": {"order": "id"},
            },
            expect={
                "success": tuple(
                    Expected(f'{{"id":{n},"country":"NL"}}', {"order": str(n)}) for n in (1, 2, 3)
                )
            },
        ),
    )

    def __init__(self, properties: ProcessorProperties) -> None:
        super().__init__(properties)
        self._recipe: Recipe | None = None
        self._started = 0
        self._issued = 0

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        recipe = self._recipe
        if recipe is None:
            recipe = self._recipe = Recipe(self.properties, context.clock.wall)
            self._started = context.clock.monotonic()
        first: int = session.state.get("next", 0)
        due = self._due(context)
        last = first + min(due, self._batch(context, recipe), self._left(first))
        if last > first:
            last = self._make(session, recipe, first, last)
            session.state["next"] = last
            self._issued += last - first
        if self._left(last) == 0:
            context.complete()
            session.report_progress("generated", None)
        elif last - first >= due:
            self._rest(context)

    # -- how many ------------------------------------------------------------------------------

    def _due(self, context: ProcessContext) -> int:
        """Records that the rate allows now, whole FlowFiles only."""
        rate = self.properties.rate
        if rate is None:
            return 1 << 60
        now = context.clock.monotonic()
        allowed = (now - self._started) * rate.amount // rate.period + self._size - self._issued
        most = max(BURST * rate.amount // rate.period, self._size)
        if allowed > most:
            self._issued += allowed - most
            allowed = most
        return allowed // self._size * self._size

    def _rest(self, context: ProcessContext) -> None:
        """Yield until the next FlowFile is due."""
        rate = self.properties.rate
        if rate is not None:
            due = self._started + -(-self._issued * rate.period // rate.amount)
            context.yield_(max(due - context.clock.monotonic(), 0))

    def _batch(self, context: ProcessContext, recipe: Recipe) -> int:
        if recipe.slow:
            return max(FAKER_BATCH // self._size, 1) * self._size
        size = max(self.properties.content_size or 1, 1)
        return max(min(context.batch_size, PART_OBJECTS, PART_BYTES // size), 1) * self._size

    def _left(self, first: int) -> int:
        count = self.properties.count
        return count - first if count else 1 << 60

    @property
    def _size(self) -> int:
        return self.properties.records_per_flowfile

    # -- making --------------------------------------------------------------------------------

    def _make(self, session: ProcessSession, recipe: Recipe, first: int, last: int) -> int:
        """Make records from ``first`` up to ``last``, or fewer if they are big; returns the end."""
        contents: list[bytes] = []
        attributes: list[dict[str, str]] = []
        step, room = max(self._size, COLUMN), PART_BYTES
        n = first
        while n < last and room > 0:
            start, n = n, min(n + step // self._size * self._size, last)
            made = self._write(recipe, start, n, attributes)
            contents += made
            room -= sum(map(len, made))
        flowfiles = self._created(session, contents, attributes)
        if recipe.instant is not None:
            self._stamp(session, flowfiles, recipe.instant, first, n)
        session.transfer(flowfiles, self.success)
        return n

    def _write(
        self, recipe: Recipe, first: int, last: int, attributes: list[dict[str, str]]
    ) -> list[bytes]:
        """Contents of the records from ``first`` up to ``last``; their attributes are appended."""
        properties, size = self.properties, self._size
        fill = properties.content_size or 0
        if not properties.schema:
            attributes += [{**TEXT, "record.number": str(n)} for n in range(first, last, size)]
            return [b"x" * fill] * -(-(last - first) // size)
        records = recipe.records(first, last)
        taken = properties.attributes.items()
        for n in range(first, last, size):
            names = {**TYPES[properties.format], "record.number": str(n)}
            for attribute, field in taken:
                names[attribute] = _text(records[n - first][field])
            attributes.append(names)
        lines = [orjson.dumps(record, default=str) for record in records]
        if properties.format is Format.NDJSON:
            groups = [lines[start : start + size] for start in range(0, len(lines), size)]
            lines = [b"\n".join([*group, b""]) for group in groups]
            for names, group in zip(attributes[-len(groups) :], groups, strict=True):
                names["record.count"] = str(len(group))
        return [line.ljust(fill) for line in lines] if fill else lines

    def _created(
        self, session: ProcessSession, contents: list[bytes], attributes: list[dict[str, str]]
    ) -> list[FlowFile]:
        if max(map(len, contents)) <= INLINE_LIMIT:
            return session.create_many(contents, attributes, ingest=None)
        return [session.create(c, a) for c, a in zip(contents, attributes, strict=True)]

    def _stamp(
        self,
        session: ProcessSession,
        made: list[FlowFile],
        instant: Callable[[int], int],
        first: int,
        last: int,
    ) -> None:
        """Event times of new FlowFiles, which nobody else has seen yet, and the progress (E20)."""
        greatest: int = session.state.get("greatest", -(1 << 62))
        for index, flowfile in enumerate(made):
            start = first + index * self._size
            times = [instant(k) for k in range(start, min(start + self._size, last))]
            flowfile.event_time, flowfile.event_last = min(times), max(times)
            greatest = max(greatest, flowfile.event_last)
        session.state["greatest"] = greatest
        session.report_progress("generated", greatest - self.properties.out_of_orderness - 1)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
