"""Decoded records of the contents that passed last, so that a chain does not parse twice.

The key is the identity of the content: contents are immutable, and each entry keeps its content
alive, so an identity never means two contents. It holds little, since a batch is followed
downstream at once (depth first), and it never changes a result: an entry is what reading the
content anew would give. After a restart, or when a content left memory, it is read again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

from flowengine.content import Content
from processors.records._core.formats import RecordFormat
from processors.records._core.reading import Reading
from processors.records._core.tables import Records

_BYTES: Final = 16 << 20  # of contents; decoded ones take several times as much
_ENTRIES: Final = 1024


class RecordCache:
    """The records of a few contents, least recently used out first. Safe from any thread."""

    def __init__(self, maximum: int = _BYTES, entries: int = _ENTRIES) -> None:
        self._maximum, self._entries = maximum, entries
        self._lock = threading.Lock()
        self._known: OrderedDict[Any, tuple[Content, Records]] = OrderedDict()
        self._bytes = 0
        self.hits = 0

    def get(self, content: Content, kind: RecordFormat, reading: Reading) -> Records | None:
        """What reading this content would give, when it is known."""
        key = _key(content, kind, reading)
        with self._lock:
            found = self._known.get(key)
            if found is None:
                return None
            self._known.move_to_end(key)
            self.hits += 1
            return found[1]

    def put(self, content: Content, kind: RecordFormat, reading: Reading, records: Records) -> None:
        """Remember; ``records`` must be what reading the content would give."""
        if len(content) > self._maximum // 2:
            return
        key = _key(content, kind, reading)
        with self._lock:
            if key not in self._known:
                self._bytes += len(content)
            self._known[key] = content, records
            while self._bytes > self._maximum or len(self._known) > self._entries:
                _, (old, _) = self._known.popitem(last=False)
                self._bytes -= len(old)

    def __len__(self) -> int:
        return len(self._known)


def _key(content: Content, kind: RecordFormat, reading: Reading) -> Any:
    return id(content), kind, reading if kind is RecordFormat.CSV else reading.schema


CACHE: Final = RecordCache()
