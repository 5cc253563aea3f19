"""The jars of Apache Kafka: an exact, shipped list, downloaded once and checked by SHA-256.

No POM is read: ``artifacts.txt`` names every jar, jgo's resolver layer fetches them, and each is
moved into the repository folder only after its SHA-256 agreed. So an interrupted or a concurrent
download never leaves a broken jar behind. The folder has Maven's layout; ``fetch --to`` makes the
same one for machines without a network.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.places import cache_directory

if TYPE_CHECKING:
    from jgo.maven import MavenContext

KAFKA_VERSION = "4.4.0"
THREADS = 8
ATTEMPTS = 3
TIMEOUT = 30  # seconds without an answer before one attempt is given up

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
    fetch(repository, absent, advance)
    _verify_once(repository, wanted, absent, marks or cache_directory() / "kafka")
    return [repository / each.path for each in wanted]


def fetch(repository: Path, artifacts: tuple[Artifact, ...], advance: Advance) -> None:
    """Download the given jars into a repository folder, several at a time."""
    if not artifacts:
        return
    with _incoming(repository) as incoming, ThreadPoolExecutor(THREADS) as threads:
        context = _maven(incoming, advance)
        downloads = [threads.submit(_download, context, repository, each) for each in artifacts]
        try:
            for download in downloads:
                download.result()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)


def _has(repository: Path, artifact: Artifact) -> bool:
    path = repository / artifact.path
    return path.is_file() and path.stat().st_size == artifact.size


@contextmanager
def _incoming(repository: Path) -> Iterator[Path]:
    """A folder for unchecked files, on the same disk, so that a checked one can be renamed."""
    try:
        repository.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".incoming-", dir=repository)
    except OSError as error:
        raise _unwritable(repository, error) from error
    with folder as name:
        yield Path(name)


def _maven(incoming: Path, advance: Advance) -> MavenContext:
    """jgo's view of the repositories: its own default, its settings file, or the named mirror."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    if authority := os.environ.get("SSL_CERT_FILE"):  # requests reads only its own name for this
        os.environ.setdefault("REQUESTS_CA_BUNDLE", authority)
    mirror = os.environ.get("FLOWENGINE_MAVEN_MIRROR")
    remotes = {"mirror": mirror.rstrip("/")} if mirror else GlobalSettings.load().repositories
    resolver = PythonResolver(progress_callback=lambda name, size: _counting(advance))
    return MavenContext(
        resolver, repo_cache=incoming, remote_repos=remotes or None, timeout=TIMEOUT
    )


@contextmanager
def _counting(advance: Advance) -> Iterator[Advance]:
    yield advance


def _download(context: MavenContext, repository: Path, artifact: Artifact) -> None:
    remote = context.project(artifact.group, artifact.name).at_version(artifact.version).artifact()
    arrived = _resolve(remote.resolve, artifact, context.repo_cache / artifact.path)
    _check(arrived, artifact, "download it again, or ask who runs the mirror")
    target = repository / artifact.path
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(arrived, target)


def _resolve(resolve: Callable[[], Path], artifact: Artifact, partial: Path) -> Path:
    """Try a few times; what a broken connection left behind is removed before the next try.

    jgo raises RuntimeError for what a repository does not have, and lets the network's errors
    (all of them OSErrors without a number) and the disk's (with one) through.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return Path(resolve())
        except (RuntimeError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise _unwritable(partial.parent, error) from error
            partial.unlink(missing_ok=True)
            if attempt == ATTEMPTS or isinstance(error, RuntimeError):
                raise EnvironmentFault(_unreachable(artifact, error)) from error
    raise AssertionError("unreachable")


def _unwritable(folder: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"kafka jar folder {str(folder)!r} must be writable; got {error.strerror}; "
        "make room, or name another folder in FLOWENGINE_CACHE"
    )


def _unreachable(artifact: Artifact, error: Exception) -> str:
    """Names the error's kind only: its text may quote a mirror's address with a password."""
    kind = "not found" if isinstance(error, RuntimeError) else type(error).__name__
    return (
        f"kafka artifact {str(artifact)!r} must be downloadable; got {kind}; check the network, "
        "HTTPS_PROXY and REQUESTS_CA_BUNDLE, name a mirror in FLOWENGINE_MAVEN_MIRROR, or bring "
        "the jars from another machine: `flowengine kafka fetch --to DIR` there, "
        "`flowengine kafka start --jars DIR` here"
    )


def _check(path: Path, artifact: Artifact, remedy: str) -> None:
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
            _check(path, each, f"remove {str(path)!r} and start again")
    with contextlib.suppress(OSError):  # a read-only cache only costs the next start 0.1 s
        marks.mkdir(parents=True, exist_ok=True)
        mark.touch()
