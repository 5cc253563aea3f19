"""A Kafka cluster of one or more brokers on loopback, as an object.

::

    with Cluster(directory, brokers=3) as cluster:
        client = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap)
        cluster.kill(2)
        cluster.restart(2)

``async with`` does the same without holding up the event loop. The folder keeps the topics: a
second start finds them. A cluster ends only processes that it started itself.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.archive import ClassArchive
from processors.kafka.broker.artifacts import Advance, class_path, jar_repository
from processors.kafka.broker.java import Java, find_java
from processors.kafka.broker.node import JavaCommand, Node, node_folder, not_ready
from processors.kafka.broker.places import cache_directory, prepared_jars
from processors.kafka.broker.ports import HOST, free_ports, is_free
from processors.kafka.broker.probe import brokers_known_to
from processors.kafka.broker.security import Security, authority_file
from processors.kafka.broker.settings import NodePorts, node_settings

READY_PATIENCE = 60.0  # seconds
STOP_PATIENCE = 20.0
PROBE_PAUSE = 0.03  # a broker cannot tell when it is ready, so it is asked


class Cluster(AbstractContextManager["Cluster"]):
    """Brokers 1 to ``brokers`` in one folder.

    ``port`` is that of the first broker, the others take the next ones; 0 takes any free one.
    ``properties`` are added to every node's ``server.properties``. ``jars`` is a folder made by
    ``flowengine kafka fetch --to``; without it the jars come from the cache or are downloaded,
    ``advance`` hearing of each byte.
    ``dies_with_parent`` lets the brokers be killed when this process dies (Linux).
    """

    def __init__(
        self,
        directory: Path,
        *,
        brokers: int = 1,
        port: int = 0,
        security: Security | None = None,
        properties: Mapping[str, str] | None = None,
        jars: Path | None = None,
        java: Java | None = None,
        advance: Advance = lambda count: None,
        dies_with_parent: bool = True,
        ready_patience: float = READY_PATIENCE,
    ) -> None:
        self.directory = directory.absolute()
        self.security = security or Security()
        self.brokers = brokers
        self.nodes: list[Node] = []
        self.ports: list[NodePorts] = []
        self._first_port = port
        self._properties = dict(properties or {})
        self._jars = jars or prepared_jars()
        self._java = java
        self._advance = advance
        self._dies_with_parent = dies_with_parent
        self._ready_patience = ready_patience
        self._archive: ClassArchive | None = None

    # -- addresses -------------------------------------------------------------------------------

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, comma separated, as clients take them."""
        return ",".join(f"{HOST}:{ports.client}" for ports in self.ports)

    @property
    def cluster_id(self) -> str:
        """Made at the first start, kept with the data."""
        return (self.directory / "cluster-id").read_text().strip()

    def client_options(self, mechanism: str = "PLAIN") -> dict[str, str]:
        """What an aiokafka client needs beside ``bootstrap_servers`` (``ssl_cafile`` for TLS)."""
        options = {"security_protocol": self.security.protocol.upper()}
        if self.security.sasl:
            options["sasl_mechanism"] = mechanism
            options["sasl_plain_username"] = self.security.user
            options["sasl_plain_password"] = self.security.password
        if self.security.tls:
            options["ssl_cafile"] = str(authority_file(self.directory / "certificates"))
        return options

    # -- start and stop --------------------------------------------------------------------------

    def start(self) -> Self:
        """Start all brokers and return when every one knows all the others.

        Raises EnvironmentFault with the last log lines when one does not; none is left behind.
        """
        return self.start_with(lambda: None)

    def start_with(self, spawned: Callable[[], None]) -> Self:
        """The same; ``spawned`` is called once the processes exist, before they are ready."""
        try:
            self.prepare()
            self._spawn_all(record=True)
            spawned()
            self._wait_ready_or_retry()
        except BaseException:
            self.stop(patience=0)
            raise
        return self

    def prepare(self) -> None:
        """Get jars, Java and class archive, choose ports, write settings, format data folders."""
        self._check_brokers()
        java = self._java or find_java()
        repository = self._jars or jar_repository()
        self.ports = self._choose_ports()
        with ThreadPoolExecutor(1 + self.brokers) as threads:
            jars = class_path(repository, download=self._jars is None, advance=self._advance)
            self._archive = ClassArchive(cache_directory(), java, jars)
            dumped = threads.submit(self._archive.prepare)
            self.security.prepare(self.directory / "certificates", java)
            self._make_nodes(JavaCommand(self._archive, jars))
            formatted = [threads.submit(self._format, node) for node in self.nodes]
            for task in [*formatted, dumped]:
                task.result()

    def stop(self, patience: float = STOP_PATIENCE) -> None:
        """Stop all brokers cleanly, those that need longer than ``patience`` seconds by force."""
        for node in self.nodes:
            node.terminate()
        deadline = time.monotonic() + patience
        for node in self.nodes:
            if not node.ended_within(max(0.0, deadline - time.monotonic())):
                node.kill()
            node.adopt_recording()

    def kill(self, node: int) -> None:
        """SIGKILL broker ``node`` (counted from 1) and wait until it is gone."""
        self.nodes[node - 1].kill()

    def terminate(self, node: int) -> None:
        """Stop broker ``node`` cleanly, the others stay."""
        chosen = self.nodes[node - 1]
        chosen.terminate()
        if not chosen.ended_within(STOP_PATIENCE):
            chosen.kill()

    def restart(self, node: int) -> None:
        """Stop broker ``node`` if it runs, start it on its old port, return when it answers."""
        self.terminate(node)
        self.nodes[node - 1].spawn()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Return when every running broker answers and knows all running ones."""
        deadline = time.monotonic() + self._ready_patience
        alive = [node for node in self.nodes if node.running]
        for node in alive:
            port = self.ports[node.number - 1].internal
            while brokers_known_to(port) < len(alive):
                if node.ended_within(PROBE_PAUSE) or time.monotonic() > deadline:
                    raise EnvironmentFault(self._not_ready(node))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    # -- the steps -------------------------------------------------------------------------------

    def _check_brokers(self) -> None:
        """A folder belongs to one number of brokers: the voters stand in its metadata."""
        if not 1 <= self.brokers <= 9:
            raise EnvironmentFault(f"kafka brokers must be 1 to 9; got {self.brokers}")
        used = brokers_of(self.directory)
        if used and used != self.brokers:
            raise EnvironmentFault(
                f"kafka brokers must be {used}, as {str(self.directory)!r} was made for; got "
                f"{self.brokers}; start with `--brokers {used}`, or throw its topics away "
                "with `--fresh`"
            )

    def _choose_ports(self) -> list[NodePorts]:
        """Clients find the brokers at the named port and those after it, where they are free."""
        ports = free_ports(3 * self.brokers)
        for number in range(self.brokers if self._first_port else 0):
            if number == 0 or is_free(self._first_port + number):
                ports[3 * number] = self._first_port + number
        return [NodePorts(*ports[first : first + 3]) for first in range(0, len(ports), 3)]

    def _make_nodes(self, java: JavaCommand) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        identity = self.directory / "cluster-id"
        if not identity.exists():
            identity.write_text(new_cluster_id())
        numbers = range(1, self.brokers + 1)
        folders = [node_folder(self.directory, number) for number in numbers]
        parent = self._dies_with_parent
        self.nodes = [Node(n, f, java, parent) for n, f in zip(numbers, folders, strict=True)]
        for node in self.nodes:
            node.write_settings(self._settings(node))

    def _settings(self, node: Node) -> dict[str, str]:
        place = node.directory
        return node_settings(node.number, self.ports, place, self.security, self._properties)

    def _format(self, node: Node) -> None:
        node.format(self.cluster_id, self.security.format_options())

    def _spawn_all(self, record: bool) -> None:
        for node in self.nodes:
            node.spawn(record_classes=record and node is self.nodes[0])

    def _wait_ready_or_retry(self) -> None:
        """A broker that dies at once may have stumbled over a damaged class archive: once more."""
        try:
            self.wait_ready()
        except EnvironmentFault:
            if self._archive is None or not self._any_crashed():
                raise
            self._archive.discard()
            self.stop(patience=0)
            self._spawn_all(record=False)
            self.wait_ready()

    def _any_crashed(self) -> bool:
        """By a signal (Java aborts itself so), not by a wrong setting or a port in use."""
        codes = [node.process.returncode for node in self.nodes if node.process]
        return any(code is not None and code < 0 for code in codes)

    def _not_ready(self, node: Node) -> str:
        port = self.ports[node.number - 1].client
        code = node.process.poll() if node.process else None
        got = "no answer" if code is None else f"exit code {code}"
        return not_ready(node.number, port, self._ready_patience, got, node.directory)


def java_command(jars: Path | None = None, java: Java | None = None) -> JavaCommand:
    """What a broker whose jars are there already is started with."""
    found = java or find_java()
    prepared = jars or prepared_jars()
    path = class_path(prepared or jar_repository(), download=prepared is None)
    return JavaCommand(ClassArchive(cache_directory(), found, path), path)


def brokers_of(directory: Path) -> int:
    """For how many brokers a cluster's folder was made; 0 when it is new."""
    return len(list(directory.glob("node-*/data/meta.properties")))


def new_cluster_id() -> str:
    """22 characters as Kafka makes them: a UUID in URL-safe base64, no leading hyphen."""
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22]
    return text if not text.startswith("-") else new_cluster_id()


def throw_away(directory: Path) -> None:
    """Delete the topics, offsets and settings of a cluster that does not run."""
    for node in directory.glob("node-*"):
        shutil.rmtree(node)
    for name in ("certificates", "cluster-id"):
        path = directory / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
