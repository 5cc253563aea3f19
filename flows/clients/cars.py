"""Ten minutes of cars to a Kafka topic, each with the time at which it passed.

    python flows/clients/cars.py --bootstrap localhost:9092 --topic cars

They began half an hour ago and come up to 30 seconds out of order, as from sensors with a bad
network. With `--late` there is one more car, of the second minute, long after it is over.
"""

import argparse
import asyncio
import json
import random
import time

from aiokafka import AIOKafkaProducer

SENSORS = ("A1", "B1", "C2")  # in three partitions, one each
MINUTE = 60_000  # Kafka's timestamps are milliseconds
DELAY = 30_000


def cars(begin):
    """Cars (time, sensor, speed) in the order in which they arrive."""
    dice = random.Random(1)
    found = []
    for sensor in SENSORS:
        for second in range(2, 600, 4):  # in each minute there are some
            moment = begin + 1000 * second + dice.randrange(1000)
            found.append((moment + dice.randrange(DELAY), moment, sensor, dice.randrange(30, 90)))
    return [car[1:] for car in sorted(found)]


async def produce(bootstrap, topic, passed):
    """Send cars, keyed by sensor; the timestamp of a message is when its car passed."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for moment, sensor, speed in passed:
            value = json.dumps({"sensor": sensor, "speed": speed}).encode()
            await producer.send(topic, value, key=sensor.encode(), timestamp_ms=moment)
    print(f"{len(passed)} cars sent to {topic}")


def main():
    """Read the options and send."""
    parser = argparse.ArgumentParser(description="Send cars of ten minutes to a Kafka topic.")
    parser.add_argument("--bootstrap", default="localhost:9092", help="host:port of a broker")
    parser.add_argument("--topic", default="cars")
    parser.add_argument("--late", action="store_true", help="one car that is late instead")
    options = parser.parse_args()
    begin = (int(time.time()) // 60 - 30) * MINUTE
    passed = [(begin + MINUTE, "A1", 50)] if options.late else cars(begin)
    asyncio.run(produce(options.bootstrap, options.topic, passed))


if __name__ == "__main__":
    main()
