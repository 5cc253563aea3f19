"""Partitions are those that Java clients choose."""

import random

import pytest
from aiokafka.partitioner import murmur2 as slow_murmur2
from hypothesis import given
from hypothesis import strategies as st

from processors.kafka.partitioner import (
    Partitioner,
    by_value,
    murmur2,
    partition_for_key,
)
from tests.kafka_fixtures import java_partition

# org.apache.kafka.common.utils.UtilsTest.testMurmur2
JAVA_VECTORS = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("text", "signed"), JAVA_VECTORS.items())
def test_the_hash_is_that_of_the_java_client(text, signed):
    assert murmur2(text.encode()) == signed & 0xFFFFFFFF


@given(st.binary(max_size=70))
def test_the_hash_is_that_of_aiokafka(data):
    assert murmur2(data) == slow_murmur2(data)


@pytest.mark.kafka
def test_the_java_producer_of_the_brokers_jars_chooses_the_same_partitions():
    chance = random.Random(7)
    keys = [chance.randbytes(chance.randrange(1, 40)) for _ in range(200)] + [
        b"\xff\x80",
        "ü".encode(),
    ]
    for partitions in (1, 3, 12):
        ours = [partition_for_key(key, partitions) for key in keys]
        assert ours == java_partition(keys, partitions)


def test_messages_without_a_key_share_one_partition_per_batch_and_later_another():
    partitioner = Partitioner(random.Random(1))
    batches = [partitioner.by_key([None, b"abc", None], 3) for _ in range(50)]
    assert all(batch[0] == batch[2] and batch[1] == 479470107 % 3 for batch in batches)
    assert {batch[0] for batch in batches} == {0, 1, 2}


def test_round_robin_goes_on_where_it_stopped_for_each_topic():
    partitioner = Partitioner()
    assert partitioner.in_turn("a", 4, 3) == [0, 1, 2, 0]
    assert partitioner.in_turn("b", 1, 3) == [0]
    assert partitioner.in_turn("a", 3, 3) == [1, 2, 0]


def test_an_expression_names_a_partition_or_is_hashed():
    assert by_value("2", 3) == 2
    assert by_value("3", 3) is None
    assert by_value("abc", 3) == partition_for_key(b"abc", 3)
