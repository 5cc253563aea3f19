"""traffic-sensors and user-sessions: the same windows as a batch over the same records."""

import random
from collections import defaultdict
from itertools import pairwise

import orjson
import pytest

from tests.flows.traffic import MINUTE, Car, Traffic, iso, long_ago
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
GAP = 30 * MINUTE


def by_arrival(rows, delays):
    """Rows (time, …) in the order in which they come in when each has its delay."""
    return [row for _, row in sorted(zip(delays, rows, strict=True), key=lambda p: p[0] + p[1][0])]


def test_cars_out_of_order_make_the_windows_of_a_batch_and_late_ones_their_topic(stage):
    traffic = Traffic(stage.kafka, seed=7)
    traffic.produce(3000)
    times = [car.moment for car in traffic.cars]
    assert any(later < earlier for earlier, later in pairwise(times))
    traffic.end()
    rejects = stage.folder / "rejects"
    with stage.running("traffic-sensors", rejects=rejects, **traffic.parameters) as run:
        until(lambda: run.alive() and traffic.is_complete("count"), "counts")
        until(lambda: run.alive() and traffic.is_complete("speed"), "speeds")
        traffic.send([Car(traffic.begin, "A0", 12.5)])
        until(lambda: run.alive() and len(traffic.late()) == 2, "the late car")
        assert run.stop() in (0, 3), run.said()
    assert traffic.windows("count") == traffic.truth("count")
    assert traffic.windows("speed") == traffic.truth("speed")
    assert traffic.late() == [("count", 12.5), ("speed", 12.5)]
    assert [path.read_bytes() for path in rejects.iterdir()] == [b"no car"] * 3


def events_of(pick, token, begin):
    """Events (time, user, token, type) of one token in order; some never log out."""
    moment, found = begin + pick.randrange(60 * MINUTE), []
    for step in range(pick.randrange(1, 8)):
        found.append((moment, f"page {step}"))
        moment += pick.choice([1, 5, 9, 40]) * MINUTE + pick.randrange(MINUTE)
    if pick.random() < 0.7:
        found.append((moment, "logout"))
    return [(at, f"user {token % 6}", f"token {token}", kind) for at, kind in found]


def sessions(rows, column, end=None):
    """Steps of the sessions of a user or a token, as a batch over everything."""
    keys = defaultdict(list)
    for row in sorted(rows):
        keys[row[column]].append(row)
    found = []
    for key, mine in keys.items():
        for before, row in pairwise([None, *mine]):
            if before is None or row[0] - before[0] > GAP or before[3] == end:
                found.append((key, []))
            found[-1][1].append(row[3])
    return sorted(found)


def lines(rows):
    for at, user, token, kind in rows:
        yield None, orjson.dumps({"user": user, "token": token, "type": kind, "at": iso(at)})


def test_sessions_by_token_and_by_gap_are_those_of_a_batch(stage):
    pick, begin = random.Random(11), long_ago(600)
    delays, rows = [], []
    for token in range(60):
        mine = events_of(pick, token, begin + pick.randrange(4) * 20 * MINUTE)
        rows += mine
        delays += [pick.randrange(4 * MINUTE)] * len(mine)  # a device is late as a whole
    arrived = by_arrival(rows, delays)
    assert arrived != sorted(rows)
    topic = stage.kafka.create_topic(stage.kafka.unique("events"))
    result = stage.kafka.create_topic(f"{topic}.sessions")
    end = (begin + 590 * MINUTE, "nobody", "none", "end")  # closes everything before it
    stage.kafka.produce(topic, [*lines([*arrived, end]), (None, b"?")])
    by_token, by_user = sessions(rows, 2, end="logout"), sessions(rows, 1)
    output = stage.folder / "sessions"
    with stage.running("user-sessions", topic=topic, group=topic, output=output) as run:
        until(lambda: len(list(output.glob("by-token/*"))) >= len(by_token), "by token")
        until(lambda: run.alive() and len(stage.kafka.read_all(result)) >= len(by_user), "by user")
        assert run.stop() in (0, 3), run.said()
    stored = [orjson.loads(path.read_bytes()) for path in output.glob("by-token/*")]
    assert sorted((one["token"], one["steps"]) for one in stored) == by_token
    published = stage.kafka.read_all(result)
    assert sorted((m.key.decode(), orjson.loads(m.value)["steps"]) for m in published) == by_user
    assert len(list(output.glob("invalid/*"))) == 1
    assert not (output / "late").exists()
