"""``python -m tests.benchmarks [NAME ...]``: measure, show a table, save ``build/bench.json``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from rich.console import Console

from tests.benchmarks.results import Row, save, show

NAMES = (
    "hops",
    "persisted",
    "restart",
    "kafka",
    "broker",
    "start",
    "records",
    "nexmark",
    "windows",
)


def main(chosen: list[str]) -> int:
    """0 when every goal that was measured is reached, else 1; 2 for an unknown name."""
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        Console(stderr=True).print(f"benchmark must be one of {', '.join(NAMES)}; got {unknown[0]}")
        return 2
    rows: list[Row] = []
    for name in chosen or NAMES:
        measure: Callable[[], Iterator[Row]] = import_module(f"tests.benchmarks.{name}").measure
        for row in measure():
            Console(stderr=True).print(f"{row.name}: {row.value:.4g} {row.unit} {row.note}")
            rows.append(row)
    show(rows)
    save(rows, Path("build/bench.json"))
    return int(any(row.ok is False for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
