"""The jars of Apache Kafka: an exact, shipped list, downloaded once and checked by SHA-256.

No POM is read: ``artifacts.txt`` names every jar, and ``download`` gets those that are missing.
The folder has Maven's layout; ``fetch --to`` makes the same one for machines without a network.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.places import cache_directory

KAFKA_VERSION = "4.4.0"

Advance = Callable[[int], None]
"""Called from several threads with the number of bytes that just arrived."""


@dataclass(frozen=True)
class Artifact:
    """One jar: its Maven coordinates, size in bytes and SHA-256 in hexadecimal."""

    group: str
    name: str
    version: str
    size: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.group}:{self.name}:{self.version}"

    @property
    def path(self) -> Path:
        """Its place in a folder of Maven's layout."""
        folder = Path(*self.group.split("."), self.name, self.version)
        return folder / f"{self.name}-{self.version}.jar"


def parse_artifacts(text: str) -> tuple[Artifact, ...]:
    """The artifacts of a list: one a line, ``#`` starts a comment line."""
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(_artifact(*fields) for fields in lines)


def _artifact(coordinates: str, size: str, sha256: str) -> Artifact:
    group, name, version = coordinates.split(":")
    return Artifact(group, name, version, int(size), sha256)


@cache
def kafka_artifacts() -> tuple[Artifact, ...]:
    """The shipped list, in the order of the class path."""
    return parse_artifacts(files(__package__).joinpath("artifacts.txt").read_text())


def jar_repository(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that downloads go to."""
    return cache_directory(environ) / "maven"


def missing(repository: Path, artifacts: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    """Those that are not there, or not in their full size."""
    return tuple(each for each in artifacts if not _has(repository, each))


def class_path(
    repository: Path,
    *,
    download: bool = True,
    advance: Advance = lambda count: None,
    artifacts: tuple[Artifact, ...] | None = None,
    marks: Path | None = None,
) -> list[Path]:
    """The jars of a repository folder, complete and checked; those missing are downloaded.

    ``marks`` is where the folder notes that a repository was verified, so that 44 MB are hashed
    once and not at every start. Raises EnvironmentFault, which says what to do.
    """
    wanted = kafka_artifacts() if artifacts is None else artifacts
    absent = missing(repository, wanted)
    if absent and not download:
        raise EnvironmentFault(
            f"kafka jars in {str(repository)!r} must be complete; got {len(absent)} of "
            f"{len(wanted)} missing, the first {str(absent[0])!r}; "
            "prepare the folder with `flowengine kafka fetch --to DIR`"
        )
    if absent:
        from processors.kafka.broker.download import fetch

        fetch(repository, absent, advance)
    _verify_once(repository, wanted, absent, marks or cache_directory() / "kafka")
    return [repository / each.path for each in wanted]


def _has(repository: Path, artifact: Artifact) -> bool:
    path = repository / artifact.path
    return path.is_file() and path.stat().st_size == artifact.size


def check(path: Path, artifact: Artifact, remedy: str) -> None:
    """Compare a file's SHA-256 with the list's."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != artifact.sha256:
        raise EnvironmentFault(
            f"kafka artifact {str(artifact)!r} must have the SHA-256 {artifact.sha256}; "
            f"got {found}; {remedy}"
        )


def _verify_once(
    repository: Path, wanted: tuple[Artifact, ...], fetched: tuple[Artifact, ...], marks: Path
) -> None:
    """Hash what this process did not just check, unless an earlier run noted that it had."""
    facts = f"{repository.resolve()}\n" + "\n".join(each.sha256 for each in wanted)
    mark = marks / f"verified-{hashlib.sha256(facts.encode()).hexdigest()[:16]}"
    if mark.exists():
        return
    for each in wanted:
        if each not in fetched:
            path = repository / each.path
            check(path, each, f"remove {str(path)!r} and start again")
    with contextlib.suppress(OSError):  # a read-only cache only costs the next start 0.1 s
        marks.mkdir(parents=True, exist_ok=True)
        mark.touch()
