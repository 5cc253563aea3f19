"""Reading: rows of a batch get a time and a key, or the rule that they break."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import add
from typing import Any, NamedTuple

from flowengine.expressions import Expression
from flowengine.flowfile import FlowFile
from processors.windows.fold import canonical
from processors.windows.plan import FoldPlan
from processors.windows.records import Batch, as_text, read_batch
from processors.windows.times import Time, Unit, whole_times

NO_TIME = "event time must be known; got none. Name a `time_field`, or let the source read it"


class Reading(NamedTuple):
    """Where times and keys of records come from.

    time:        which clock
    field:       record field of the event time; empty for that of the FlowFile
    expression:  of the event time, instead
    parse:       a value of either → µs
    skew:        an event time may be so much after the ingest time
    key:         expression over attributes and fields, or None
    key_fields:  record fields that are part of the key
    plan:        folds, whose fields are read too
    unit:        of times that are integers, as ``parse`` reads them
    """

    time: Time
    field: str
    expression: Expression | None
    parse: Callable[[Any], int]
    skew: int
    key: Expression | None
    key_fields: tuple[str, ...]
    plan: FoldPlan
    unit: Unit

    def read(
        self, flowfiles: list[FlowFile], content: Callable[[FlowFile], bytes], now: int
    ) -> Batch:
        """Decode, and give each row its time and key."""
        batch = read_batch(flowfiles, content)
        fields = {*self.plan.fields, *self.key_fields, *((self.field,) if self.field else ())}
        batch.read_columns(fields)
        if self.time is Time.EVENT:
            self._read_times(batch)
        elif self.time is Time.INGEST:
            batch.times = [flowfiles[owner].ingest_time for owner in batch.owner]
        else:
            batch.times = [now] * len(batch)
        self._read_keys(batch)
        for row, rule in self.plan.reject(batch.columns).items():
            batch.invalid.setdefault(row, rule)
        return batch

    # -- times ---------------------------------------------------------------------------------

    def _read_times(self, batch: Batch) -> None:
        if self.expression is not None:
            views = batch.views(self.expression.attributes)
            texts, errors = self.expression.evaluate_batch(views)
            for row, error in errors.items():
                batch.invalid.setdefault(row, str(error))
            self._parse(batch, texts, "time_expression")
        elif self.field:
            self._parse(batch, batch.columns[self.field], f"field {self.field!r}")
        else:
            self._take_times(batch)
        limits = [flowfile.ingest_time + self.skew for flowfile in batch.flowfiles]
        if not batch.times or max(batch.times) <= min(limits):
            return
        for row, time in enumerate(batch.times):
            if time > limits[batch.owner[row]]:
                ahead = (time - limits[batch.owner[row]] + self.skew) // 1_000_000
                rule = "event time must not be further ahead of the ingest time than"
                batch.invalid.setdefault(
                    row, f"{rule} `max_future_skew`; got {ahead} seconds ahead"
                )

    def _take_times(self, batch: Batch) -> None:
        known = [flowfile.event_time for flowfile in batch.flowfiles]
        for row, owner in enumerate(batch.owner):
            time = known[owner]
            if time is None:
                batch.invalid.setdefault(row, NO_TIME)
            batch.times.append(0 if time is None else time)

    def _parse(self, batch: Batch, values: Iterable[Any], what: str) -> None:
        parse, times = self.parse, batch.times
        if isinstance(values, list) and (whole := whole_times(values, self.unit)) is not None:
            times += whole
            return
        for row, value in enumerate(values):
            try:
                times.append(parse(value))
            except ValueError as error:
                times.append(0)
                batch.invalid.setdefault(row, f"{what} {error}")

    # -- keys ----------------------------------------------------------------------------------

    def _read_keys(self, batch: Batch) -> None:
        if not self.key_fields:
            batch.keys = self._expressed(batch)
            return
        columns = [batch.columns[field] for field in self.key_fields]
        for field, column in zip(self.key_fields, columns, strict=True):
            if None in column:
                self._missing(batch, field, column)
        if len(columns) == 1:
            [column] = columns
            fields = [v if type(v) is str else as_text(v) for v in column]
        else:
            fields = [canonical(values) for values in zip(*columns, strict=True)]
        batch.keys = fields
        if self.key is not None:
            between = [f"{expressed}/" for expressed in self._expressed(batch)]
            batch.keys = list(map(add, between, fields))

    def _expressed(self, batch: Batch) -> list[str]:
        if self.key is None or self.key.is_literal:
            return [self.key.text if self.key is not None else ""] * len(batch)
        texts, errors = self.key.evaluate_batch(batch.views(self.key.attributes))
        for row, error in errors.items():
            batch.invalid.setdefault(row, f"key {error}")
        return [text if text is not None else "" for text in texts]

    def _missing(self, batch: Batch, field: str, column: list[Any]) -> None:
        for row, value in enumerate(column):
            if value is None:
                batch.invalid.setdefault(
                    row, f"field {field!r} must be given for the key; got none"
                )
