"""Print the users of a Kafka topic, with aiokafka (asyncio). Ctrl-C ends it.

    python flows/clients/aiokafka_consumer.py --bootstrap localhost:9092 --topic people

The group remembers how far it has read: start it again, and it goes on behind the last user.
"""

import argparse
import asyncio
import json
from contextlib import suppress
from datetime import datetime

from aiokafka import AIOKafkaConsumer


def show(message):
    """Print time, topic, partition, value."""
    user = json.loads(message.value.decode())
    time = datetime.fromtimestamp(message.timestamp / 1000).isoformat(" ", "milliseconds")
    print(time, message.topic, message.partition, user, sep="\t", flush=True)


async def consume(bootstrap, topic, group, count):
    """Print `count` users, or users for ever when it is None."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",  # a new group begins with the oldest message
        enable_auto_commit=False,
    )
    await consumer.start()
    seen = 0
    try:
        while count is None or seen < count:
            message = await consumer.getone()  # the poll loop runs inside
            show(message)
            seen += 1
            await consumer.commit()  # behind what was shown, not behind what was fetched
    finally:
        await consumer.stop()


def main():
    """Read the options and consume."""
    parser = argparse.ArgumentParser(description="Print the users of a Kafka topic.")
    parser.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    parser.add_argument("--topic", default="people")
    parser.add_argument("--group", default="python-consumer")
    parser.add_argument("--count", type=int, help="stop after so many; never when left out")
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(consume(options.bootstrap, options.topic, options.group, options.count))


if __name__ == "__main__":
    main()
