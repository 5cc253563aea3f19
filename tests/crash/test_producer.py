import json
from collections import Counter

import pytest

from tests.crash.flows import Order
from tests.crash.harness import Trial, missing, plan, report
from tests.kafka_fixtures import KafkaForTests

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(600)]


def fill_lake(trial: Trial, files: int = 4) -> None:
    """NDJSON files with one record per number: {"number": 0} and so on."""
    lake = trial.directory / "lake"
    lake.mkdir(parents=True)
    each = -(-trial.order.count // files)
    for n in range(files):
        numbers = range(n * each, min((n + 1) * each, trial.order.count))
        lines = "".join(json.dumps({"number": number}) + "\n" for number in numbers)
        (lake / f"part-{n}.ndjson").write_text(lines)


def in_topic(kafka: KafkaForTests, topic: str) -> Counter[int]:
    """How often each record is in the topic."""
    return Counter(json.loads(message.value or b"")["number"] for message in kafka.read_all(topic))


def survive(kafka: KafkaForTests, trial: Trial, kills: int) -> Counter[int]:
    fill_lake(trial)
    moments = plan("producer", kills)
    for moment in moments:
        trial.kill(moment)
    trial.finish()
    found = in_topic(kafka, trial.order.topic)
    report("producer", moments, found, trial)
    return found


@pytest.fixture
def trial(tmp_path, kafka, kills):
    topic = kafka.create_topic(partitions=3)
    count = 5000 + 2000 * kills
    order = Order("producer", str(tmp_path), count, 0.01, bootstrap=kafka.bootstrap, topic=topic)
    return Trial(order)


def test_a_killed_producer_publishes_every_record(kafka, trial, kills):
    found = survive(kafka, trial, kills)
    assert missing(found, trial.order.count) == []
    assert found.total() - len(found) <= trial.allowed()


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_producer_killed_many_times_publishes_every_record(kafka, trial, kills):
    found = survive(kafka, trial, kills)
    assert missing(found, trial.order.count) == []
    assert found.total() - len(found) <= trial.allowed()
