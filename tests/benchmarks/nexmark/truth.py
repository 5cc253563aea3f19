"""The answers as DuckDB computes them over the whole input, in the form in which flows write them.

Processing time has no such answer: of q12 the sums over all windows are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

Answer = list[tuple[Any, ...]]

_WINDOW: Final = "dateTime // 10000 * 10000"
_SESSIONS: Final = """
    SELECT bidder, count(*) FROM (
        SELECT bidder, sum(is_new) OVER (PARTITION BY bidder ORDER BY dateTime ROWS UNBOUNDED
            PRECEDING) AS number FROM (
            SELECT bidder, dateTime, CASE WHEN dateTime - lag(dateTime) OVER (
                PARTITION BY bidder ORDER BY dateTime) < 10000 THEN 0 ELSE 1 END AS is_new
            FROM bid))
    GROUP BY bidder, number"""
TRUTH: Final = {
    "q0": "SELECT auction, bidder, price, channel, dateTime FROM bid",
    "q2": "SELECT auction, price FROM bid WHERE auction % 123 = 0",
    "q5": """
        SELECT auction, num FROM (
            SELECT auction, close, count(*) AS num FROM (
                SELECT auction, unnest(range(dateTime // 2000 * 2000 + 2000,
                    dateTime // 2000 * 2000 + 12000, 2000)) AS close FROM bid)
            GROUP BY auction, close)
        QUALIFY num = max(num) OVER (PARTITION BY close)""",
    "q7": f"""
        SELECT auction, bidder, price FROM bid
        QUALIFY price = max(price) OVER (PARTITION BY {_WINDOW})""",
    "q8": f"""
        SELECT DISTINCT p.id, p.name FROM person p JOIN auction a ON p.id = a.seller
        AND p.{_WINDOW} = a.{_WINDOW}""",
    "q11": _SESSIONS,
    "q12": "SELECT bidder, count(*) FROM bid GROUP BY bidder",
}
NAMES: Final = tuple(TRUTH)


def truth(name: str, folder: Path) -> Answer:
    """The rows of an answer, sorted."""
    import duckdb

    with duckdb.connect() as connection:
        for kind in ("person", "auction", "bid"):
            file = folder / f"{kind}.ndjson"
            connection.execute(
                f"CREATE VIEW {kind} AS FROM read_json('{file}', format='newline_delimited')"
            )
        return sorted(connection.execute(TRUTH[name]).fetchall())


def answer(name: str, folder: Path) -> Answer:
    """The rows that a flow wrote, sorted."""
    rows = [tuple(row.values()) for file in folder.iterdir() for row in _rows(file)]
    return _MADE.get(name, sorted)(rows)


def _rows(file: Path) -> list[dict[str, Any]]:
    """The objects of a file: one array, or one object per line."""
    found: list[dict[str, Any]] = []
    for line in file.read_bytes().splitlines():
        value = orjson.loads(line)
        found += value if isinstance(value, list) else [value]
    return found


def _totals(rows: Answer) -> Answer:
    totals: Counter[Any] = Counter()
    for bidder, count in rows:
        totals[bidder] += count
    return sorted(totals.items())


_MADE: Final[dict[str, Callable[[Answer], Answer]]] = {"q12": _totals}
