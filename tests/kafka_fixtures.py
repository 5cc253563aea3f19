"""A real Kafka for tests: one broker for the session, three for a module, and Java's opinion.

``tests/conftest.py`` loads this as a plugin. A test that uses a fixture from here is marked
``kafka``. The brokers die with the test process, however it ends.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import subprocess
import tempfile
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from processors.kafka import admin, messages
from processors.kafka.broker import Cluster, Security
from processors.kafka.broker.artifacts import class_path, jar_repository
from processors.kafka.broker.java import find_java
from processors.kafka.broker.places import prepared_jars
from processors.kafka.messages import Message, ReadFrom

T = TypeVar("T")
FIXTURES = {"kafka", "kafka_cluster", "secured"}
JAVA_CLASSES = Path(__file__).parent / "processors" / "kafka" / "java"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.kafka)


def in_own_loop(question: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from anywhere, also from inside a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, question).result()


class KafkaForTests:
    """A running cluster with the few calls that tests need; all of them block, briefly."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._numbers = itertools.count(1)

    @property
    def bootstrap(self) -> str:
        return self.cluster.bootstrap

    def unique(self, prefix: str = "topic") -> str:
        """A name for a topic or a group that nobody else uses in this session."""
        return f"{prefix}-{os.getpid()}-{next(self._numbers)}"

    def create_topic(
        self,
        name: str | None = None,
        partitions: int = 1,
        replication: int | None = None,
        **config: str,
    ) -> str:
        """Make a topic, with a name of its own unless one is given, and return the name.

        config: Kafka's settings of the topic, `_` for `.`
        """
        name = name or self.unique()
        settings = {key.replace("_", "."): value for key, value in config.items()}
        in_own_loop(admin.create_topic(self.bootstrap, name, partitions, replication, settings))
        return name

    def delete_topic(self, name: str) -> None:
        in_own_loop(admin.delete_topic(self.bootstrap, name))

    def topic(self, name: str) -> admin.Topic:
        """Partitions with leader, copies and offsets."""
        return in_own_loop(admin.describe_topic(self.bootstrap, name))

    def group(self, name: str) -> admin.Group:
        """Members, committed offsets and lag."""
        return in_own_loop(admin.describe_group(self.bootstrap, name))

    def produce(self, topic: str, pairs: Iterable[tuple[bytes | None, bytes]]) -> int:
        return in_own_loop(messages.produce(self.bootstrap, topic, pairs))

    def read_all(self, topic: str) -> list[Message]:
        """Everything in a topic now, ordered by partition and offset."""
        found = in_own_loop(_collect(self.bootstrap, topic))
        return sorted(found, key=lambda message: (message.partition, message.offset))

    def heal(self) -> None:
        """Restart every broker that a test has killed."""
        for node in self.cluster.nodes:
            if not node.running:
                self.cluster.restart(node.number)


async def _collect(bootstrap: str, topic: str) -> list[Message]:
    reading = messages.consume(bootstrap, topic, ReadFrom(until_end=True))
    return [message async for message in reading]


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaForTests]:
    """One broker for all tests of the session; each test makes topics of its own."""
    with Cluster(tmp_path_factory.mktemp("kafka")) as cluster:
        yield KafkaForTests(cluster)


@pytest.fixture(scope="module")
def kafka_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaForTests]:
    """Three brokers for one module: three copies of each topic, two must be in sync."""
    with Cluster(tmp_path_factory.mktemp("kafka-cluster"), brokers=3) as cluster:
        yield KafkaForTests(cluster)


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A broker that wants TLS and a password: user ``flow``, password ``flow-password``."""
    with Cluster(tmp_path_factory.mktemp("kafka-sasl-ssl"), security=Security("sasl_ssl")) as made:
        yield made


def java_partition(keys: Sequence[bytes], partitions: int) -> list[int]:
    """Where the Java producer of the broker's own jars would put each key.

    Runs ``KeyPartitions.class`` (its source lies beside it: `javac --release 17 -g:none`), which
    calls the producer's ``BuiltInPartitioner``.
    """
    prepared = prepared_jars()
    jars = class_path(prepared or jar_repository(), download=prepared is None)
    path = os.pathsep.join(map(str, [JAVA_CLASSES, *jars]))
    lines = "".join(base64.b64encode(key).decode() + "\n" for key in keys)
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(
            [find_java().executable, "-cp", path, "KeyPartitions", str(partitions)],
            input=lines,
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
        )
    return [int(line) for line in answer.stdout.split()]
