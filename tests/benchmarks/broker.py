"""The local broker as a person meets it: the first start with its download, later ones, memory."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.results import Row

REPEATS = 3
SETTLE = 3.0  # s after which nothing more is loaded
FLOWENGINE = [str(Path(sys.executable).with_name("flowengine")), "kafka"]


class Place:
    """A machine that has never run the broker: no data and, with its own cache, no jars."""

    def __init__(self, folder: Path, *, own_cache: bool) -> None:
        self._environ = {**os.environ, "FLOWENGINE_KAFKA_HOME": str(folder / "home")}
        if own_cache:
            self._environ["FLOWENGINE_CACHE"] = str(folder / "cache")

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``flowengine kafka …``."""
        return subprocess.run(
            [*FLOWENGINE, *words], env=self._environ, capture_output=True, text=True, check=False
        )

    def start(self) -> float:
        """Seconds from the start of the command to its end, when the broker answers."""
        begun = time.perf_counter()
        done = self.call("start")
        if done.returncode:
            raise OSError(done.stderr.strip())
        return time.perf_counter() - begun

    def restarts(self) -> list[float]:
        """Stop and start, some times; it runs at the end."""
        times = []
        for _ in range(REPEATS):
            self.call("stop")
            times.append(self.start())
        return times

    def resident(self) -> float:
        """Megabytes of the broker's process."""
        nodes = json.loads(self.call("status", "--json").stdout)["nodes"]
        return float(sum(node["memory"] for node in nodes)) / 1e6


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), own_cache=True)
        name = "broker, first start with download"
        try:
            first = place.start()
        except OSError as error:  # no network: what else was downloaded before does
            note = f"not measured, the download failed: {error}"
            yield Row(name, math.nan, "s", note=note[:200])
            place = Place(Path(folder), own_cache=False)
            place.start()
        else:
            yield Row(name, first, "s", goal=15, most=True, note="with 44 MB over this network")
        try:
            yield from _later(place)
        finally:
            place.call("stop")


def _later(place: Place) -> Iterator[Row]:
    times = place.restarts()
    note = f"median of {REPEATS}, {min(times):.2f} to {max(times):.2f}; the whole command"
    yield Row("broker, later start", statistics.median(times), "s", goal=2.5, most=True, note=note)
    time.sleep(SETTLE)
    yield Row("broker, resident", place.resident(), "MB", goal=200, most=True, note="one node")
