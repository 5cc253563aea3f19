"""``flowengine demo``, and the differences that it would report."""

import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass

import msgspec
import orjson
import pytest
import typer

from processors.kafka import demo
from processors.kafka.evidence import Message, Received, differences, read_topic, received

WANTED = {"Ada", "Bob"}
TOPIC = [Message(0, 0, "Ada"), Message(1, 0, "Bob")]
DASHBOARD = [Received(0, 0, "first", "Ada", ""), Received(1, 0, "second", "Bob", "")]
WAREHOUSE = [Received(0, 0, "warehouse", "Ada", ""), Received(1, 0, "warehouse", "Bob", "")]


def groups(dashboard=DASHBOARD, warehouse=WAREHOUSE):
    return {"dashboard": dashboard, "warehouse": warehouse}


@pytest.mark.kafka
@pytest.mark.slow
def test_it_prints_17_rows_proves_them_and_ends_with_0(tmp_path):
    line = [sys.executable, "-m", "flowengine", "demo", "--period", "100 ms"]
    done = subprocess.run(
        [*line, "--data-dir", str(tmp_path / "demo")],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "FLOWENGINE_KAFKA_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("│")[1:-1] for line in done.stdout.splitlines() if line.startswith("│")]
    assert len(rows) == len({row[0] for row in rows}) == 17
    assert {row[3].strip() for row in rows} == {"first", "second"}
    assert "shares the partitions: 2 and 1" in done.stdout
    assert "proved: every user is in the topic and in both groups, once." in done.stdout


def test_nothing_differs_when_lake_topic_and_groups_agree():
    assert differences(WANTED, TOPIC, groups()) == []


def test_a_message_that_is_missing_in_the_topic_is_a_difference():
    assert differences(WANTED, TOPIC[:1], groups()) == [
        "topic lacks Bob",
        "group dashboard: partition 1 offset 0 must be None; got 'Bob'",
        "group warehouse: partition 1 offset 0 must be None; got 'Bob'",
    ]


def test_a_user_whom_a_group_lacks_or_has_twice_is_a_difference():
    twice = [*WAREHOUSE[:1], msgspec.structs.replace(WAREHOUSE[0], offset=0)]
    assert differences(WANTED, TOPIC, groups(warehouse=twice)) == [
        "group warehouse lacks Bob",
        "group warehouse has twice Ada",
    ]


def test_a_stranger_and_a_wrong_place_are_differences():
    eve = Received(1, 0, "second", "Eve", "")
    assert differences(WANTED, TOPIC, groups(dashboard=[DASHBOARD[0], eve])) == [
        "group dashboard lacks Bob",
        "group dashboard has a stranger Eve",
        "group dashboard: partition 1 offset 0 must be 'Bob'; got 'Eve'",
    ]


def test_a_consumer_that_got_nothing_is_a_difference():
    alone = [DASHBOARD[0], msgspec.structs.replace(DASHBOARD[1], consumer="first")]
    assert differences(WANTED, TOPIC, groups(dashboard=alone)) == [
        "group dashboard must have two busy consumers; got ['first']"
    ]


def test_files_that_somebody_changed_are_seen(tmp_path):
    for each in DASHBOARD:
        path = tmp_path / f"{each.consumer}.p{each.partition}.o{each.offset}.json"
        path.write_bytes(orjson.dumps({"name": each.user}))
    assert differences(WANTED, TOPIC, groups(dashboard=received(tmp_path))) == []
    path.write_bytes(orjson.dumps({"name": "Eve"}))
    assert "group dashboard has a stranger Eve" in differences(
        WANTED, TOPIC, groups(dashboard=received(tmp_path))
    )


@dataclass
class Prepared:
    """A stage whose play is over, with what it found."""

    problems: list

    def __call__(self, *_):
        return self

    bootstrap = ""

    def kafka(self):
        return nullcontext()

    def play(self):
        return self.problems


@pytest.mark.parametrize("problems", [[], ["topic lacks Bob"]])
def test_any_difference_ends_the_command_with_1(problems, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(demo, "Stage", Prepared(problems))
    if not problems:
        demo.demo("1 sec", tmp_path)
        assert "proved:" in capsys.readouterr().out
        return
    with pytest.raises(typer.Exit) as ended:
        demo.demo("1 sec", tmp_path)
    assert ended.value.exit_code == 1
    assert capsys.readouterr().out == "difference: topic lacks Bob\n"


@pytest.mark.kafka
def test_a_message_that_somebody_adds_to_the_topic_is_seen(kafka):
    topic = kafka.create_topic(partitions=1)
    people = [(b"k", orjson.dumps({"name": name})) for name in ("Ada", "Bob", "Bob")]
    kafka.produce(topic, people)
    _, messages = read_topic(kafka.bootstrap, topic)
    assert messages == [Message(0, 0, "Ada"), Message(0, 1, "Bob"), Message(0, 2, "Bob")]
    assert "topic has twice Bob" in differences(WANTED, messages, groups())
