import json
from contextlib import nullcontext
from functools import partial

import pytest

from tests.crash.flows import Order
from tests.crash.group import Intruder, joining
from tests.crash.harness import Trial, missing, plan, report
from tests.kafka_fixtures import KafkaForTests

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(900)]


def fill_topic(kafka: KafkaForTests, order: Order) -> None:
    """Messages {"number": 0} and so on, keyed so that all partitions have some."""
    numbers = range(order.count)
    kafka.produce(
        order.topic, ((str(n % 16).encode(), json.dumps({"number": n}).encode()) for n in numbers)
    )


def make_trial(directory, kafka, count: int, pause: float) -> Trial:
    topic, group = kafka.create_topic(partitions=3), kafka.unique("group")
    order = Order("consumer", str(directory), count, pause, kafka.bootstrap, topic, group)
    trial = Trial(order)
    fill_topic(kafka, order)
    return trial


def complete(trial: Trial) -> bool:
    return not missing(trial.delivered(), trial.order.count)


def survive(kafka: KafkaForTests, trial: Trial, kills: int) -> None:
    """Kill a consumer at its moments, then let it finish."""
    order = trial.order
    moments = plan("consumer", kills)
    for moment in moments:
        ready = partial(trial.assigned, len(trial.lives()))
        rebalance = joining(order.bootstrap, order.topic, order.group, ready)
        provoked = rebalance if moment.point == "mid-rebalance" else nullcontext()
        trial.kill(moment, provoked)
    trial.stop_when(lambda: complete(trial), "every record")
    report("consumer", moments, trial.delivered(), trial)


def test_a_killed_consumer_delivers_every_record(tmp_path, kafka, kills):
    trial = make_trial(tmp_path, kafka, 5000 + 2000 * kills, pause=0.02)
    survive(kafka, trial, kills)
    delivered = trial.delivered()
    assert missing(delivered, trial.order.count) == []
    assert delivered.total() - len(delivered) <= trial.allowed()


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_consumer_killed_many_times_delivers_every_record(tmp_path, kafka, kills):
    trial = make_trial(tmp_path, kafka, 5000 + 2000 * kills, pause=0.02)
    survive(kafka, trial, kills)
    delivered = trial.delivered()
    assert missing(delivered, trial.order.count) == []
    assert delivered.total() - len(delivered) <= trial.allowed()


def test_a_rebalance_every_second_loses_nothing(tmp_path, kafka):
    trial = make_trial(tmp_path, kafka, 12_000, pause=0.05)
    order = trial.order
    with Intruder(order.bootstrap, order.topic, order.group, stay=1.0) as intruder:
        trial.stop_when(lambda: intruder.visits >= 4 and complete(trial), "every record")
    assert complete(trial)
    assert trial.delivered().total() == order.count
    assert kafka.group(order.group).lag == 0
