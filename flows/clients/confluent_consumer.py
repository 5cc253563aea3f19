"""Print the users of a Kafka topic, with confluent-kafka (librdkafka). Ctrl-C ends it.

    python flows/clients/confluent_consumer.py --bootstrap localhost:9092 --topic people

The group remembers how far it has read: start it again, and it goes on behind the last user.
"""

import argparse
import json
from datetime import datetime

from confluent_kafka import Consumer


def show(message):
    """Print time, topic, partition, value."""
    user = json.loads(message.value().decode())
    time = datetime.fromtimestamp(message.timestamp()[1] / 1000).isoformat(" ", "milliseconds")
    print(time, message.topic(), message.partition(), user, sep="\t", flush=True)


def read(consumer, count):
    """Poll until `count` users have been printed; for ever when it is None."""
    seen = 0
    while count is None or seen < count:
        message = consumer.poll(1.0)
        if message is None:  # nothing came within a second
            continue
        if message.error():
            print(f"error: {message.error()}", flush=True)
            continue
        show(message)
        seen += 1


def main():
    """Join the group, read, and leave it, committing how far it came."""
    parser = argparse.ArgumentParser(description="Print the users of a Kafka topic.")
    parser.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    parser.add_argument("--topic", default="people")
    parser.add_argument("--group", default="python-consumer")
    parser.add_argument("--count", type=int, help="stop after so many; never when left out")
    options = parser.parse_args()

    consumer = Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": options.group,
            "auto.offset.reset": "earliest",  # a new group begins with the oldest message
        }
    )
    consumer.subscribe([options.topic])
    try:
        read(consumer, options.count)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
