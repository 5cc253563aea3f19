"""One broker process: its files, its start, whether it answers, and its end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.archive import ClassArchive, adopt_recording
from processors.kafka.broker.ports import HOST
from processors.kafka.broker.process import ProcessId, process_id, spawn
from processors.kafka.broker.settings import LOGGING, properties_text

HEAP = ("-Xmx256m", "-Xms64m")
# The quick compiler only: half the processor time of a start, 25 MB less, and not slower on a
# machine that the broker shares with its clients.
COMPILER = ("-XX:TieredStopAtLevel=1",)
QUIET = ("-XX:-UsePerfData", "-Djava.awt.headless=true", "-Xlog:disable", "-Xlog:all=error:stderr")
LOG = "broker.log"  # what Kafka says
OUTPUT = "output.log"  # what Java itself prints, such as a refused option
LOG_LINES = 15
LOG_BYTES = 64 * 1024


@dataclass(frozen=True)
class JavaCommand:
    """How Java is called: the class archive knows which Java, the class path what it loads."""

    archive: ClassArchive
    class_path: Sequence[Path]

    def line(self, *arguments: str, options: Sequence[str] = ()) -> list[str]:
        """A command that runs a class of the class path."""
        java = self.archive.java
        common = [*HEAP, *COMPILER, *QUIET, *java.options, *self.archive.options()]
        jars = os.pathsep.join(map(str, self.class_path))
        return [str(java.executable), *common, *options, "-cp", jars, *arguments]


def node_folder(cluster: Path, number: int) -> Path:
    """Where node ``number`` of a cluster keeps everything."""
    return cluster / f"node-{number}"


class Node:
    """A broker that is also a controller, in a folder of its own."""

    def __init__(
        self, number: int, directory: Path, java: JavaCommand, dies_with_parent: bool
    ) -> None:
        self.number = number
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None
        self.identity: ProcessId | None = None
        self.recording: Path | None = None
        self._java = java
        self._dies_with_parent = dies_with_parent

    def write_settings(self, settings: dict[str, str]) -> None:
        """Write its configuration, readable by its owner only: it may hold passwords."""
        self.directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._settings, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(properties_text(settings))
        (self.directory / "log4j2.properties").write_text(LOGGING.format(directory=self.directory))

    def format(self, cluster_id: str, options: Sequence[str] = ()) -> None:
        """Prepare the data folder, unless it is. Takes about a second."""
        if (self.directory / "data" / "meta.properties").exists():
            return
        result = self._format(cluster_id, options)
        if result.returncode < 0:  # crashed, as Java does over a damaged archive: once more without
            self._java.archive.discard()
            result = self._format(cluster_id, options)
        if result.returncode:
            answer = (result.stderr or result.stdout).strip()
            raise EnvironmentFault(
                f"kafka node {self.number} must be able to prepare {str(self.directory)!r}; "
                f"got {answer}"
            )

    def _format(self, cluster_id: str, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._settings)]
        return subprocess.run(
            self._java.line(*tool, *options, options=[self._log_option]),
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )

    def spawn(self, record_classes: bool = False) -> None:
        """Start the process. It is not ready yet."""
        for name in (OUTPUT, LOG):
            (self.directory / name).unlink(missing_ok=True)
        self.recording = self._java.archive.recording() if record_classes else None
        options = [self._log_option, f"-XX:ErrorFile={self.directory}/crash.log"]
        if self.recording:
            options.append(f"-XX:ArchiveClassesAtExit={self.recording}")
        self.process = spawn(
            self._java.line("kafka.Kafka", str(self._settings), options=options),
            directory=self.directory,
            output=self.directory / OUTPUT,
            dies_with_parent=self._dies_with_parent,
        )
        self.identity = process_id(self.process.pid)

    @property
    def running(self) -> bool:
        """Whether the process that we started lives; takes note of its end."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running broker."""
        if self.process is None:
            raise EnvironmentFault(f"kafka node {self.number} must be running; got none started")
        return self.process.pid

    def ended_within(self, seconds: float) -> bool:
        """Wait for its end. True when it is over, or was never begun."""
        if self.process is None:
            return True
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def terminate(self) -> None:
        """Ask it to stop cleanly."""
        if self.process and self.running:
            self.process.terminate()

    def kill(self) -> None:
        """End it at once, as a power cut would, and wait until it is gone."""
        if self.process and self.running:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def adopt_recording(self) -> None:
        """After a clean stop: keep the classes it recorded. (Java ends with 143 on SIGTERM.)"""
        code = self.process.returncode if self.process else None
        if self.recording and code in (0, 143, -signal.SIGTERM):
            adopt_recording(self.recording)
        self.recording = None

    @property
    def _settings(self) -> Path:
        return self.directory / "server.properties"

    @property
    def _log_option(self) -> str:
        return f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"


def last_log_lines(folder: Path, count: int = LOG_LINES) -> list[str]:
    """The end of what the broker of a node folder said about itself."""
    return (_tail(folder / OUTPUT) + _tail(folder / LOG))[-count:]


def not_ready(number: int, port: int, patience: float, got: str, folder: Path) -> str:
    """The message about a broker that does not answer, with its last log lines."""
    lines = "\n".join(f"  {line}" for line in last_log_lines(folder)) or "  (nothing)"
    return (
        f"kafka node {number} must answer on {HOST}:{port} within {patience:g} s; got {got}; "
        f"the end of {str(folder / LOG)!r} says why:\n{lines}"
    )


def _tail(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        return file.read().decode(errors="replace").splitlines()
