"""IndexedStore: windows of single keys, found by the time at which to look at them."""

from __future__ import annotations

from collections.abc import Iterator

from processors.windows.due import DueIndex
from processors.windows.output import Emitter
from processors.windows.panes import Pane
from processors.windows.state import Saved
from processors.windows.store import Shown, Store, shown
from processors.windows.trigger import Trigger

NEAR = 200  # entries among which the status looks for windows that close next


class IndexedStore(Store):
    """Each pane has one entry in the index: the time at which to look at it, or an earlier one."""

    def __init__(self, trigger: Trigger, emitter: Emitter, saved: Saved) -> None:
        super().__init__(trigger, emitter, saved)
        self.index = DueIndex(saved)

    def rebuild(self) -> None:
        self.index.rebuild()

    def enlist(self, pane: Pane, at: int) -> None:
        """Look at a pane at this time."""
        pane.at = at
        self.index.add(at, pane.ident)
        self.saved.touch(pane)

    def relist(self, pane: Pane, at: int) -> None:
        """Look at it at another time."""
        if pane.at != at:
            self.index.remove(pane.at, pane.ident)
            self.enlist(pane, at)

    def forget(self, pane: Pane) -> None:
        self.index.remove(pane.at, pane.ident)
        self.saved.drop(pane)

    def in_order(self) -> Iterator[str]:
        return (ident for _, ident in self.index)

    def overview(self, most: int) -> list[Shown]:
        found = [self.saved.pane(ident) for _, ident in self.index.near(NEAR)]
        unfired = [pane for pane in found if pane is not None and not pane.fired]
        return [shown(pane) for pane in sorted(unfired, key=lambda p: (p.end, p.start))[:most]]
