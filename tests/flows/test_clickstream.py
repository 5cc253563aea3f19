"""clickstream-join: the rates of a batch join over both topics, whichever is faster."""

import random
from typing import NamedTuple

import orjson
import pytest

from tests.flows.batch import batch
from tests.flows.topics import Given, Results, send
from tests.flows.traffic import MINUTE, iso, long_ago
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
WINDOW = 10 * MINUTE
BOUND = MINUTE
RATE = """
SELECT ad, i.moment // $size * $size AS start, count(*), count(c.moment)
FROM impressions i LEFT JOIN clicks c
  ON i.impression = c.impression AND i.moment // $size = c.moment // $size
GROUP BY ALL
"""
UNMATCHED = """
SELECT c.impression FROM clicks c LEFT JOIN impressions i
  ON i.impression = c.impression AND i.moment // $size = c.moment // $size
WHERE i.impression IS NULL
"""


class Impression(NamedTuple):
    """An advertisement that was shown."""

    moment: int
    impression: str
    ad: str


class Click(NamedTuple):
    """A click on one."""

    moment: int
    impression: str


def made_up(pick, begin):
    """An hour: a third is clicked, soon or in another window, and some clicks are on nothing."""
    shown = [
        Impression(begin + pick.randrange(60 * MINUTE), f"i{n}", f"ad {pick.randrange(7)}")
        for n in range(1500)
    ]
    clicks = [
        Click(one.moment + pick.randrange(5 * MINUTE), one.impression)
        for one in shown
        if pick.random() < 0.33
    ]
    clicks += [Click(begin + pick.randrange(60 * MINUTE), f"x{n}") for n in range(20)]
    for rows in (shown, clicks):
        rows.sort(key=lambda row: row.moment + pick.randrange(BOUND))
    return shown, clicks


def publish(kafka, topic, rows):
    """Send rows by their key, then something of now in each partition, which ends all windows."""
    fields = [{k: v for k, v in row._asdict().items() if k != "moment"} for row in rows]
    send(
        kafka,
        topic,
        [
            Given(orjson.dumps(values), row.moment, row.impression.encode())
            for values, row in zip(fields, rows, strict=True)
        ],
    )
    send(kafka, topic, [Given(b"the end", partition=number) for number in range(2)])


def test_the_rates_are_those_of_a_batch_join(stage):
    kafka = stage.kafka
    names = {name: kafka.unique(name) for name in ("impressions", "clicks")}
    output = kafka.unique("clickstream")
    for topic in names.values():
        kafka.create_topic(topic, partitions=2)
    for part in ("rate", "unmatched", "late"):
        kafka.create_topic(f"{output}.{part}")
    shown, clicks = made_up(random.Random(5), long_ago(120))
    publish(kafka, names["impressions"], shown)
    tables = {"impressions": shown, "clicks": clicks}
    expected = {(ad, iso(at)): tuple(n) for ad, at, *n in batch(RATE, tables, size=WINDOW)}
    rates, lonely = Results(kafka, f"{output}.rate"), Results(kafka, f"{output}.unmatched")
    given = {**names, "output": output, "group": output, "rejects": stage.folder / "rejects"}
    with stage.running("clickstream-join", idle="1 hour", **given) as run:
        until(lambda: run.alive() and run.reported("impressions").get("committed"), "impressions")
        publish(kafka, names["clicks"], clicks)
        until(lambda: run.alive() and len(rates.look()) >= len(expected), "the rates")
        assert run.stop() in (0, 3), run.said()
    found = {(r.key, r.headers["window.start"]): tuple(r.record.values()) for r in rates.look()}
    assert found == expected
    alone = [(one,) for one in sorted(r.record["impression"] for r in lonely.look())]
    assert alone == sorted(batch(UNMATCHED, tables, size=WINDOW))
    assert Results(kafka, f"{output}.late").look() == []
    assert len(list((stage.folder / "rejects").iterdir())) == 4
