"""A processor's durable state as one session sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from heapq import merge
from typing import Any

from flowengine.node_state import NodeState


class SessionState(MutableMapping[str, Any]):
    """Durable state as this session sees it: its own changes over the last commit.

    seen: gets the values that were read, so that a commit can tell whether another task of the
          processor has changed one meanwhile; None where there is no other task
    """

    def __init__(
        self,
        base: Mapping[str, Any],
        changes: dict[str, Any],
        seen: dict[str, Any] | None = None,
    ) -> None:
        self._base = base
        self._changes = changes
        self._seen = seen

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default``."""
        if key in self._changes:
            value = self._changes[key]
        else:
            value = self._base.get(key)
            if self._seen is not None:
                self._seen.setdefault(key, value)
        return default if value is None else value

    def __getitem__(self, key: str) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __setitem__(self, key: str, value: Any) -> None:
        self._changes[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._changes[key] = None

    def discard(self, key: str) -> None:
        """Take a value out without looking whether it is there."""
        self._changes[key] = None

    def scan(self, start: str, end: str) -> Iterator[str]:
        """Names from ``start`` (in) to ``end`` (not in), in order.

        What is set after this was called may be missing; what is deleted meanwhile is.
        """
        changes = self._changes
        ours = sorted(key for key in changes if start <= key < end)
        last = None
        for key in (
            merge(ours, self._scan_base(start, end)) if ours else self._scan_base(start, end)
        ):
            if key != last and (key not in changes or changes[key] is not None):
                yield key
            last = key

    def _scan_base(self, start: str, end: str) -> Iterator[str]:
        if isinstance(self._base, NodeState):
            return self._base.scan(start, end)
        return iter(sorted(key for key in self._base if start <= key < end))

    def __iter__(self) -> Iterator[str]:
        names = {*self._base, *self._changes}
        return iter(sorted(name for name in names if self._changes.get(name, "") is not None))

    def __len__(self) -> int:
        return sum(1 for _ in self)
