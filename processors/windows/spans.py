"""Spans: the open windows of all keys together, with how much is in each; they stay in memory."""

from __future__ import annotations

from collections.abc import Iterable

from processors.windows.assign import Span
from processors.windows.state import PANES, Saved
from processors.windows.store import Shown

PREFIX = "w"


class Open:
    """One open window.

    keys, records: how many are in it
    fired:         whether it has come out on time
    """

    __slots__ = ("fired", "keys", "records", "span")

    def __init__(self, span: Span, keys: int = 0, records: int = 0, fired: bool = False) -> None:
        self.span, self.keys, self.records, self.fired = span, keys, records, fired


class Spans:
    """Open windows by their span, and as names in the state.

    listed: whether the state lists them; else they are found by the names of all panes
    """

    def __init__(self, saved: Saved, *, listed: bool = True) -> None:
        self._saved, self._listed = saved, listed
        self.open: dict[Span, Open] = {}
        self._dirty: set[Span] = set()

    def load(self) -> Iterable[Open]:
        """Read them from the state."""
        self.open, self._dirty = {}, set()
        if not self._listed:
            self._count_panes()
        state = self._saved.state
        for name in list(state.scan(PREFIX, "x")):
            end, keys, records, fired = state[name]
            span = Span(int(name[len(PREFIX) :]), end)
            self.open[span] = Open(span, keys, records, fired)
        return self.open.values()

    def _count_panes(self) -> None:
        for ident in self._saved.idents():
            start = int(ident[len(PANES) :].partition(" ")[0])
            window = self.open.setdefault(Span(start, start + 1), Open(Span(start, start + 1)))
            window.keys += 1
            window.records += 1

    def get(self, span: Span) -> Open | None:
        """An open window."""
        return self.open.get(span)

    def add(self, span: Span, *, fired: bool) -> Open:
        """A window opens."""
        window = self.open[span] = Open(span, fired=fired)
        self._dirty.add(span)
        return window

    def grow(self, window: Open, keys: int, records: int) -> None:
        """It has more of both, or less."""
        window.keys += keys
        window.records += records
        self._dirty.add(window.span)

    def fire(self, window: Open) -> None:
        """It has come out."""
        window.fired = True
        self._dirty.add(window.span)

    def close(self, span: Span) -> None:
        """A window is gone."""
        if self.open.pop(span, None) is not None:
            self._dirty.add(span)

    def flush(self) -> None:
        """Write what changed."""
        for span in self._dirty if self._listed else ():
            window = self.open.get(span)
            name = f"{PREFIX}{span.start}"
            if window is None:
                self._saved.remove(name)
            else:
                value = (span.end, window.keys, window.records, window.fired)
                self._saved.put(name, value)
        self._dirty = set()

    def overview(self, most: int) -> list[Shown]:
        """Those that close next."""
        unfired = [window for window in self.open.values() if not window.fired]
        chosen = sorted(unfired or self.open.values(), key=lambda w: (w.span.end, w.span.start))
        return [Shown(*w.span, w.keys, w.records) for w in chosen[:most]]
