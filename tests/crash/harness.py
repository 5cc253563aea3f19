"""The process that kills: lives of a victim one after the other, and what they delivered."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import msgspec

from tests.crash.flows import BATCH, Order

PATIENCE = 90.0  # seconds for what takes two on an idle machine
REPOSITORY = Path(__file__).parents[2]
NOTHING = nullcontext()
OUTSIDE = "outside"  # a kill by the parent, at no particular point

# Which moments a flow can be hit at, and how often among ten. All flows together: each at least
# five times.
SHARES: dict[str, dict[str, int]] = {
    "five-hops": {"loaded-queue": 3, "mid-cut": 3, "recovery": 2, "before-acknowledge": 1},
    "producer": {"loaded-queue": 3, "mid-cut": 2, "recovery": 2, "before-acknowledge": 2},
    "consumer": {"mid-rebalance": 5, "before-acknowledge": 2, "mid-cut": 1, "recovery": 1},
    "traffic-sensors": {"mid-cut": 3, "before-acknowledge": 2, "recovery": 2, "mid-rebalance": 2},
}
LATEST = {"recovery": 4, "mid-rebalance": 2, "before-acknowledge": 4, "mid-cut": 4}


class Kill(msgspec.Struct, frozen=True):
    """One moment: the n-th passage of a named point, or a delay in seconds after the start."""

    point: str
    passage: int = 1
    delay: float = 0.0


def plan(flow: str, kills: int, seed: int = 1) -> list[Kill]:
    """Seeded moments for one flow: all its points in their shares, the rest from outside."""
    dice = random.Random(f"{flow} {seed}")
    names = [name for name, share in SHARES[flow].items() for _ in range(share * kills // 10)]
    names += [OUTSIDE] * (kills - len(names))
    dice.shuffle(names)
    return [
        Kill(name, dice.randint(1, LATEST.get(name, 3)), dice.uniform(0.02, 0.4)) for name in names
    ]


def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Return when the condition holds; fail, saying what was waited for, after ``patience``."""
    deadline = time.monotonic() + patience
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s for {what}")
        pause.wait(0.02)


class Trial:
    """One flow, its directory, its input and all its lives."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.directory = Path(order.directory)
        self.log = self.directory / "log"
        self.current: subprocess.Popen[str] | None = None
        self.directory.mkdir(parents=True, exist_ok=True)

    # -- lives ---------------------------------------------------------------------------------

    @contextmanager
    def life(self, **changes: object) -> Iterator[subprocess.Popen[str]]:
        """A running victim; it is dead afterwards."""
        order = msgspec.structs.replace(self.order, **changes)
        error = self.directory / "output"
        with error.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.victim", msgspec.json.encode(order).decode()],
                cwd=REPOSITORY,
                stdout=stream,
                stderr=subprocess.STDOUT,
                text=True,
            )
            self.current = process
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def kill(self, kill: Kill, provoked: AbstractContextManager[None] = NOTHING) -> None:
        """One life that ends at this moment, which comes about while ``provoked`` is entered."""
        outside = kill.point == OUTSIDE
        point = "" if outside else kill.point
        lives = len(self.lives())
        member = "" if point == "mid-rebalance" else "static"  # the latter is back at once
        with self.life(die_at=point, passage=kill.passage, member=member) as process:
            until(lambda: len(self.lives()) > lives or self.ended(process), "the victim's start")
            with provoked:
                if outside:
                    threading.Event().wait(kill.delay)  # a moment that nobody chose
                    process.kill()
                self.wait(process)
            assert process.returncode == -signal.SIGKILL, self.output()
        if not outside:
            assert self.lives()[-1][-1] == f"K {kill.point}", f"{kill}: {self.output()}"

    def finish(self) -> None:
        """One life without a pause that ends by itself, with nothing left in the flow."""
        with self.life(pause=0.0, until_complete=True) as process:
            self.wait(process)
            assert process.returncode == 0, self.output()

    def stop_when(self, condition: Callable[[], bool], what: str) -> None:
        """One life without a pause that is asked to stop once the condition holds."""
        with self.life(pause=0.0, until_complete=False) as process:
            until(lambda: condition() or self.ended(process), what)
            process.send_signal(signal.SIGTERM)
            self.wait(process)
            assert process.returncode == 0, self.output()

    def ended(self, process: subprocess.Popen[str]) -> bool:
        return process.poll() is not None

    def wait(self, process: subprocess.Popen[str]) -> None:
        """Wait for the end of a life."""
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the victim must end; got none: {self.output()}") from None

    def output(self) -> str:
        """What the last victim said, its end."""
        return (self.directory / "output").read_text()[-4000:]

    def assigned(self, lives: int) -> bool:
        """Whether a life after the first ``lives`` has its partitions."""
        if self.current is not None and self.ended(self.current):
            raise AssertionError(f"the victim must join; got its end: {self.output()}")
        return len(self.lives()) > lives and "A" in self.lives()[-1]

    # -- what they delivered -------------------------------------------------------------------

    def lives(self) -> list[list[str]]:
        """The log, split by life."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        lives: list[list[str]] = []
        for line in lines:
            if line == "S":
                lives.append([])
            else:
                lives[-1].append(line)
        return lives

    def delivered(self) -> Counter[int]:
        """How often the sink delivered each record, as logged."""
        return Counter(identity for life in self.lives() for identity in written(life))

    def allowed(self) -> int:
        """Most duplicates: per life what followed its last cut, and one unconfirmed batch."""
        return sum(len(after_last_cut(life)) + BATCH for life in self.lives()[:-1])


def written(life: Sequence[str]) -> list[int]:
    """Numbers of the records that a life delivered."""
    return [int(line[2:]) for line in life if line.startswith("W ")]


def after_last_cut(life: Sequence[str]) -> list[int]:
    """Records delivered after the collection of the last cut that reached the disk."""
    durable = max((n for n, line in enumerate(life) if line == "D"), default=-1)
    collected = max((n for n, line in enumerate(life[: durable + 1]) if line == "C"), default=-1)
    return written(life[collected + 1 :])


def report(name: str, kills: Sequence[Kill], found: Counter[int], trial: Trial) -> None:
    """Print what happened: kills by moment, duplicates and how many were allowed."""
    moments = ", ".join(f"{n} × {name}" for name, n in Counter(k.point for k in kills).items())
    print(
        f"\n{name}: {len(kills)} kills ({moments}); {len(found)} records, "
        f"{found.total() - len(found)} duplicates, {trial.allowed()} allowed"
    )


def missing(found: Counter[int], count: int) -> list[int]:
    """Numbers of input records that the sink does not have."""
    return [number for number in range(count) if number not in found]
