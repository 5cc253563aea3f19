"""Get jars from a Maven repository, several at a time.

jgo knows the repositories and turns coordinates into addresses; its own download makes two new
connections per jar and reads the file of trusted certificates for each, 5 s of work. Here one
client serves all. A jar is moved into the repository folder only after its SHA-256 agreed, so an
interrupted or a concurrent download never leaves a broken one behind.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
from jgo.config import GlobalSettings
from jgo.maven import Artifact as RemoteArtifact
from jgo.maven import MavenContext, PythonResolver

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.artifacts import Advance, Artifact, check

THREADS = 8
ATTEMPTS = 3
TIMEOUT = 30  # seconds without an answer before one attempt is given up
CHUNK = 1 << 16


class SharedClientResolver(PythonResolver):
    """jgo's resolver with one HTTP client for all artifacts."""

    def __init__(self, client: httpx.Client, advance: Advance) -> None:
        super().__init__()
        self._client = client
        self._advance = advance

    def download(self, artifact: RemoteArtifact) -> Path:
        """Try the repositories in turn. Raises HTTPError when the last one does not give it."""
        target = artifact.cached_path
        assert target is not None, "the context has a cache"
        target.parent.mkdir(parents=True, exist_ok=True)
        path = artifact.component.path_prefix.as_posix()
        *others, last = artifact.context.remote_repos.values()
        for address in others:
            try:
                return self._stream(f"{address}/{path}/{artifact.filename}", target)
            except httpx.HTTPError:
                continue
        return self._stream(f"{last}/{path}/{artifact.filename}", target)

    def _stream(self, address: str, target: Path) -> Path:
        with self._client.stream("GET", address) as answer, target.open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_bytes(CHUNK):
                file.write(chunk)
                self._advance(len(chunk))
        return target


def fetch(repository: Path, artifacts: tuple[Artifact, ...], advance: Advance) -> None:
    """Download the given jars into a repository folder. ``advance`` hears of each byte."""
    with (
        _incoming(repository) as incoming,
        http_client() as client,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        resolver = SharedClientResolver(client, advance)
        context = MavenContext(resolver, repo_cache=incoming, remote_repos=repositories())
        downloads = [threads.submit(_download, context, repository, each) for each in artifacts]
        try:
            for download in downloads:
                download.result()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)


def http_client(environ: Mapping[str, str] = os.environ) -> httpx.Client:
    """A client that heeds the variables for proxies (its own doing) and for private authorities."""
    bundle = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    trust: ssl.SSLContext | bool = True
    if bundle and Path(bundle).is_dir():
        trust = ssl.create_default_context(capath=bundle)
    elif bundle:
        trust = ssl.create_default_context(cafile=bundle)
    return httpx.Client(verify=trust, timeout=TIMEOUT, follow_redirects=True)


def repositories(environ: Mapping[str, str] = os.environ) -> dict[str, str] | None:
    """The named mirror, or those of jgo's settings file; None leaves it to jgo."""
    if mirror := environ.get("FLOWENGINE_MAVEN_MIRROR"):
        return {"mirror": mirror.rstrip("/")}
    return GlobalSettings.load().repositories or None


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


def _download(context: MavenContext, repository: Path, artifact: Artifact) -> None:
    arrived = _resolve(context, artifact, repository)
    check(arrived, artifact, "download it again, or ask who runs the mirror")
    target = repository / artifact.path
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(arrived, target)


def _resolve(context: MavenContext, artifact: Artifact, repository: Path) -> Path:
    """Try a few times, since networks stumble; an answer of the repository itself is final."""
    remote = context.project(artifact.group, artifact.name).at_version(artifact.version).artifact()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return Path(remote.resolve())
        except OSError as error:
            raise _unwritable(repository, error) from error
        except httpx.HTTPError as error:
            (context.repo_cache / artifact.path).unlink(missing_ok=True)
            final = isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error
            if final or attempt == ATTEMPTS:
                raise EnvironmentFault(_unreachable(artifact, error)) from error
    raise AssertionError("unreachable")


def _unwritable(folder: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"kafka jar folder {str(folder)!r} must be writable; got {error.strerror}; "
        "make room, or name another folder in FLOWENGINE_CACHE"
    )


def _unreachable(artifact: Artifact, error: httpx.HTTPError) -> str:
    """Names the error's kind only: its text quotes addresses, which may hold a password."""
    kind = type(error).__name__
    if isinstance(error, httpx.HTTPStatusError):
        kind = f"status {error.response.status_code}"
    return (
        f"kafka artifact {str(artifact)!r} must be downloadable; got {kind}; check the network, "
        "HTTPS_PROXY and REQUESTS_CA_BUNDLE, name a mirror in FLOWENGINE_MAVEN_MIRROR, or bring "
        "the jars from another machine: `flowengine kafka fetch --to DIR` there, "
        "`flowengine kafka start --jars DIR` here"
    )
