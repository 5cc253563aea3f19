"""How long until the first FlowFile, and how much memory while nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from flowengine.definition.builder import Flow
from processors.kafka.admin import create_topic
from processors.kafka.broker import Cluster
from tests.benchmarks.results import Row

REPEATS = 5
PATIENCE = 60.0
SETTLE = 3.0  # seconds after which nothing more is loaded
FLOWENGINE = [str(Path(sys.executable).with_name("flowengine")), "run"]


@contextlib.contextmanager
def started(flow: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running ``flowengine run``, stopped at the end."""
    command = [*FLOWENGINE, str(flow), "--data-dir", str(flow.with_name("data")), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Look every 2 ms; fail when the process ends before."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            out = process.stdout.read().decode() if process.stdout else ""
            raise AssertionError(f"flowengine run must get there; got {out[-2000:]}")
        time.sleep(0.002)


def first_flowfile() -> float:
    """Seconds from the start of the process to the first file that the flow wrote."""
    with tempfile.TemporaryDirectory() as folder:
        flow, out = Flow("first"), Path(folder, "out")
        flow.add("make", "GenerateRecords", count=1, content_size="10 B")
        ends = {"auto_terminate": ["success", "failure"]}
        flow.add("write", "PutFile", ends, directory=str(out), filename="first")
        flow.connect("make", "success", "write").save(Path(folder, "first.json"))
        begun = time.perf_counter()
        with started(Path(folder, "first.json")) as process:
            wait((out / "first").exists, process)
            return time.perf_counter() - begun


def resident(process: subprocess.Popen[bytes]) -> float:
    """Megabytes of a process that has been left alone for a while."""
    time.sleep(SETTLE)
    shown = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=True
    )
    return int(shown.stdout) / 1024


def idle() -> float:
    """Megabytes of a headless flow with a source that waits."""
    with tempfile.TemporaryDirectory() as folder:
        flow, out = Flow("idle"), Path(folder, "out")
        flow.add("make", "GenerateRecords", rate="1/1 min", content_size="10 B")
        ends = {"auto_terminate": ["success", "failure"]}
        flow.add("write", "PutFile", ends, directory=str(out), filename="first")
        flow.connect("make", "success", "write").save(Path(folder, "idle.json"))
        with started(Path(folder, "idle.json")) as process:
            wait((out / "first").exists, process)
            return resident(process)


def idle_with_kafka(bootstrap: str) -> float:
    """Megabytes with a consumer, a producer and the control API on a port."""
    with tempfile.TemporaryDirectory() as folder:
        flow, out = Flow("idle-kafka"), Path(folder, "out")
        ends = {"auto_terminate": ["success", "failure"]}
        flow.service("kafka", "KafkaConnection", bootstrap_servers=bootstrap)
        flow.add("make", "GenerateRecords", rate="1/1 min", content_size="10 B")
        flow.add("publish", "PublishKafka", ends, connection="kafka", topic="idle")
        consume = {"topics": ["idle"], "group_id": "idle", "auto_offset_reset": "earliest"}
        flow.add("consume", "ConsumeKafka", connection="kafka", **consume)
        flow.add("write", "PutFile", ends, directory=str(out), filename="first")
        flow.connect("make", "success", "publish").connect("consume", "success", "write")
        flow.save(Path(folder, "idle.json"))
        with started(Path(folder, "idle.json"), "--listen", "127.0.0.1:0") as process:
            wait((out / "first").exists, process)
            return resident(process)


def measure() -> Iterator[Row]:
    times = [first_flowfile() for _ in range(REPEATS)]
    note = f"{min(times):.2f} to {max(times):.2f}; NiFi 2.8 s (measured earlier, not again)"
    name = "flowengine run to first FlowFile"
    yield Row(name, statistics.median(times), "s", goal=1, most=True, note=note)
    note = "NiFi 178 MB (measured earlier, not again)"
    yield Row("idle memory, headless", idle(), "MB", goal=90, most=True, note=note)
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder)) as cluster:
        asyncio.run(create_topic(cluster.bootstrap, "idle", 1))
        used = idle_with_kafka(cluster.bootstrap)
    yield Row("idle memory, Kafka and control API", used, "MB", goal=130, most=True)
