"""The same steps in Quix Streams, run by the Python of `.venv/quix`; order and answer are JSON."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found,unused-ignore]
from quixstreams.dataframe.windows import (  # type: ignore[import-not-found,unused-ignore]
    Count,
    Mean,
    Sum,
)


def windowed(frame: Any, steps: str, size: int, slide: int, gap: int) -> Any:
    """The window of these steps; times in ms."""
    if steps == "session":
        return frame.session_window(timedelta(milliseconds=gap)).agg(value=Count())
    if steps == "mean":
        window = frame.hopping_window(timedelta(milliseconds=size), timedelta(milliseconds=slide))
        return window.agg(value=Mean("value"))
    return frame.tumbling_window(timedelta(milliseconds=size)).agg(value=Sum("value"))


def main(order: dict[str, Any]) -> None:
    """Run until all records went through and all results are at the broker."""
    done = 0

    def processed(*_: Any) -> None:
        nonlocal done
        done += 1
        if done == order["count"]:
            app.stop()

    app = Application(
        broker_address=order["brokers"],
        consumer_group=order["output"],
        auto_offset_reset="earliest",
        commit_interval=order["commit_interval"],
        state_dir=order["state"],
        loglevel="ERROR",
        on_message_processed=processed,
    )
    source = app.topic(order["topic"], value_deserializer="json", key_deserializer="str")
    target = app.topic(order["output"], value_serializer="json", key_serializer="str")
    begun: list[tuple[float, float]] = []

    def first(value: Any) -> Any:
        if not begun:
            begun.append((time.perf_counter(), time.process_time()))
        return value

    frame = app.dataframe(source).apply(first)
    window = windowed(frame, order["steps"], order["size"], order["slide"], order["gap"])
    window.final(closing_strategy="partition").to_topic(target)
    app.run()
    wall, cpu = time.perf_counter() - begun[0][0], time.process_time() - begun[0][1]
    print(json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
