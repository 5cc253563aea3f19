"""``flowengine demo``: the chapter's two pipelines on a real Kafka, and a proof of what happened.

It starts a broker of its own, runs ``users-consumer`` and ``users-producer`` as two runners, waits
until both consumer groups have every user, and then reads the topic again with a client that is not
ours. Any difference between the lake, the topic and what the consumers wrote ends it with 1.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import orjson
import typer
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
from processors.kafka.admin import create_topic
from processors.kafka.broker import Cluster
from processors.kafka.broker.artifacts import jar_repository
from processors.kafka.broker.places import prepared_jars
from processors.kafka.commands import download_progress
from processors.kafka.evidence import Message, Received, differences, read_topic, received

TOPIC = "users"
GROUPS = ("dashboard", "warehouse")
PATIENCE = 60.0  # seconds beyond the time that the throttled flow needs by itself

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def flows_directory() -> Path:
    """Where the shipped flows are: beside the working directory, else beside the package."""
    for candidate in (Path.cwd() / "flows", Path(__file__).parents[2] / "flows"):
        if (candidate / "users-producer.json").is_file():
            return candidate
    raise EnvironmentFault(
        f"demo must find the folder flows with users-producer.json; got {Path.cwd()} without it. "
        "Run it in a clone of the project"
    )


@app.command(epilog="Example: flowengine demo --period '1 sec'")
def demo(
    period: Annotated[
        str, typer.Option(help="Time between two users, as the throttle of the flows says it.")
    ] = "1 sec",
) -> None:
    """Start Kafka, run the chapter's two pipelines and prove what happened.

    Exit codes: 0 every user arrived once in each group, 1 something differs.
    """
    plain = Console(highlight=False)
    console = plain if plain.is_terminal else Console(highlight=False, width=110)
    with tempfile.TemporaryDirectory(prefix="flowengine-demo-") as folder, ExitStack() as stack:
        stage = Stage(Path(folder), flows_directory(), period, console)
        stack.enter_context(stage.kafka())
        problems = stage.play()
    for problem in problems:
        console.print(f"[red]difference:[/red] {problem}")
    if problems:
        raise typer.Exit(1)
    console.print("[green]proved:[/green] every user is in the topic and in both groups, once.")


class Stage:
    """One run of the demo in a folder that goes away with it."""

    def __init__(self, folder: Path, flows: Path, period: str, console: Console) -> None:
        self.folder = folder
        self.flows = flows
        self.period = period
        self.console = console
        self.users = sorted((flows / "lake" / "users").glob("*.json"))
        self.output = folder / "users"
        self.bootstrap = ""

    @contextmanager
    def kafka(self) -> Iterator[None]:
        """A broker of the demo's own, gone at the end."""
        self.console.print("Starting Apache Kafka on loopback …")
        folder = prepared_jars()
        with download_progress(jar_repository(), needed=folder is None) as advance:
            cluster = Cluster(self.folder / "kafka", advance=advance)
            cluster.start()
        self.bootstrap = cluster.bootstrap
        asyncio.run(create_topic(self.bootstrap, TOPIC, partitions=3))
        self.console.print(f"Kafka answers at {self.bootstrap}; topic {TOPIC} has 3 partitions.")
        try:
            yield
        finally:
            cluster.stop()

    def play(self) -> list[str]:
        """Run both flows to the end; the differences between lake, topic and files."""
        self.console.print(
            f"Two consumers of group dashboard, one of group warehouse; then {len(self.users)} "
            f"users from the lake, one every {self.period}."
        )
        lake = str(self.flows / "lake" / "users")
        with (
            self._runner("users-consumer", output=str(self.output)) as consumer,
            self._runner("users-producer", "--until-complete", lake=lake) as producer,
        ):
            self._wait([consumer, producer])
        return self._prove()

    @contextmanager
    def _runner(self, flow: str, *flags: str, **parameters: str) -> Iterator[subprocess.Popen[str]]:
        given = {"brokers": self.bootstrap, "period": self.period, **parameters}
        if flow == "users-producer":
            given["rejects"] = str(self.folder / "rejects")
        line = [sys.executable, "-m", "flowengine", "run", str(self.flows / f"{flow}.json")]
        line += ["--data-dir", str(self.folder / flow), *flags]
        for name, value in given.items():
            line += ["--set", f"{name}={value}"]
        log = (self.folder / f"{flow}.log").open("w")
        process = subprocess.Popen(line, stdout=log, stderr=log, text=True)
        try:
            yield process
        finally:
            self._end(process)
            log.close()

    def _end(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait(self, processes: list[subprocess.Popen[str]]) -> None:
        """Show how many users each group has; return when all have, or when it takes too long."""
        columns = (
            TextColumn("{task.description:>10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            bars = {group: progress.add_task(group, total=len(self.users)) for group in GROUPS}
            asyncio.run(self._watch(progress, bars, processes))

    async def _watch(
        self, progress: Progress, bars: dict[str, TaskID], processes: list[subprocess.Popen[str]]
    ) -> None:
        from watchfiles import awatch

        self.output.mkdir(parents=True, exist_ok=True)
        patience = PATIENCE + len(self.users) * parse_duration(self.period) / 1e6
        try:
            async with asyncio.timeout(patience):
                async for _ in awatch(
                    self.output, rust_timeout=500, yield_on_timeout=True, debounce=100
                ):
                    counts = {group: len(received(self.output / group)) for group in GROUPS}
                    for group, bar in bars.items():
                        progress.update(bar, completed=counts[group])
                    self._look_after(processes)
                    if min(counts.values()) >= len(self.users):
                        return
        except TimeoutError:
            self.console.print(f"[red]gave up after {patience:.0f} s[/red]; the logs say:")
            for log in sorted(self.folder.glob("*.log")):
                self.console.print(f"{log.name}:\n{log.read_text()[-2000:]}", markup=False)

    def _look_after(self, processes: list[subprocess.Popen[str]]) -> None:
        for process in processes:
            if process.poll() not in (None, 0):
                logs = "\n".join(log.read_text()[-2000:] for log in self.folder.glob("*.log"))
                raise EnvironmentFault(
                    f"runner must end with 0; got {process.returncode}. It said:\n{logs}"
                )

    def _prove(self) -> list[str]:
        client, messages = read_topic(self.bootstrap, TOPIC)
        groups = {group: received(self.output / group) for group in GROUPS}
        self.console.print(_table(messages, groups))
        self.console.print(f"The topic was read again with {client}: {len(messages)} messages.")
        wanted = {orjson.loads(path.read_bytes())["name"] for path in self.users}
        return differences(wanted, messages, groups)


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
