"""FlowFile: one piece of data on its way through a flow.

A FlowFile is immutable by convention: a change is a new struct that shares what did not change, so
that roll-back is putting the old one back. It is a ``msgspec.Struct`` with ``gc=False`` because
frozen dataclasses measured 3-4 times slower per hop and a million tracked objects cost the garbage
collector a third of a second. Never store anything in it that could refer back to it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import msgspec

from flowengine.content import Content

_COUNTER_BITS = 40


class FlowFile(msgspec.Struct, gc=False, array_like=True, omit_defaults=False):
    """Attributes (text to text) and content, with what the engine must know about them.

    Times are integer microseconds since the epoch.

    id:             start epoch and a counter, never used twice (E1)
    attributes:     facts about the content; both sides are text
    content:        bytes in memory, or a reference to a content file
    size:           length of the content in bytes
    entry_time:     when it entered this instance; expiration counts from here
    lineage_start:  entry time of its oldest ancestor
    ingest_time:    stamped once at the source
    event_time:     least event time in it, or None where its source knows none
    event_last:     greatest event time in it, or None
    penalty_until:  not polled before this wall time; 0 is not penalized
    attempts:       retries so far at the processor in whose queue it waits
    cursor:         how far a splitter has come with it (E7)
    """

    id: int
    attributes: dict[str, str]
    content: Content
    size: int
    entry_time: int
    lineage_start: int
    ingest_time: int
    event_time: int | None = None
    event_last: int | None = None
    penalty_until: int = 0
    attempts: int = 0
    cursor: int = 0

    @property
    def uuid(self) -> str:
        """The id written as a UUID (version 8: our own scheme), the same after every restart."""
        return format_uuid(self.id)

    def with_attributes(self, changes: Mapping[str, str]) -> FlowFile:
        """A FlowFile with these attributes added or replaced; the content is shared."""
        attributes = self.attributes.copy()
        attributes.update(changes)
        return self.replacing(attributes)

    def without_attributes(self, names: Iterable[str]) -> FlowFile:
        """A FlowFile without these attributes; names it does not have are no error."""
        attributes = self.attributes.copy()
        for name in names:
            attributes.pop(name, None)
        return self.replacing(attributes)

    def replacing(self, attributes: dict[str, str]) -> FlowFile:
        """A FlowFile with exactly these attributes. The dict is kept, not copied."""
        return FlowFile(
            self.id,
            attributes,
            self.content,
            self.size,
            self.entry_time,
            self.lineage_start,
            self.ingest_time,
            self.event_time,
            self.event_last,
            self.penalty_until,
            self.attempts,
            self.cursor,
        )

    def with_content(self, content: Content) -> FlowFile:
        """A FlowFile with another content and the same attributes."""
        return msgspec.structs.replace(self, content=content, size=len(content))

    def with_cursor(self, cursor: int) -> FlowFile:
        """A FlowFile that remembers how far a splitter has come with it."""
        return msgspec.structs.replace(self, cursor=cursor)

    def with_event_time(self, first: int, last: int | None = None) -> FlowFile:
        """A FlowFile whose records happened from ``first`` to ``last`` (one instant by default)."""
        return msgspec.structs.replace(
            self, event_time=first, event_last=first if last is None else last
        )


class IdGenerator:
    """Ids that no crash can repeat: the start epoch in the high bits, a counter in the low (E1).

    Callable from any thread: sessions of blocking processors make FlowFiles, too.
    """

    def __init__(self, epoch: int) -> None:
        self._next = epoch << _COUNTER_BITS
        self._lock = threading.Lock()

    def take(self) -> int:
        """The next id."""
        with self._lock:
            self._next += 1
            return self._next

    def take_many(self, count: int) -> range:
        """The next ``count`` ids."""
        with self._lock:
            first = self._next + 1
            self._next += count
        return range(first, first + count)


def format_uuid(number: int) -> str:
    """An id as a UUID of version 8 (RFC 9562 §5.8)."""
    text = f"{number:024x}"
    return f"{text[:8]}-{text[8:12]}-8{text[12:15]}-8{text[15:18]}-{text[18:]:0>12}"


def parse_uuid(text: str) -> int:
    """The id that :func:`format_uuid` wrote."""
    digits = text.replace("-", "")
    return int(digits[:12] + digits[13:16] + digits[17:20] + digits[-6:], 16)
