"""traffic-sensors under load, killed and rebalanced: its windows are those of a batch (E20-E22)."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import pytest

from tests.crash.flows import Order
from tests.crash.group import Intruder, joining
from tests.crash.harness import Trial, plan, until
from tests.flows.traffic import Traffic
from tests.kafka_fixtures import KafkaForTests

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.kafka, pytest.mark.timeout(600)]
FLOW = "traffic-sensors"
DAY = 24 * 60
REBALANCES = 20
REBALANCES_IN_CAMPAIGN = 100


class Street:
    """The flow with two members, its cars and the truth about them."""

    def __init__(self, directory: Path, kafka: KafkaForTests, seed: int) -> None:
        self.traffic = Traffic(kafka, seed, minutes=2 * DAY)
        topic = self.traffic.topic
        order = Order(FLOW, str(directory), 0, 0.01, kafka.bootstrap, topic, topic)
        self.trial = Trial(order)
        self._rejects = directory / "rejects"

    def survive(self, kills: int, seed: int) -> None:
        """Kill it at its moments while cars pass."""
        for moment in plan(FLOW, kills, seed):
            joins = moment.point == "mid-rebalance"
            self.trial.kill(moment, self._rebalance() if joins else nullcontext())

    def _rebalance(self) -> AbstractContextManager[None]:
        order, ready = self.trial.order, partial(self.trial.assigned, len(self.trial.lives()))
        return joining(order.bootstrap, order.topic, order.group, ready)

    def endure(self, rebalances: int) -> None:
        """Let a member of somebody else join and leave, one of the two each second."""
        order = self.trial.order
        with (
            self.trial.life(die_at="mid-rebalance", passage=1 << 30),
            Intruder(order.bootstrap, order.topic, order.group, stay=1.0),
        ):
            until(lambda: self.assignments() >= 2 * rebalances, "rebalances", patience=300)

    def assignments(self) -> int:
        """How often a member was given partitions in this life: each of two, each time."""
        lives = self.trial.lives()
        return lives[-1].count("A") if lives else 0

    def finish(self) -> None:
        """Let the flow come to the end of all windows."""
        self.traffic.end()
        self.trial.stop_when(self._is_complete, "all windows")

    def _is_complete(self) -> bool:
        return all(self.traffic.is_complete(name) for name in ("count", "speed"))

    def check(self) -> None:
        """Every window once, as in a batch; nothing late, and nothing put aside but the ends."""
        traffic = self.traffic
        for name in ("count", "speed"):
            assert traffic.windows(name) == traffic.truth(name)
        assert traffic.late() == []
        ends = [path.read_bytes() for path in self._rejects.iterdir()]
        assert ends == [b"no car"] * traffic.partitions

    def report(self, what: str) -> None:
        """Print how much there was of what."""
        results = self.traffic.results
        published = sum(len(results[name].seen) for name in ("count", "speed"))
        panes = sum(len(self.traffic.truth(name)) for name in ("count", "speed"))
        print(
            f"\n{FLOW}: {what}; {len(self.traffic.cars)} cars, {panes} windows, "
            f"{published - panes} of them published again"
        )


def killed(street: Street, kills: int, seed: int) -> None:
    with street.traffic.flowing():
        street.survive(kills, seed)
    street.finish()
    street.report(f"{kills} kills, seed {seed}")
    street.check()


def rebalanced(street: Street, rebalances: int) -> None:
    with street.traffic.flowing():
        street.endure(rebalances)
    street.finish()
    street.report(f"{rebalances} rebalances")
    street.check()


def test_windows_of_a_killed_flow_are_those_of_a_batch(tmp_path, kafka, kills):
    killed(Street(tmp_path, kafka, seed=1), kills, seed=1)


def test_windows_with_a_rebalance_each_second_are_those_of_a_batch(tmp_path, kafka):
    rebalanced(Street(tmp_path, kafka, seed=2), REBALANCES)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_windows_of_a_flow_killed_many_times_are_those_of_a_batch(tmp_path, kafka, kills):
    seed = random.SystemRandom().randrange(1 << 30)
    killed(Street(tmp_path, kafka, seed), kills, seed)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_windows_with_many_rebalances_are_those_of_a_batch(tmp_path, kafka):
    seed = random.SystemRandom().randrange(1 << 30)
    rebalanced(Street(tmp_path, kafka, seed), REBALANCES_IN_CAMPAIGN)
