"""A processor's durable state as one session sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


class SessionState(MutableMapping[str, Any]):
    """Durable state as this session sees it: its own changes over the last commit."""

    def __init__(self, base: Mapping[str, Any], changes: dict[str, Any]) -> None:
        self._base = base
        self._changes = changes

    def __getitem__(self, key: str) -> Any:
        value = self._changes[key] if key in self._changes else self._base[key]
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        self._changes[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._changes[key] = None

    def __iter__(self) -> Iterator[str]:
        names = {*self._base, *self._changes}
        return iter(sorted(name for name in names if self._changes.get(name, "") is not None))

    def __len__(self) -> int:
        return sum(1 for _ in self)
