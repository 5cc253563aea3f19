"""How often somebody may try to log in."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

TRIES = 5
PERIOD = 60.0  # s
_NAMES = 10_000


class LoginLimit:
    """At most five failures a minute per name and per address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, *keys: str) -> int:
        """Seconds until the next try; 0 is now."""
        now = self._clock()
        return max((self._wait(key, now) for key in keys), default=0)

    def _wait(self, key: str, now: float) -> int:
        times = self._failures.get(key)
        while times and times[0] <= now - PERIOD:
            times.popleft()
        if not times or len(times) < TRIES:
            return 0
        return int(times[0] + PERIOD - now) + 1

    def failed(self, *keys: str) -> None:
        """Count a failure. Only the last 10 000 names are kept."""
        for key in keys:
            times = self._failures.setdefault(key, deque(maxlen=TRIES))
            times.append(self._clock())
            self._failures.move_to_end(key)
        while len(self._failures) > _NAMES:
            self._failures.popitem(last=False)
