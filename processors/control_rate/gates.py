"""Gates: the windows of each group, read from and written to the processor's durable state.

Nothing is remembered beside the state, so a session that is rolled back has charged nothing, and a
restart finds the budget as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from processors.control_rate.window import Window

CONFIGURATION = "configuration"


class Gate:
    """The limits of one group. A FlowFile passes when all of them have something left."""

    __slots__ = ("changed", "windows")

    def __init__(self, windows: list[Window]) -> None:
        self.windows = windows
        self.changed = any(window.moved for window in windows)

    @property
    def open(self) -> bool:
        """Whether the next FlowFile may pass."""
        return all(window.remaining > 0 for window in self.windows)

    def has_room(self, amounts: Iterable[int]) -> bool:
        """Whether FlowFiles of these amounts, taken together, all pass."""
        return all(w.remaining >= a for w, a in zip(self.windows, amounts, strict=True))

    @property
    def free_at(self) -> int:
        """When the next FlowFile may pass, µs since the epoch."""
        return max(window.free_at for window in self.windows)

    def admit(self, amounts: Iterable[int]) -> None:
        """Count one FlowFile, or several together, in every window: all of them or none."""
        self.changed = True
        for window, amount in zip(self.windows, amounts, strict=True):
            window.admit(amount)


class Gates:
    """All gates as one session sees them.

    maxima: limit's name → what may pass in one period
    """

    def __init__(
        self, state: MutableMapping[str, Any], maxima: Mapping[str, int], period: int, now: int
    ) -> None:
        self._state = state
        self._maxima = maxima
        self._period = period
        self._now = now
        self._gates: dict[str | None, Gate] = {}

    def of(self, group: str | None) -> Gate:
        """The gate of a group; None is the group of FlowFiles without one."""
        gate = self._gates.get(group)
        if gate is None:
            gate = Gate([self._window(name, _key(name, group)) for name in self._maxima])
            self._gates[group] = gate
        return gate

    def _window(self, name: str, key: str) -> Window:
        return Window(self._period, self._maxima[name], self._now, self._state.get(key))

    def store(self) -> None:
        """Write what changed to the state."""
        for group, gate in self._gates.items():
            if gate.changed:
                for name, window in zip(self._maxima, gate.windows, strict=True):
                    self._state[_key(name, group)] = window.snapshot()

    def configured(self, configuration: str) -> None:
        """Start anew when what is limited, or the period, is not what the state was made for."""
        if self._state.get(CONFIGURATION) != configuration:
            for key in list(self._state):
                del self._state[key]
            self._state[CONFIGURATION] = configuration

    def free_idle(self, keys: Iterable[str]) -> None:
        """Take windows in which nothing counts any more out of the state."""
        for key in keys:
            name = key.partition(":")[0]
            if name in self._maxima and self._window(name, key).idle:
                self._state.pop(key, None)


def _key(name: str, group: str | None) -> str:
    return name if group is None else f"{name}:{group}"
