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
        panes = self._windows.get(span, {})
        for key in dict.fromkeys(name[1:] for name in panes):
            if self.emitter.made >= OUTPUTS:
                return False
            left, right = panes.pop(LEFT + key, None), panes.pop(RIGHT + key, None)
            self._put_out(span, key, left, right, reason)
            for pane in (left, right):
                if pane is not None:
                    self.saved.drop(pane)
        self._unfired.discard(span)
        self._windows.pop(span, None)
        return True

    def close_all(self, reason: Reason) -> None:
        """Join what there is so far."""
        for span in sorted(self._windows):
            while not self._settle_window(span, self.emitter.watermark, reason):
                self.emitter.made = 0
        self.rebuild()

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
