"""Ten made-up users to a Kafka topic, with confluent-kafka (librdkafka).

    python flows/clients/confluent_producer.py --bootstrap localhost:9092 --topic people

`produce` only puts a message into a buffer. The broker's answer comes back in `delivered`, which
librdkafka calls from inside `poll` and `flush`.
"""

import argparse
import json
from datetime import datetime

from confluent_kafka import Producer
from faker import Faker


def delivered(error, message):
    """Print what became of one message: time, topic, partition, value."""
    if error is not None:
        print(f"not delivered: {error}")
        return
    time = datetime.fromtimestamp(message.timestamp()[1] / 1000).isoformat(" ", "milliseconds")
    print(time, message.topic(), message.partition(), message.value().decode(), sep="\t")


def users(count):
    """Made-up people, as dictionaries."""
    fake = Faker()
    for _ in range(count):
        yield {
            "name": fake.name(),
            "age": fake.random_int(18, 80),
            "street": fake.street_address(),
            "city": fake.city(),
            "state": fake.state(),
            "zip": fake.zipcode(),
        }


def main():
    """Send the users, keyed by name, and wait until each has been answered."""
    parser = argparse.ArgumentParser(description="Send made-up users to a Kafka topic.")
    parser.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    parser.add_argument("--topic", default="people")
    parser.add_argument("--count", type=int, default=10, help="how many users")
    options = parser.parse_args()

    producer = Producer(
        {
            "bootstrap.servers": options.bootstrap,
            "enable.idempotence": True,  # all replicas in sync have it, once and in order
            "partitioner": "murmur2_random",  # the same key to the same partition as in Java
        }
    )
    for user in users(options.count):
        producer.poll(0)  # answers that have come in meanwhile
        value = json.dumps(user).encode()
        producer.produce(options.topic, value, key=user["name"], on_delivery=delivered)
    producer.flush()  # the rest of the answers


if __name__ == "__main__":
    main()
