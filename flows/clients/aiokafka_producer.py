"""Ten made-up users to a Kafka topic, with aiokafka (asyncio).

    python flows/clients/aiokafka_producer.py --bootstrap localhost:9092 --topic people

`send` puts a message into a buffer and returns a future: the broker's answer, once it has come.
"""

import argparse
import asyncio
import json
from datetime import datetime

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faker import Faker


async def report(answer, value):
    """Wait for one message's answer and print it: time, topic, partition, value."""
    try:
        sent = await answer
    except KafkaError as error:
        print(f"not delivered: {error}")
        return
    time = datetime.fromtimestamp(sent.timestamp / 1000).isoformat(" ", "milliseconds")
    print(time, sent.topic, sent.partition, value.decode(), sep="\t")


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


async def produce(bootstrap, topic, count):
    """Send the users, keyed by name, while their answers are printed as they come."""
    async with (
        AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer,
        asyncio.TaskGroup() as reports,  # its end waits for all answers
    ):
        for user in users(count):
            value = json.dumps(user).encode()
            answer = await producer.send(topic, value, key=user["name"].encode())
            reports.create_task(report(answer, value))


def main():
    """Read the options and send."""
    parser = argparse.ArgumentParser(description="Send made-up users to a Kafka topic.")
    parser.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    parser.add_argument("--topic", default="people")
    parser.add_argument("--count", type=int, default=10, help="how many users")
    options = parser.parse_args()
    asyncio.run(produce(options.bootstrap, options.topic, options.count))


if __name__ == "__main__":
    main()
