"""The ledger: in = out + failed + expired + dropped + queued (E28)."""

from __future__ import annotations

from typing import Final

NAMES: Final = ("in", "out", "failed", "expired", "dropped")


class Ledger:
    """Totals over the life of a flow's data directory, part of every cut.

    in:      FlowFiles that were made: by sources, splits, clones and copies for fan-out
    out:     removed by a processor, or auto-terminated: the work is done
    failed:  auto-terminated at a relationship that means failure
    expired: dropped because they were older than a connection allows
    dropped: thrown away by a person
    """

    def __init__(self) -> None:
        self.totals: dict[str, int] = dict.fromkeys(NAMES, 0)

    def add(self, name: str, count: int) -> None:
        """Count FlowFiles under one name."""
        self.totals[name] += count

    def restore(self, totals: dict[str, int]) -> None:
        """Go on from a cut."""
        self.totals.update({name: totals.get(name, 0) for name in NAMES})

    def balance(self, queued: int) -> int:
        """0 when every FlowFile is accounted for; else what is missing (> 0) or too many (< 0)."""
        totals = self.totals
        return totals["in"] - sum(totals[name] for name in NAMES[1:]) - queued

    def line(self, queued: int) -> str:
        """One line for people."""
        totals = self.totals
        rest = " + ".join(f"{totals[name]} {name}" for name in NAMES[1:])
        return f"{totals['in']} in = {rest} + {queued} queued"
