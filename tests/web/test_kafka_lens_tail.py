"""Writing a record by hand, and the live tail of a topic with its filters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.waiting import until
from tests.web.lens import FLOW, Lens, services


@pytest.fixture
def lens(server, kafka):
    server.create(FLOW, services(kafka.bootstrap))
    return Lens(server)


def values(records):
    return [one["value"] for one in records]


def next_record(events):
    return next(data for kind, data in events if kind == "record")


# -- writing -------------------------------------------------------------------------------------


def test_a_record_is_written_with_key_headers_and_partition(lens, kafka):
    topic = kafka.create_topic(partitions=2)
    now = time.time_ns() // 1000
    sent = lens.write(topic, "hällo", key="ann", headers={"from": "hand"}, partition=1)
    assert (sent["partition"], sent["offset"]) == (1, 0)
    assert abs(sent["timestamp"] - now) < 60_000_000
    (record,) = lens.read(topic)
    assert record.pop("timestamp") == sent["timestamp"]
    assert record == {
        "partition": 1,
        "offset": 0,
        "timestamp_type": "create",
        "key": "ann",
        "value": "hällo",
        "value_truncated": False,
        "headers": [["from", "hand"]],
        "size": 6,
    }


def test_bytes_are_written_and_shown_in_hexadecimal(lens, kafka):
    topic = kafka.create_topic()
    lens.write(topic, "ff00", key="fe", encoding="hex")
    (record,) = lens.read(topic)
    assert (record["value"], record["value_hex"]) == (None, "ff00")
    assert (record["key"], record["key_hex"]) == (None, "fe")


def test_a_value_of_null_is_a_tombstone(lens, kafka):
    topic = kafka.create_topic()
    lens.write(topic, None, key="gone")
    assert kafka.read_all(topic)[0].value is None
    (record,) = lens.read(topic)
    assert record["value"] is None
    assert "value_hex" not in record


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"value": "{", "encoding": "json"}, "value of a record must be json; got '{'"),
        ({"value": "xy", "encoding": "hex"}, "value of a record must be hex; got 'xy'"),
        ({"value": "x", "partition": 7}, "must be 0 to 0; got 7"),
        ({"value": "x" * 2_000_000}, "record must be one that topic"),
        ({"value": 3}, "request must follow the description"),
    ],
)
def test_a_record_that_cannot_be_written_is_refused(lens, kafka, body, says):
    topic = kafka.create_topic()
    status, detail = lens.refused("POST", f"topics/{topic}/records", json=body)
    assert status == 422
    assert says in detail
    assert kafka.read_all(topic) == []


# -- where a tail begins -------------------------------------------------------------------------


def test_a_tail_shows_what_is_written_from_now_on(lens, kafka):
    topic = kafka.create_topic()
    lens.write(topic, "before")
    with lens.tail(topic) as events:
        lens.write(topic, "after")
        assert next_record(events)["value"] == "after"


def test_a_tail_begins_at_an_offset_a_time_or_the_beginning(lens, kafka):
    topic = kafka.create_topic()
    sent = [lens.write(topic, str(number)) for number in range(4)]
    assert values(lens.read(topic)) == ["0", "1", "2", "3"]
    assert values(lens.read(topic, **{"from": "offset:2"})) == ["2", "3"]
    since = sent[3]["timestamp"]
    found = lens.read(topic, **{"from": str(since)})
    assert values(found) == [str(n) for n, one in enumerate(sent) if one["timestamp"] >= since]
    assert lens.read(topic, **{"from": str(since + 3_600_000_000)}) == []


def test_an_offset_that_is_not_there_is_said_to_be_another(lens, kafka):
    topic = kafka.create_topic()
    lens.write(topic, "x")
    with lens.tail(topic, **{"from": "offset:9", "limit": 1}) as events:
        assert next(events) == ("note", {"text": "partition 0 begins at 1: it holds 0 to 1"})
    answer = lens.refused("GET", f"topics/{topic}/tail", params={"from": "yesterday"})
    assert answer == (
        422,
        "tail must be from beginning, end, a time in µs or offset:N; got 'yesterday'",
    )


def test_a_bounded_read_ends_at_its_limit_and_never_shows_more(lens, kafka):
    topic = kafka.create_topic()
    kafka.produce(topic, [(None, b"%d" % n) for n in range(5000)])
    assert values(lens.read(topic, limit=1200)) == [str(n) for n in range(1200)]


def test_one_partition_is_read_where_one_is_chosen(lens, kafka):
    topic = kafka.create_topic(partitions=3)
    for number in range(3):
        lens.write(topic, str(number), partition=number)
    assert values(lens.read(topic, partition=2)) == ["2"]
    answer = lens.refused("GET", f"topics/{topic}/tail", params={"partition": 3})
    assert answer == (404, f"partition of kafka topic '{topic}' must be 0 to 2; got 3")


def test_positions_say_how_far_the_tail_is(lens, kafka):
    topic = kafka.create_topic(partitions=2)
    lens.write(topic, "x", partition=1)
    with lens.tail(topic, **{"from": "beginning"}) as events:
        next_record(events)
        wanted = {"0": {"at": 0, "end": 0}, "1": {"at": 1, "end": 1}}
        assert next(data for kind, data in events if kind == "position") == wanted


# -- filters -------------------------------------------------------------------------------------


@pytest.fixture
def people(lens, kafka):
    topic = kafka.create_topic()
    for name, age in (("ann", 31), ("bob", 7), ("anton", 31)):
        value = json.dumps({"user": {"name": name, "age": age}, "tags": [name]})
        lens.write(topic, value, key=name, headers={"initial": name[0]})
    lens.write(topic, "no JSON", key="zed")
    return topic


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        ({"key": "bob"}, ["bob"]),
        ({"key": "an*"}, ["ann", "anton"]),
        ({"key": "a.n"}, []),
        ({"header": "initial=b"}, ["bob"]),
        ({"header": "initial"}, ["ann", "bob", "anton"]),
        ({"header": "missing=b"}, []),
        ({"path": "$.user.age"}, ["ann", "bob", "anton"]),
        ({"path": "$.user.age", "equals": "31"}, ["ann", "anton"]),
        ({"path": "$.user.name", "equals": "bob"}, ["bob"]),
        ({"path": "$.tags[*]", "equals": '"ann"'}, ["ann"]),
        ({"path": "$.user.age", "equals": "31", "key": "*on"}, ["anton"]),
    ],
)
def test_a_tail_shows_what_fits_all_filters(lens, people, filters, keys):
    assert [one["key"] for one in lens.read(people, **filters)] == keys


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"path": "$.["}, "filter 'path' must be a JSON path such as $.user.name; got '$.['"),
        ({"path": "$[?match(@, '.*')]"}, "Filters in it are not taken here"),
        ({"equals": "1"}, "filter 'equals' must come with a 'path'; got none"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_before_anything_is_sent(lens, people, filters, says):
    status, detail = lens.refused("GET", f"topics/{people}/tail", params=filters)
    assert status == 422
    assert says in detail


# -- bounds --------------------------------------------------------------------------------------


def test_a_long_value_is_cut_at_a_whole_letter(lens, kafka):
    topic = kafka.create_topic()
    lens.write(topic, "x" + "ä" * 40_000)
    (record,) = lens.read(topic)
    assert record["value"] == "x" + "ä" * 32_767
    assert (record["value_truncated"], record["size"]) == (True, 80_001)


def test_more_than_a_person_can_read_is_counted_and_passed_over(lens, kafka):
    topic = kafka.create_topic()
    kafka.produce(topic, [(None, b"x")] * 20_000)
    shown, passed = 0, 0
    with lens.tail(topic, **{"from": "beginning"}) as events:
        for kind, data in events:
            shown += kind == "record"
            passed += data.get("passed", 0) if kind == "note" else 0
            if kind == "position" and data["0"]["at"] == 20_000 and passed:
                break
    assert shown + passed == 20_000
    assert shown < 10_000


def lens_pid(server):
    """The pid of the server's lens process."""
    asked = ["ps", "-eo", "pid,ppid,args"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 2) for line in found.splitlines() if "web.lens_process" in line]
    (pid,) = [int(pid) for pid, parent, _ in lines if int(parent) == server.process.pid]
    return pid


