"""Bins of fragments: what a splitter cut is put together again, whole and in order. Pure."""

from __future__ import annotations

from flowengine.flowfile import FlowFile
from processors.records._core.bins import Bin, Bins, Bounds, Reason
from processors.records._core.formats import RecordError

IDENTIFIER = "fragment.identifier"
INDEX = "fragment.index"
COUNT = "fragment.count"


def identifier(flowfile: FlowFile) -> str:
    """Which whole a fragment is of. Raises RecordError where the attributes do not say it."""
    found = flowfile.attributes.get(IDENTIFIER, "")
    if not found:
        raise RecordError(f"attribute {IDENTIFIER!r} must name what it is a fragment of; got none")
    _place(flowfile)
    return found


def _place(flowfile: FlowFile) -> tuple[int, int]:
    """Index of a fragment, from 0, and how many there are."""
    index, count = (flowfile.attributes.get(name, "") for name in (INDEX, COUNT))
    if not (index.isdecimal() and count.isdecimal() and int(index) < int(count)):
        rule = f"attributes {INDEX!r} and {COUNT!r} must be a number below another"
        raise RecordError(f"{rule}; got {index!r} and {count!r}")
    return int(index), int(count)


class Fragments(Bins):
    """The open bins by identifier. One is closed when all its fragments are there.

    given_up: bins that are too old, or too many: they will never be whole
    """

    def __init__(self, bounds: Bounds, since: dict[str, int], now: int) -> None:
        super().__init__(bounds, since, now)
        self.given_up: list[Bin] = []

    def add(self, key: str, flowfile: FlowFile, records: int) -> None:
        """Put a fragment to the others. Raises RecordError when it does not belong to them."""
        found = self.bin(key)
        index, count = _place(flowfile)
        for other in found.flowfiles:
            if _place(other) == (index, count):
                raise RecordError(f"fragment {index} of {key!r} must come once; got another one")
            if _place(other)[1] != count:
                got = f"{count} and {_place(other)[1]}"
                raise RecordError(f"fragments of {key!r} must agree on their number; got {got}")
        found.add(flowfile, records)

    def close_due(self) -> None:
        """Close what is whole; give up what is too old, or too many."""
        bounds = self.bounds
        for one in self.oldest_first():
            if len(one.flowfiles) == _place(one.flowfiles[0])[1]:
                one.flowfiles.sort(key=_place)
                self.close(one, Reason.WHOLE)
            elif self.now - one.since >= bounds.maximum_age:
                self._give_up(one, Reason.AGE)
        many = self.oldest_first()
        for one in many[: max(0, len(many) - bounds.maximum_bins)]:
            self._give_up(one, Reason.BINS)
        for one in self.oldest_first():
            if len(self.waiting) >= bounds.maximum_waiting:
                self._give_up(one, Reason.WAITING)

    def _give_up(self, one: Bin, reason: Reason) -> None:
        self.close(one, reason)
        self.closed.remove(one)
        self.given_up.append(one)


def incomplete(one: Bin) -> RecordError:
    """Why the members of a bin that was given up fail."""
    count = _place(one.flowfiles[0])[1]
    got = f"{len(one.flowfiles)} before {one.reason}"
    return RecordError(f"all {count} fragments of {one.key!r} must come; got {got}")


def whole_attributes(one: Bin) -> dict[str, str]:
    """The name of what was split, and no word about fragments."""
    name = one.flowfiles[0].attributes.get("segment.original.filename")
    return {} if name is None else {"filename": name}
