"""Microseconds per FlowFile of compiled expressions beside the same written by hand.

.venv/bin/python -m tests.flowengine.expressions.measure
"""

import timeit
from collections.abc import Callable

from flowengine.expressions import Expression, Predicate
from flowengine.flowfile import FlowFile

ATTRIBUTES = {"a": "x", "country": "NL", "filename": "in.txt", "kafka.offset": "42", "price": "1.5"}
BATCH = [FlowFile(number, dict(ATTRIBUTES), b"", 0, 0, 0, 0) for number in range(256)]

OFFSET = "{{ filename | substring_before('.') | upper }}-{{ kafka.offset | int + 1 }}"
CASES: list[tuple[Expression | Predicate, Callable[[], object]]] = [
    (
        Expression("{{ a }}-{{ kafka.offset }}"),
        lambda: [f"{a['a']}-{a['kafka.offset']}" for f in BATCH for a in (f.attributes,)],
    ),
    (
        Expression(OFFSET),
        lambda: [
            f"{a['filename'].partition('.')[0].upper()}-{int(a['kafka.offset']) + 1}"
            for f in BATCH
            for a in (f.attributes,)
        ],
    ),
    (
        Predicate("country == 'NL'"),
        lambda: [f.attributes["country"] == "NL" for f in BATCH],
    ),
    (
        Predicate("price | float > 10 and country == 'NL'"),
        lambda: [
            float(a["price"]) > 10 and a["country"] == "NL" for f in BATCH for a in (f.attributes,)
        ],
    ),
    (
        Expression("{{ filename | title }}"),
        lambda: [f.attributes["filename"].title() for f in BATCH],
    ),
]


def per_flowfile(function: Callable[[], object]) -> float:
    """Microseconds, the best of several runs."""
    return min(timeit.repeat(function, number=50, repeat=9)) / 50 / len(BATCH) * 1e6


def running(value: Expression | Predicate) -> Callable[[], object]:
    run: Callable[..., object] = (
        value.evaluate_batch if isinstance(value, Expression) else value.matches_batch
    )
    return lambda: run(BATCH)


def main() -> None:
    for value, by_hand in CASES:
        ours, theirs = per_flowfile(running(value)), per_flowfile(by_hand)
        print(f"{ours:8.3f} µs  {ours / theirs:6.2f} × by hand  {value.text}")


if __name__ == "__main__":
    main()