def sockets(server):
    """How many sockets the server's lens process has open."""
    found = 0
    for link in Path(f"/proc/{lens_pid(server)}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += os.readlink(link).startswith("socket:")
    return found


def test_a_tail_ends_with_its_browser_and_leaves_no_group(lens, kafka, server):
    topic, groups = kafka.create_topic(), lens.get("groups")
    quiet = sockets(server)
    with lens.tail(topic) as events:
        assert next(events)[0] == "position"
        assert sockets(server) > quiet
    until(lambda: sockets(server) == quiet, "the tail's connections to be closed")
    assert lens.get("groups") == groups


def test_a_browser_that_takes_nothing_is_dropped(lens, kafka, server):
    topic = kafka.create_topic()
    kafka.produce(topic, [(None, b"x" * 60_000)] * 1000)
    lens.get("cluster")
    quiet = sockets(server)
    with lens.tail(topic, **{"from": "beginning"}):
        until(lambda: sockets(server) > quiet, "the tail to begin")
        until(lambda: sockets(server) == quiet, "the tail to be given up")


def test_a_crash_of_the_lens_process_ends_the_tail_and_the_next_question_starts_another(
    lens, kafka, server
):
    topic = kafka.create_topic()
    with lens.tail(topic) as events:
        next(events)
        os.kill(lens_pid(server), signal.SIGKILL)
        assert list(events) is not None
    assert lens.get("cluster")["brokers"]
