"""Nexmark's events: of 50 in a row one is a person, three are auctions, the rest are bids.

The same shares, keys and skew as in Apache Beam's generator, in its words: half of all bids are for
one of the latest hot auctions, three of four bidders are among the latest hot ones. Each kind has a
file of its own, in the order of time; times are milliseconds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

BEGIN: Final = 1_700_000_000_000  # divisible by ten seconds
KINDS: Final = ("person", "auction", "bid")
_STATES: Final = ("AZ", "CA", "ID", "OR", "WA", "WY")
_CHANNELS: Final = ("apple", "google", "facebook", "baidu")
_HOT: Final = 100  # one in so many auctions and persons is hot


def events(count: int, rate: int, seed: int = 1) -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and record; ``rate`` is how many happen in a second of event time."""
    dice = random.Random(seed)
    for number in range(count):
        group, place = divmod(number, 50)
        time = BEGIN + number * 1000 // rate
        if place == 0:
            yield "person", _person(dice, group, time)
        elif place <= 3:
            yield "auction", _auction(dice, group * 3 + place - 1, group, time)
        else:
            yield "bid", _bid(dice, group, time)


def _person(dice: random.Random, id: int, time: int) -> dict[str, Any]:
    return {"id": id, "name": f"user {id}", "state": dice.choice(_STATES), "dateTime": time}


def _auction(dice: random.Random, id: int, persons: int, time: int) -> dict[str, Any]:
    seller = max(0, persons - dice.randrange(100))
    return {
        "id": id,
        "seller": seller,
        "category": 10 + id % 5,
        "initialBid": dice.randrange(1, 1000),
        "expires": time + dice.randrange(10_000, 60_000),
        "dateTime": time,
    }


def _bid(dice: random.Random, persons: int, time: int) -> dict[str, Any]:
    auctions = persons * 3
    auction, bidder = auctions // _HOT * _HOT, persons // _HOT * _HOT + 1
    if dice.random() < 0.5:
        auction = max(0, auctions - dice.randrange(100))
    if dice.random() < 0.25:
        bidder = max(0, persons - dice.randrange(1000))
    return {
        "auction": auction,
        "bidder": bidder,
        "price": int(100 * 10 ** (dice.random() * 6)),
        "channel": dice.choice(_CHANNELS),
        "dateTime": time,
    }


def write(folder: Path, count: int, rate: int) -> None:
    """``person.ndjson``, ``auction.ndjson`` and ``bid.ndjson``."""
    found: dict[str, list[bytes]] = {kind: [] for kind in KINDS}
    for kind, record in events(count, rate):
        found[kind].append(orjson.dumps(record))
    folder.mkdir(parents=True, exist_ok=True)
    for kind, lines in found.items():
        (folder / f"{kind}.ndjson").write_bytes(b"\n".join(lines) + b"\n")
