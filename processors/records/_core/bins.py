"""Bins: which FlowFiles are merged together, when, and why. Pure; knows no session."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from flowengine.flowfile import FlowFile
from processors.records._core.formats import RecordError
from processors.records._core.processor import Encoded
from processors.records._core.tables import Records, joined


class Reason(StrEnum):
    """Why a bin was closed."""

    FULL = "full"
    MINIMUM = "minimum reached"
    AGE = "maximum age"
    BINS = "too many bins"
    WAITING = "too many waiting"
    WHOLE = "all fragments"


class Bounds(Protocol):
    """How large, how old and how many bins may be; sizes in bytes, age in µs."""

    @property
    def minimum_records(self) -> int: ...

    @property
    def maximum_records(self) -> int: ...

    @property
    def minimum_size(self) -> int: ...

    @property
    def maximum_size(self) -> int: ...

    @property
    def maximum_age(self) -> int: ...

    @property
    def maximum_bins(self) -> int: ...

    @property
    def maximum_waiting(self) -> int: ...


class Bin:
    """FlowFiles that will be one, in order."""

    def __init__(self, key: str, since: int, now: int) -> None:
        self.key, self.since, self.now = key, since, now
        self.flowfiles: list[FlowFile] = []
        self.records = self.bytes = 0
        self.reason = Reason.FULL

    def add(self, flowfile: FlowFile, records: int) -> None:
        """One more member."""
        self.flowfiles.append(flowfile)
        self.records += records
        self.bytes += flowfile.size

    def common(self, members: list[FlowFile]) -> dict[str, str]:
        """The attributes that are the same in all members."""
        pairs = set(members[0].attributes.items())
        for member in members[1:]:
            pairs &= member.attributes.items()
        return {k: v for k, v in members[0].attributes.items() if (k, v) in pairs}

    def facts(self, members: list[FlowFile]) -> dict[str, str]:
        """What the merged FlowFile says about its making."""
        return {
            "merge.count": str(len(members)),
            "merge.reason": str(self.reason),
            "merge.bin.age": str((self.now - self.since) // 1000),
        }

    def timed(self, made: FlowFile, members: list[FlowFile]) -> FlowFile:
        """The merged FlowFile with the times of all members: earliest, and latest event time."""
        made.ingest_time = min(f.ingest_time for f in members)
        made.lineage_start = min(f.lineage_start for f in members)
        made.entry_time = min(f.entry_time for f in members)
        first = [f.event_time for f in members if f.event_time is not None]
        last = [f.event_last for f in members if f.event_last is not None]
        made.event_time, made.event_last = min(first, default=None), max(last, default=None)
        return made


class Bins:
    """The open bins by key and, once :meth:`close_due` ran, the closed ones.

    since: key → wall time at which the bin began, kept over triggers and restarts
    """

    def __init__(self, bounds: Bounds, since: dict[str, int], now: int) -> None:
        self.bounds, self.now = bounds, now
        self._since = since
        self._open: dict[str, Bin] = {}
        self.closed: list[Bin] = []

    def add(self, key: str, flowfile: FlowFile, records: int) -> None:
        """Put a FlowFile into the bin of its key; one that is full then is closed."""
        bounds, found = self.bounds, self._open.get(key)
        if found is not None and (
            found.records + records > bounds.maximum_records
            or found.bytes + flowfile.size > bounds.maximum_size
        ):
            self.close(found, Reason.FULL)
        found = self.bin(key)
        found.add(flowfile, records)
        if found.records >= bounds.maximum_records or found.bytes >= bounds.maximum_size:
            self.close(found, Reason.FULL)

    def bin(self, key: str) -> Bin:
        """The open bin of a key."""
        if key not in self._open:
            self._open[key] = Bin(key, self._since.pop(key, self.now), self.now)
        return self._open[key]

    def oldest_first(self) -> list[Bin]:
        """The open bins."""
        return sorted(self._open.values(), key=lambda one: one.since)

    def close(self, one: Bin, reason: Reason) -> None:
        """Take no more into a bin."""
        one.reason = reason
        self.closed.append(self._open.pop(one.key))

    def close_due(self) -> None:
        """Close what has enough, is too old or too many."""
        bounds = self.bounds
        for one in list(self._open.values()):
            if one.records >= bounds.minimum_records and one.bytes >= bounds.minimum_size:
                self.close(one, Reason.MINIMUM)
            elif self.now - one.since >= bounds.maximum_age:
                self.close(one, Reason.AGE)
        oldest = self.oldest_first()
        for one in oldest[: max(0, len(oldest) - bounds.maximum_bins)]:
            self.close(one, Reason.BINS)
        for one in self.oldest_first():
            if len(self.waiting) >= bounds.maximum_waiting:
                self.close(one, Reason.WAITING)

    def reopen(self, one: Bin) -> None:
        """There is no room for it in this session: it waits for the next one."""
        before = self._open.get(one.key)
        if before is not None:
            one.flowfiles += before.flowfiles
        self._open[one.key] = one

    @property
    def waiting(self) -> list[FlowFile]:
        """All members of open bins."""
        return [flowfile for one in self._open.values() for flowfile in one.flowfiles]

    @property
    def since(self) -> dict[str, int]:
        """When each open bin began."""
        return {key: one.since for key, one in self._open.items()}


def merged(
    parts: list[Records], flowfiles: list[FlowFile], encode: Callable[[Records], Encoded]
) -> tuple[Encoded | None, list[FlowFile], list[tuple[FlowFile, RecordError]]]:
    """All that fit together; those that do not fit to the ones before them come out by themselves.

    Returns the merged records, the FlowFiles they are from, and who does not fit and why.
    """
    members, odd = list(zip(parts, flowfiles, strict=True)), []
    while members:
        try:
            encoded = encode(joined([records for records, _ in members]))
        except RecordError:
            culprit, error = _first_odd([records for records, _ in members], encode)
            odd.append((members.pop(culprit)[1], error))
        else:
            return encoded, [flowfile for _, flowfile in members], odd
    return None, [], odd


def _first_odd(
    parts: list[Records], encode: Callable[[Records], Encoded]
) -> tuple[int, RecordError]:
    """The last of the shortest beginning that cannot be merged; found by halving."""
    low, high = 0, len(parts)
    reason = RecordError("records must fit together")
    while high - low > 1:
        middle = (low + high) // 2
        error = _problem(parts[:middle], encode)
        low, high = (low, middle) if error else (middle, high)
    reason = _problem(parts[:high], encode) or reason
    return high - 1, RecordError(str(reason.args[0]))


def _problem(parts: list[Records], encode: Callable[[Records], Encoded]) -> RecordError | None:
    try:
        encode(joined(parts))
    except RecordError as error:
        return error
    return None
