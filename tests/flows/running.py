"""Run shipped flows as a user does: one process each, with a data directory of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flowengine.control import ControlClient
from flowengine.errors import EnvironmentFault
from processors.kafka.admin import Group
from processors.kafka.broker.artifacts import KAFKA_VERSION
from processors.kafka.broker.state import LocalBroker, LocalNode, save_state
from tests.kafka_fixtures import KafkaForTests
from tests.waiting import until

REPOSITORY = Path(__file__).parents[2]
FLOWS = REPOSITORY / "flows"
PATIENCE = 60.0


class Run:
    """One ``flowengine run`` that is under way or over."""

    def __init__(self, process: subprocess.Popen[str], data_dir: Path, log: Path) -> None:
        self.process = process
        self.data_dir = data_dir
        self.log = log

    def wait(self) -> int:
        """Wait for its end; the exit code."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the run must end; got none: {self.said()}") from None

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does, and wait for the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def alive(self) -> bool:
        """True while it runs; fails when it has ended by itself."""
        assert self.process.poll() is None, self.said()
        return True

    def reported(self, processor: str) -> dict[str, Any]:
        """What a processor reports of itself in the status; empty until there is something."""
        try:
            with ControlClient(self.data_dir) as client:
                found = client.status().processors.get(processor)
        except EnvironmentFault:
            return {}
        return found.reported if found else {}

    def said(self) -> str:
        """The end of what it printed."""
        return self.log.read_text()[-4000:]


class Stage:
    """A folder and a broker, which the flows that run here call ``local``."""

    def __init__(self, kafka: KafkaForTests, folder: Path) -> None:
        self.kafka = kafka
        self.folder = folder
        self.home = folder / "kafka-home"
        self.home.mkdir()
        save_state(self.home, _as_local(kafka))

    @contextmanager
    def running(
        self, flow: str | Path, *flags: str, data: str = "", **parameters: Any
    ) -> Iterator[Run]:
        """A flow that runs until the block ends. Parameter names have underscores for hyphens."""
        file = flow if isinstance(flow, Path) else FLOWS / f"{flow}.json"
        data_dir = self.folder / (data or file.stem)
        line = [sys.executable, "-m", "flowengine", "run", str(file), "--data-dir", str(data_dir)]
        for name, value in parameters.items():
            line += ["--set", f"{name.replace('_', '-')}={value}"]
        log = self.folder / f"{data_dir.name}.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [*line, *flags],
                cwd=REPOSITORY,
                env=self.environment(),
                stdout=stream,
                stderr=stream,
                text=True,
            )
        try:
            yield Run(process, data_dir, log)
        finally:
            process.kill()
            process.wait()

    def complete(self, flow: str, **parameters: Any) -> str:
        """Run a flow to its end; what it printed."""
        with self.running(flow, "--until-complete", **parameters) as run:
            code = run.wait()
        assert code == 0, run.said()
        return run.said()

    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "FLOWENGINE_KAFKA_HOME": str(self.home)}

    def group(self, name: str, members: int) -> Group:
        """The group once it is stable with so many members."""

        def look() -> Group | None:
            with suppress(EnvironmentFault):  # as long as nobody has joined
                group = self.kafka.group(name)
                return group if group.state == "Stable" and len(group.members) == members else None
            return None

        return until(look, f"{members} members in group {name}")


def _as_local(kafka: KafkaForTests) -> LocalBroker:
    """What `flowengine kafka start` would note if it had started this cluster."""
    cluster = kafka.cluster
    nodes = tuple(
        LocalNode(node.number, node.identity, ports.client, ports.internal)
        for node, ports in zip(cluster.nodes, cluster.ports, strict=True)
        if node.identity is not None
    )
    where = (cluster.cluster_id, cluster.bootstrap, cluster.directory)
    return LocalBroker(KAFKA_VERSION, *where, time.time(), nodes)
