"""The flow lives on; the broker is killed under load and comes back."""

import threading
from pathlib import Path

import pytest

from tests.crash.flows import Order
from tests.crash.harness import Trial, missing, until
from tests.crash.test_consumer import complete, make_trial
from tests.crash.test_producer import fill_lake, in_topic
from tests.kafka_fixtures import KafkaForTests

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(900)]
COUNT = 20_000


def producer_trial(directory: Path, kafka: KafkaForTests) -> Trial:
    topic = kafka.create_topic(partitions=3)
    order = Order("producer", str(directory), COUNT, 0.02, kafka.bootstrap, topic)
    trial = Trial(order)
    fill_lake(trial)
    return trial


def under_load(trial: Trial) -> None:
    """Wait until a part of the records is delivered: the load is on."""
    until(lambda: len(trial.delivered()) > COUNT // 8, "some of the records")


def strike(trial: Trial, kafka: KafkaForTests, number: int) -> None:
    """Kill one broker under load, let the flow meet its absence, bring it back."""
    under_load(trial)
    kafka.cluster.kill(number)
    threading.Event().wait(1.0)  # long enough for requests to fail
    kafka.cluster.restart(number)


def run_struck(trial: Trial, kafka: KafkaForTests, number: int) -> None:
    """Run a producer to its end while a broker is killed and restarted."""
    with trial.life(until_complete=True) as process:
        try:
            strike(trial, kafka, number)
        finally:
            kafka.heal()
        trial.wait(process)
        assert process.returncode == 0, trial.output()


def consume_struck(trial: Trial, kafka: KafkaForTests, number: int) -> None:
    with trial.life():
        try:
            strike(trial, kafka, number)
        finally:
            kafka.heal()
        until(lambda: complete(trial), f"every record: {trial.output()}")


def test_a_producer_survives_the_broker_being_killed(tmp_path, kafka):
    trial = producer_trial(tmp_path, kafka)
    run_struck(trial, kafka, 1)
    found = in_topic(kafka, trial.order.topic)
    assert missing(found, COUNT) == []
    assert found.total() == COUNT  # the producer is idempotent


def test_a_consumer_survives_the_broker_being_killed(tmp_path, kafka):
    trial = make_trial(tmp_path, kafka, COUNT, pause=0.02)
    consume_struck(trial, kafka, 1)
    assert trial.delivered().total() == COUNT


def test_a_producer_survives_one_of_three_brokers_being_killed(tmp_path, kafka_cluster):
    trial = producer_trial(tmp_path, kafka_cluster)
    run_struck(trial, kafka_cluster, 2)
    found = in_topic(kafka_cluster, trial.order.topic)
    assert missing(found, COUNT) == []
    assert found.total() == COUNT


def test_a_consumer_survives_one_of_three_brokers_being_killed(tmp_path, kafka_cluster):
    trial = make_trial(tmp_path, kafka_cluster, COUNT, pause=0.02)
    consume_struck(trial, kafka_cluster, 2)
    assert trial.delivered().total() == COUNT
