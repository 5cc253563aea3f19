"""flows/clients: the plain Python producers and consumers, as a user starts them."""

import ast
import subprocess
import sys
from collections import Counter

import pytest

from processors.kafka.partitioner import partition_for_key
from tests.flows.running import FLOWS

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
LIBRARIES = ("confluent", "aiokafka")


def run(script, kafka, topic, *arguments):
    """The lines that a client printed, split at tabs."""
    line = [sys.executable, FLOWS / "clients" / f"{script}.py", "--bootstrap", kafka.bootstrap]
    line += ["--topic", topic, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [text.split("\t") for text in done.stdout.splitlines()]


@pytest.fixture(params=LIBRARIES)
def library(request):
    if request.param == "confluent":
        pytest.importorskip("confluent_kafka", reason="needs the extra `clients`")
    return request.param


def test_the_callback_prints_time_topic_partition_and_value_of_ten_users(library, kafka):
    topic = kafka.create_topic(partitions=3)
    lines = run(f"{library}_producer", kafka, topic)
    messages = kafka.read_all(topic)
    assert len(lines) == len(messages) == 10
    assert {line[1] for line in lines} == {topic}
    printed = Counter((int(line[2]), line[3].encode()) for line in lines)
    assert printed == Counter((message.partition, message.value) for message in messages)


def test_the_consumer_prints_what_was_sent_and_goes_on_there_when_started_again(library, kafka):
    topic, group = kafka.create_topic(partitions=3), kafka.unique("group")
    sent = run(f"{library}_producer", kafka, topic, "--count", "7")
    first = run(f"{library}_consumer", kafka, topic, "--group", group, "--count", "3")
    rest = run(f"{library}_consumer", kafka, topic, "--group", group, "--count", "4")
    read = [ast.literal_eval(line[3])["name"] for line in first + rest]
    assert Counter(read) == Counter(ast.literal_eval(line[3])["name"] for line in sent)


def test_both_libraries_and_the_flows_put_a_key_into_the_same_partition(kafka):
    pytest.importorskip("confluent_kafka", reason="needs the extra `clients`")
    topic = kafka.create_topic(partitions=3)
    for library in LIBRARIES:
        run(f"{library}_producer", kafka, topic, "--count", "30")
    messages = kafka.read_all(topic)
    assert len(messages) == 60
    for message in messages:
        assert message.partition == partition_for_key(message.key, 3)
