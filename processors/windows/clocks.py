"""Clocks: how far time has come for a window, and when to look again.

Event time follows the engine's low watermark (E20). Ingest time, and event time of sources that
know none, follow the greatest time seen. Processing time is the wall clock; it never goes back
here, whatever NTP does. Silence closes windows by the wall clock when ``close_after_idle`` is set.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, MutableMapping
from typing import Any, Final

from processors.windows.properties import TimedProperties
from processors.windows.state import CLOSED
from processors.windows.times import FOREVER, Time
from processors.windows.trigger import Reason

SEEN: Final = "$seen"
INPUT: Final = "$input"
TICK: Final = "$tick"


class Clocks:
    """The times of one trigger; what must outlive it is written to the state.

    lateness: µs for which closed windows take late records
    every:    µs between early panes, or None
    now:      processing time of the trigger in µs, not before windows that closed
    """

    def __init__(
        self, properties: TimedProperties, lateness: int = 0, every: int | None = None
    ) -> None:
        self._time = properties.time
        self._delay = properties.delay if properties.time is not Time.PROCESSING else None
        self._idle = properties.close_after_idle
        self._lateness, self._every = lateness, every
        self.now = self._wall = 0

    def begin(self, state: MutableMapping[str, Any], now: int, watermark: float) -> None:
        """Start a trigger."""
        self._state, self._engine = state, watermark
        self._wall = now
        closed = state.get(CLOSED) if self._time is Time.PROCESSING else None
        self.now = now if closed is None else max(now, closed + 1)
        self._seen: int | None = state.get(SEEN)
        self._input: int | None = state.get(INPUT)
        self._tick: int | None = state.get(TICK)

    def seen(self, times: list[int]) -> None:
        """Records of these times came and were valid."""
        self._input = self._wall
        if not times:
            return
        if self._delay is not None:
            self._seen = max(times) if self._seen is None else max(self._seen, max(times))
        if self._every is not None and self._tick is None:
            self._tick = self._wall + self._every

    def rest(self) -> None:
        """No window is open: there is nothing to put out early."""
        self._tick = None

    @property
    def ticking(self) -> bool:
        """Whether early panes come out by the clock."""
        return self._every is not None

    def again(self) -> None:
        """More early panes are to come out than one trigger may put out."""
        self._tick = self._wall

    def tick_due(self) -> bool:
        """Whether early panes are to come out by the clock now."""
        if self._tick is None or self._tick > self._wall:
            return False
        self._tick = None
        return True

    def watermarks(self, closed: int | None) -> Iterator[tuple[float, Reason]]:
        """How far time has come, never less than ``closed``; then how far silence moves it."""
        least = -math.inf if closed is None else closed
        regular = max(least, self._regular())
        yield regular, Reason.WATERMARK
        if self._idle is not None and self._silent():
            idle = self._wall - self._idle - self._lateness - 1
            if idle > regular:
                yield idle, Reason.IDLE

    def _silent(self) -> bool:
        """Whether no record came for so long; with no window open nothing is waited for."""
        if self._idle is None or self._input is None:
            return False
        return self._wall >= self._input + self._idle

    def _regular(self) -> float:
        if self._engine == math.inf:
            return math.inf
        if self._time is Time.PROCESSING:
            return self.now - 1
        own = -math.inf
        if self._delay is not None and self._seen is not None:
            own = self._seen - self._delay - 1
        return own if self._time is Time.INGEST else max(own, self._engine)

    def event_timer(self, due: int | None) -> int | None:
        """Watermark of the engine at which to look again."""
        if due is None:
            return None
        return due if self._time is Time.EVENT else FOREVER

    def clock_timer(self, due: int | None) -> int | None:
        """Wall time at which to look again."""
        times = [self._tick] if self._tick is not None else []
        if due is not None and due < FOREVER:
            if self._time is Time.PROCESSING:
                times.append(due + 1)
            if self._idle is not None:
                passed = due + 1 + self._lateness
                times.append(max(passed, self._input or 0) + self._idle)
        return min(times, default=None)

    def finish(self, *, open: bool) -> None:
        """Write what the next trigger must know."""
        self._note(SEEN, self._seen)
        self._note(INPUT, self._input if self._idle is not None and open else None)
        self._note(TICK, self._tick)

    def _note(self, name: str, value: int | None) -> None:
        if self._state.get(name) == value:
            return
        if value is None:
            del self._state[name]
        else:
            self._state[name] = value
