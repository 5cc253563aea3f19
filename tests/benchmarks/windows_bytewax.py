"""The same steps in Bytewax, in a process of its own: argument and answer are JSON."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as win
import orjson
from bytewax.connectors.files import FileSource
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import run_main

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Sum = tuple[float, int]


def windower(order: dict[str, Any]) -> Any:
    """The windows of these steps."""
    size, slide = (timedelta(milliseconds=order[name]) for name in ("size", "slide"))
    if order["steps"] == "session":
        return win.SessionWindower(gap=timedelta(milliseconds=order["gap"]))
    if order["steps"] == "mean":
        return win.SlidingWindower(length=size, offset=slide, align_to=EPOCH)
    return win.TumblingWindower(length=size, align_to=EPOCH)


def result(steps: str, held: Sum) -> float:
    """What a window says in the end."""
    total, count = held
    return count if steps == "session" else total / count if steps == "mean" else total


def main(order: dict[str, Any]) -> None:
    """Run to the end of the topic or file and until all results are at the broker."""
    begun: list[tuple[float, float]] = []

    def decode(message: Any) -> tuple[str, dict[str, Any]]:
        if not begun:
            begun.append((time.perf_counter(), time.process_time()))
        record = orjson.loads(message if isinstance(message, str) else message.value)
        return record["user"], record

    flow = Dataflow("windows")
    kafka = KafkaSource([order["brokers"]], [order["topic"]], tail=False)
    source: Any = FileSource(order["file"], batch_size=1000) if order["file"] else kafka
    lines = op.input("in", flow, source)
    keyed = op.map("decode", lines, decode)
    clock: Any = win.EventClock(
        ts_getter=lambda record: EPOCH + timedelta(milliseconds=record["at"]),
        wait_for_system_duration=timedelta(0),
        now_getter=lambda: EPOCH,  # else a slow machine makes records late
        to_system_utc=lambda _: None,
    )
    folded = win.fold_window(
        "fold",
        keyed,
        clock,
        windower(order),
        lambda: (0, 0),
        lambda held, record: (held[0] + record["value"], held[1] + 1),
        lambda one, other: (one[0] + other[0], one[1] + other[1]),
    )
    steps = order["steps"]

    def message(item: tuple[str, tuple[int, Sum]]) -> KafkaSinkMessage[bytes, bytes]:
        user, (_, held) = item
        value = orjson.dumps({"user": user, "value": result(steps, held)})
        return KafkaSinkMessage(user.encode(), value)

    out = op.map("encode", folded.down, message)
    kop.output("out", out, brokers=[order["brokers"]], topic=order["output"])
    state = Path(order["state"])
    state.mkdir()
    init_db_dir(state, 1)
    interval = timedelta(seconds=order["commit_interval"])
    run_main(flow, epoch_interval=interval, recovery_config=RecoveryConfig(str(state)))
    wall, cpu = time.perf_counter() - begun[0][0], time.process_time() - begun[0][1]
    print(orjson.dumps({"wall": wall, "cpu": cpu}).decode())


if __name__ == "__main__":
    main(orjson.loads(sys.argv[1]))
