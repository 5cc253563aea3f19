"""JoinedWindows: two sides of one window, put together as it closes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from flowengine.session import ProcessSession
from processors.windows.aligned import AlignedWindows
from processors.windows.assign import Span, Windower
from processors.windows.output import Emitter
from processors.windows.panes import Pane
from processors.windows.records import as_content
from processors.windows.state import Saved
from processors.windows.store import OUTPUTS
from processors.windows.times import LATEST, iso
from processors.windows.trigger import Reason, Trigger

LEFT: Final = "l"
RIGHT: Final = "r"


class Join(StrEnum):
    """Whether records without a partner come out with ``null`` as the other side."""

    INNER = "inner"
    LEFT = "left"
    OUTER = "outer"


class JoinedWindows(AlignedWindows):
    """Panes per window, side and key; the side is the first letter of a pane's key."""

    def __init__(self, windower: Windower, join: Join, emitter: Emitter, saved: Saved) -> None:
        super().__init__(windower, Trigger(), emitter, saved)
        self._join = join

    def _settle_window(self, span: Span, watermark: float, reason: Reason) -> bool:
        prefix = self._prefix(span)
        for ident in self.saved.idents(prefix, f"{prefix[:-1]}!"):
            if self.emitter.made >= OUTPUTS:
                return False
            self._join_key(span, self.saved.there(ident).key[1:], reason)
        return True

    def _join_key(self, span: Span, key: str, reason: Reason) -> None:
        """Put out both sides of a key; the left one comes first in the order of names."""
        prefix = self._prefix(span)
        left, right = (self.saved.pane(f"{prefix}{side}{key}") for side in (LEFT, RIGHT))
        self._put_out(span, key, left, right, reason)
        for pane in (left, right):
            if pane is not None:
                self.forget(pane)

    def close_all(self, reason: Reason) -> bool:
        """Join what there is so far."""
        spans = sorted(self.spans.open, key=lambda span: (span.end, span.start))
        return all(self._settle_window(span, self.emitter.watermark, reason) for span in spans)

    def _put_out(
        self, span: Span, key: str, left: Pane | None, right: Pane | None, reason: Reason
    ) -> None:
        session = self.emitter.session
        if session is None:
            raise AssertionError("windows come out within a trigger")
        ours, theirs = self._records(left), self._records(right)
        attributes = {
            "window.start": iso(span.start),
            "window.end": iso(span.end),
            "window.key": key,
            "join.left": str(len(ours)),
            "join.right": str(len(theirs)),
            "pane.reason": reason.value,
            "watermark": iso(self.emitter.watermark),
            "mime.type": "application/x-ndjson",
        }
        self.emitter.made += 1
        if self._matches(ours, theirs):
            rows = list(_pairs(ours, theirs))
            attributes["window.count"] = str(len(rows))
            self._make(session, "window", as_content(rows, array=False), attributes, span)
            return
        side, records = ("left", ours) if ours else ("right", theirs)
        attributes |= {"window.count": str(len(records)), "join.side": side}
        self._make(session, "unmatched", as_content(records, array=False), attributes, span)

    def _records(self, pane: Pane | None) -> list[bytes]:
        return [] if pane is None else [raw for _, raw in self.saved.kept(pane.chunks)]

    def _matches(self, ours: list[bytes], theirs: list[bytes]) -> bool:
        if ours and theirs:
            return True
        return self._join is Join.OUTER or (self._join is Join.LEFT and bool(ours))

    def _make(
        self,
        session: ProcessSession,
        relationship: str,
        content: bytes,
        attributes: dict[str, str],
        span: Span,
    ) -> None:
        time = min(span.end - 1, LATEST)
        ingest = max(session.now, time)
        made = session.create(content, attributes, ingest_time=ingest, event_time=time)
        session.transfer(made, relationship)


def _pairs(ours: list[bytes], theirs: list[bytes]) -> Iterator[bytes]:
    for one in ours or [b"null"]:
        for other in theirs or [b"null"]:
            yield b'{"left":%b,"right":%b}' % (one.strip(), other.strip())
