"""warehouse: the lake and the table hold what a batch over the whole topic finds."""

import random
import sqlite3
from typing import NamedTuple

import duckdb
import orjson
import pytest

from tests.flows.batch import batch
from tests.flows.topics import Given, send
from tests.flows.traffic import MINUTE, iso, long_ago
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
HOUR = 60 * MINUTE
TABLE = (
    "CREATE TABLE revenue (start TEXT, product TEXT, sales INTEGER, cents INTEGER, "
    "PRIMARY KEY (start, product))"
)
REVENUE = """
SELECT moment // $hour * $hour, product, count(*), sum(cents)::BIGINT
FROM sales GROUP BY ALL ORDER BY ALL
"""


class Sale(NamedTuple):
    """Something sold at a moment."""

    moment: int
    product: str
    cents: int


def sold(pick, begin):
    """Sales of 30 hours, up to a minute out of order."""
    rows = [
        Sale(begin + pick.randrange(30 * HOUR), pick.choice(["tea", "cake", "jam"]), n % 900)
        for n in range(2000)
    ]
    return sorted(rows, key=lambda sale: sale.moment + pick.randrange(MINUTE))


def publish(kafka, topic, sales):
    """Send sales, then something of now in each partition, which ends all windows."""
    values = [orjson.dumps({"product": one.product, "cents": one.cents}) for one in sales]
    send(
        kafka,
        topic,
        [
            Given(value, one.moment, one.product.encode())
            for value, one in zip(values, sales, strict=True)
        ],
    )
    send(kafka, topic, [Given(b"closed", partition=number) for number in range(3)])


def in_table(file):
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT * FROM revenue ORDER BY start, product").fetchall()
    database.close()
    return rows


def in_lake(folder):
    query = f"""
        SELECT start, product, sales, cents, day FROM
        read_parquet('{folder}/*/*.parquet', hive_partitioning = true) ORDER BY start, product
    """
    with duckdb.connect() as database:
        return [(*row[:4], str(row[4])) for row in database.execute(query).fetchall()]


def test_both_stores_hold_what_a_batch_finds(stage):
    kafka, file, lake = stage.kafka, stage.folder / "warehouse.db", stage.folder / "lake"
    sales = sold(random.Random(8), long_ago(40 * 60))
    topic = kafka.create_topic(kafka.unique("sales"), partitions=3)
    publish(kafka, topic, sales)
    rows = batch(REVENUE, {"sales": sales}, hour=HOUR)
    expected = [(iso(start), *rest) for start, *rest in rows]
    with sqlite3.connect(file) as database:
        database.execute(TABLE)
    database.close()
    rejects = stage.folder / "rejects"
    given = {"topic": topic, "group": topic, "lake": lake, "database": f"sqlite:///{file}"}
    with stage.running("warehouse", idle="1 hour", rejects=rejects, **given) as run:
        until(lambda: run.alive() and len(in_table(file)) >= len(expected), "the table")
        assert run.stop() in (0, 3), run.said()
    assert in_table(file) == expected
    assert in_lake(lake) == [(*row, row[0][:10]) for row in expected]
    assert {path.name for path in lake.iterdir()} >= {f"day={iso(sales[0].moment)[:10]}"}
    assert len(list(rejects.iterdir())) == 3
