"""Output: a pane as a FlowFile of records, of fold results, of SQL or of a Python fold."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from flowengine.errors import FlowEngineError
from flowengine.flowfile import FlowFile
from flowengine.session import ProcessSession
from processors.windows.panes import Pane
from processors.windows.plan import FoldPlan, lookup
from processors.windows.records import Batch, as_content
from processors.windows.state import Saved, decode
from processors.windows.times import LATEST, iso
from processors.windows.trigger import Reason, Timing

Query = Callable[[list[dict[str, Any]]], Any]


class FoldError(FlowEngineError):
    """A query or an installed fold has no result for one window."""


class Shape(NamedTuple):
    """What windows put out.

    plan:   named folds; with none of them, and no query, the records themselves
    query:  computes on the decoded records instead
    array:  records as one JSON array, not as NDJSON
    bounds: windows say when their first and last records were (sessions)
    """

    plan: FoldPlan
    query: Query | None = None
    array: bool = False
    bounds: bool = False

    @property
    def folds(self) -> bool:
        """Whether the plan makes the content."""
        return bool(self.plan.narrow or self.plan.wide)

    @property
    def keeps(self) -> bool:
        """Whether records must be kept until the window closes."""
        return not self.folds or bool(self.plan.wide) or self.query is not None

    def lines(self, batch: Batch, rows: list[int]) -> list[bytes]:
        """Rows as they are kept: time and record, or what the wide folds need of it."""
        times = batch.times
        if self.folds and self.query is None:
            fields = {part.field for part in self.plan.wide}
            slim = [{f: lookup(batch.data[row], f) for f in fields} for row in rows]
            return [b"%d %b" % (times[r], orjson.dumps(s)) for r, s in zip(rows, slim, strict=True)]
        return [b"%d %b" % (times[row], batch.raw[row]) for row in rows]


class Emitter:
    """Puts panes out through the session of the current trigger."""

    def __init__(self, shape: Shape, saved: Saved) -> None:
        self.shape, self.saved = shape, saved
        self.session: ProcessSession | None = None
        self.watermark: float = -math.inf
        self.made = 0

    def emit(self, pane: Pane, timing: Timing, reason: Reason, *, final: bool) -> None:
        """One FlowFile with what the pane holds now; its event time is the window's last."""
        session = self.session
        if session is None:
            raise AssertionError("panes come out within a trigger")
        self.made += 1
        attributes = self._attributes(pane, timing, reason, final)
        time = min(pane.end - 1, LATEST)
        ingest = max(session.now, time)  # what windows make is never from the far future (E23)
        kept = self.saved.kept(pane.chunks) if self.shape.keeps else []
        try:
            content = self._content(pane, kept)
        except FoldError as error:
            records = as_content((raw for _, raw in kept), array=False)
            failed = session.create(records, attributes, ingest_time=ingest, event_time=time)
            session.fail(failed, error, relationship="invalid")
            return
        made = session.create(content, attributes, ingest_time=ingest, event_time=time)
        self._out.append(made)

    def begin(self, session: ProcessSession) -> None:
        """Put out through this session from now on."""
        self.session, self.made = session, 0
        self._out: list[FlowFile] = []

    def finish(self) -> None:
        """Hand on what came out, together."""
        if self.session is not None:
            self.session.transfer(self._out, "window")

    def results(self, pane: Pane) -> dict[str, Any]:
        """The fold results of a pane so far."""
        shape = self.shape
        return shape.plan.results(pane.held, lambda: decode(self.saved.kept(pane.chunks)))

    def _content(self, pane: Pane, kept: list[tuple[int, bytes]]) -> bytes:
        shape = self.shape
        if shape.query is not None:
            found = shape.query([record for _, record in decode(kept)])
            try:
                return orjson.dumps(found, default=str)
            except TypeError as error:
                raise FoldError(f"result must be JSON; got {error}") from None
        if shape.folds:
            results = shape.plan.results(pane.held, lambda: decode(kept))
            return _dumps(results)
        return as_content((raw for _, raw in kept), array=shape.array)

    def _attributes(
        self, pane: Pane, timing: Timing, reason: Reason, final: bool
    ) -> dict[str, str]:
        attributes = {
            "window.start": iso(pane.start),
            "window.end": iso(pane.end),
            "window.count": str(pane.count),
            "window.key": pane.key,
            "pane.index": str(pane.index),
            "pane.timing": timing.value,
            "pane.reason": reason.value,
            "final": "true" if final else "false",
            "watermark": iso(self.watermark),
            "mime.type": self._mime,
        }
        if self.shape.bounds and pane.first is not None and pane.last is not None:
            attributes |= {"window.first": iso(pane.first), "window.last": iso(pane.last)}
        return attributes

    @property
    def _mime(self) -> str:
        plain = not self.shape.folds and self.shape.query is None and not self.shape.array
        return "application/x-ndjson" if plain else "application/json"


def _dumps(value: Any) -> bytes:
    """JSON, also with integers beyond 64 bits, which orjson refuses."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
