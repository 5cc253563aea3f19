"""The file that says where the local broker runs, so that ``bootstrap_servers: local`` finds it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.places import kafka_home
from processors.kafka.broker.process import ProcessId


@dataclass(frozen=True)
class LocalNode:
    """One broker process of the local cluster; ``internal`` is its port without TLS or password."""

    number: int
    process: ProcessId
    port: int
    internal: int


@dataclass(frozen=True)
class LocalBroker:
    """The local cluster as the state file tells it. ``started`` is in seconds since the epoch."""

    version: str
    cluster_id: str
    bootstrap: str
    directory: Path
    started: float
    nodes: tuple[LocalNode, ...]
    recording: Path | None = None

    @property
    def alive(self) -> tuple[LocalNode, ...]:
        """The nodes whose process still runs."""
        return tuple(node for node in self.nodes if node.process.alive)

    @property
    def uptime(self) -> float:
        """Seconds since its start."""
        return max(0.0, time.time() - self.started)


def state_file(home: Path) -> Path:
    """Where the state of a home folder is kept."""
    return home / "state.json"


def save_state(home: Path, broker: LocalBroker) -> None:
    """Write the state so that a reader sees the old one or the new one, never a part."""
    text = json.dumps(asdict(broker), indent=2, default=str)
    temporary = home / f".state-{os.getpid()}"
    temporary.write_text(text + "\n")
    os.replace(temporary, state_file(home))


def load_state(home: Path) -> LocalBroker | None:
    """What the file says, running or not; None when there is none."""
    try:
        fields = json.loads(state_file(home).read_text())
        return _decoded(fields)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise EnvironmentFault(
            f"kafka state file {str(state_file(home))!r} must be one that `flowengine kafka start` "
            "wrote; got something else; remove it"
        ) from error


def _decoded(fields: dict[str, Any]) -> LocalBroker:
    nodes = [node | {"process": ProcessId(**node["process"])} for node in fields.pop("nodes")]
    recording = fields.pop("recording")
    return LocalBroker(
        **fields | {"directory": Path(fields["directory"])},
        nodes=tuple(LocalNode(**node) for node in nodes),
        recording=Path(recording) if recording else None,
    )


def find_local(home: Path | None = None) -> LocalBroker | None:
    """The local cluster, if at least one of its processes runs; a stale file counts as none."""
    broker = load_state(home or kafka_home())
    return broker if broker and broker.alive else None


def local_bootstrap(home: Path | None = None) -> str:
    """The address of the broker that ``flowengine kafka start`` runs.

    Raises EnvironmentFault when none runs.
    """
    broker = find_local(home)
    if broker is None:
        raise EnvironmentFault(
            "kafka broker 'local' must be running; got none; run `flowengine kafka start`"
        )
    return broker.bootstrap


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Let one start or stop at a time work on a home folder; others wait."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "lock").open("w")
    except OSError as error:
        raise EnvironmentFault(
            f"kafka home {str(home)!r} must be writable; got {error.strerror}; "
            "name another one in FLOWENGINE_KAFKA_HOME"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
