"""The proof: both flows run to the end, then lake, topic and files are compared.

The broker is the demo's own. ``users-consumer`` and ``users-producer`` are two runners; when both
consumer groups have every user, the topic is read again with a client that is not ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from flowengine.errors import EnvironmentFault
from flowengine.units import parse_duration
from processors.kafka.admin import create_topic, describe_group
from processors.kafka.broker import Cluster
from processors.kafka.broker.artifacts import jar_repository
from processors.kafka.broker.places import prepared_jars
from processors.kafka.commands import download_progress
from processors.kafka.demo.children import Child, child
from processors.kafka.demo.folder import DemoFolder
from processors.kafka.demo.interruption import Interruption
from processors.kafka.evidence import Message, Received, differences, read_topic, received

TOPIC = "users"
GROUPS = ("dashboard", "warehouse")
LOOK = 0.2  # seconds between two looks at the group
PATIENCE = 60.0  # seconds beyond the time that the throttled flow needs by itself


class Stage:
    """One run of the two flows in a demo's folder."""

    def __init__(
        self, folder: DemoFolder, period: str, console: Console, interruption: Interruption
    ) -> None:
        self.folder = folder
        self.period = period
        self.console = console
        self.interruption = interruption
        self.users = sorted(folder.lake.glob("*.json"))
        self.bootstrap = ""

    @contextmanager
    def kafka(self) -> Iterator[None]:
        """A broker of the demo's own, gone at the end."""
        self.console.print("Starting Apache Kafka on loopback …")
        jars = prepared_jars()
        with download_progress(jar_repository(), needed=jars is None) as advance:
            cluster = Cluster(self.folder.kafka, advance=advance)
            cluster.start()
        try:
            self.bootstrap = cluster.bootstrap
            asyncio.run(create_topic(self.bootstrap, TOPIC, partitions=3))
            self.console.print(
                f"Kafka answers at {self.bootstrap}; topic {TOPIC} has 3 partitions."
            )
            yield
        finally:
            with self.interruption.ending():
                cluster.stop()

    def play(self) -> list[str]:
        """Run both flows to the end; the differences between lake, topic and files."""
        self.console.print(
            f"Two consumers of group dashboard, one of group warehouse; then {len(self.users)} "
            f"users from the lake, one every {self.period}."
        )
        self.folder.set_parameters({"*": {"brokers": self.bootstrap}})
        with self._runner("users-consumer") as consumer:
            self.console.print(asyncio.run(self._shared(consumer)))
            with self._runner("users-producer", "--until-complete") as producer:
                self._wait([consumer, producer])
        return self._prove()

    async def _shared(self, consumer: Child) -> str:
        """Wait until both consumers of the first group have partitions; who has how many."""
        async with asyncio.timeout(PATIENCE):
            while True:  # a group tells nobody that it is complete, so it is asked
                _look_after([consumer])
                with suppress(EnvironmentFault):  # it is not there yet
                    group = await describe_group(self.bootstrap, GROUPS[0])
                    shares = [str(len(each.partitions)) for each in group.members]
                    if len(shares) == 2 and "0" not in shares:
                        return f"Group {GROUPS[0]} shares the partitions: {' and '.join(shares)}."
                await asyncio.sleep(LOOK)

    @contextmanager
    def _runner(self, flow: str, *flags: str) -> Iterator[Child]:
        file = self.folder.flows / f"{flow}.json"
        words = ["run", str(file), "--data-dir", str(self.folder.state / flow), *flags]
        words += ["--set", f"period={self.period}"]
        with child(
            flow, *words, folder=self.folder.path, interruption=self.interruption
        ) as process:
            yield process

    def _wait(self, runners: list[Child]) -> None:
        """Show how many users each group has; return when all have, or when it takes too long."""
        columns = (
            TextColumn("{task.description:>10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            bars = {group: progress.add_task(group, total=len(self.users)) for group in GROUPS}
            asyncio.run(self._watch(progress, bars, runners))

    async def _watch(
        self, progress: Progress, bars: dict[str, TaskID], runners: list[Child]
    ) -> None:
        from watchfiles import awatch

        output = self.folder.users
        output.mkdir(parents=True, exist_ok=True)
        patience = PATIENCE + len(self.users) * parse_duration(self.period) / 1e6
        try:
            async with asyncio.timeout(patience):
                async for _ in awatch(
                    output, rust_timeout=500, yield_on_timeout=True, debounce=100
                ):
                    self.interruption.check()
                    counts = {group: len(received(output / group)) for group in GROUPS}
                    for group, bar in bars.items():
                        progress.update(bar, completed=counts[group])
                    _look_after(runners)
                    if min(counts.values()) >= len(self.users):
                        return
        except TimeoutError:
            self.console.print(f"[red]gave up after {patience:.0f} s[/red]; the logs say:")
            for runner in runners:
                self.console.print(runner.said(), markup=False)

    def _prove(self) -> list[str]:
        client, messages = read_topic(self.bootstrap, TOPIC)
        groups = {group: received(self.folder.users / group) for group in GROUPS}
        self.console.print(_table(messages, groups))
        self.console.print(f"The topic was read again with {client}: {len(messages)} messages.")
        wanted = {orjson.loads(path.read_bytes())["name"] for path in self.users}
        return differences(wanted, messages, groups)


def _look_after(runners: list[Child]) -> None:
    for runner in runners:
        if runner.code not in (None, 0):
            raise EnvironmentFault(
                f"runner of {runner.name} must end with 0; got {runner.code}. It said:\n"
                + "\n".join(each.said() for each in runners)
            )


def _table(messages: list[Message], groups: dict[str, list[Received]]) -> Table:
    """The rows: user, partition, offset, and who had it when."""
    table = Table("user", "partition", "offset", "consumer", "time", "in warehouse at")
    by_place = {
        group: {(found.partition, found.offset): found for found in members}
        for group, members in groups.items()
    }
    for message in messages:
        place = (message.partition, message.offset)
        here = by_place["dashboard"].get(place)
        there = by_place["warehouse"].get(place)
        table.add_row(
            message.user,
            str(message.partition),
            str(message.offset),
            here.consumer if here else "missing",
            here.time if here else "",
            there.time if there else "missing",
        )
    return table
