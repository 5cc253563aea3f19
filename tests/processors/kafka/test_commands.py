"""``flowengine kafka topics|groups|produce|consume`` against a real broker."""

import re

import pytest
from aiokafka import AIOKafkaConsumer
from typer.testing import CliRunner

from processors.kafka import admin
from processors.kafka.broker.ports import free_ports
from processors.kafka.commands import app
from tests.flows.topics import Given, send

COMMANDS = ["start", "stop", "status", "fetch", "topics", "groups", "produce", "consume"]


def call(*arguments, text=None):
    return CliRunner().invoke(app, list(arguments), input=text)


@pytest.fixture
def run(kafka):
    """Run a command against the test broker: exit code, standard output, standard error."""

    def ran(*arguments, text=None):
        result = call(*arguments, "--bootstrap", kafka.bootstrap, text=text)
        return result.exit_code, result.stdout, result.stderr

    return ran


def rows(printed):
    """The cells of every printed line, split where two spaces or more stand between them."""
    return [re.split(r"\s{2,}", line.strip()) for line in printed.splitlines() if line.strip()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_text_shows_an_example(command):
    assert f"flowengine kafka {command}" in call(command, "--help").output


def test_a_topic_is_made_listed_and_deleted(kafka, run):
    name = kafka.unique()
    assert run("topics", "--create", name, "--partitions", "3") == (
        0,
        f"topic {name} created with 3 partitions\n",
        "",
    )
    assert [name, "3", "1"] in rows(run("topics")[1])
    assert run("topics", "--delete", name, "--yes") == (0, f"topic {name} deleted\n", "")
    assert name not in run("topics")[1]


def test_deleting_asks_first(kafka, run):
    name = kafka.create_topic()
    code, out, _ = run("topics", "--delete", name, text="n\n")
    assert code == 1
    assert f"Delete topic {name} with all its messages?" in out
    assert name in run("topics")[1]


def test_a_topic_shows_its_partitions_and_offsets(kafka, run):
    name = kafka.create_topic(partitions=2)
    kafka.produce(name, [(b"a", b"1"), (b"a", b"2")])
    head, _, *partitions = rows(run("topics", name)[1])
    assert head == ["partition", "leader", "replicas", "in sync", "begin", "end", "messages"]
    assert [row[0] for row in partitions] == ["0", "1"]
    assert sorted(int(row[-1]) for row in partitions) == [0, 2]
    assert {tuple(row[1:5]) for row in partitions} == {("1", "1", "1", "0")}


def test_a_topic_can_be_made_with_settings_of_its_own(kafka, run):
    name = kafka.unique("stamped")
    setting = "message.timestamp.type=LogAppendTime"
    assert run("topics", "--create", name, "--config", setting)[0] == 0
    send(kafka, name, [Given(b"1", timestamp=1000)])
    [message] = kafka.read_all(name)
    assert message.timestamp > 1_600_000_000_000  # when Kafka received it
    code, _, err = run("topics", "--create", name, "--config", "retention")
    assert code == 2
    assert err == "error: kafka option '--config' must be name=value; got 'retention'\n"


def test_a_missing_topic_is_named_with_the_command_that_makes_it(kafka, run):
    name = kafka.unique("missing")
    for command in (["topics", name], ["topics", "--delete", name, "--yes"], ["consume", name]):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert re.fullmatch(
            f"error: kafka topic '{name}' must exist; got only .*; create it with "
            f"`flowengine kafka topics --create {name} --partitions 3`\n",
            err,
        )


def test_looking_at_a_missing_topic_does_not_make_it(kafka, run):
    name = kafka.unique("missing")
    run("topics", name)
    run("produce", name, "--value", "x")
    assert name not in run("topics")[1]


def test_a_topic_that_exists_cannot_be_made_again(kafka, run):
    name = kafka.create_topic()
    assert run("topics", "--create", name)[2] == (
        f"error: kafka topic '{name}' must be one that can be created; "
        f"got Topic '{name}' already exists\n"
    )


def test_more_copies_than_brokers_are_refused_in_the_brokers_words(kafka, run):
    code, _, err = run("topics", "--create", kafka.unique(), "--replication", "3")
    assert code == 2
    assert "The target replication factor of 3 cannot be reached" in err


def test_lines_of_standard_input_become_messages(kafka, run):
    name = kafka.create_topic()
    assert run("produce", name, text="one\ntwo\n") == (0, f"2 messages sent to {name}\n", "")
    assert [message.value for message in kafka.read_all(name)] == [b"one", b"two"]


def test_keys_stand_before_the_separator_or_in_an_option(kafka, run):
    name = kafka.create_topic()
    run("produce", name, "--key-separator", ":", text="ann:1\nbob:2:3\n")
    run("produce", name, "--key", "eve", "--value", "4", "--value", "5")
    assert [(each.key, each.value) for each in kafka.read_all(name)] == [
        (b"ann", b"1"),
        (b"bob", b"2:3"),
        (b"eve", b"4"),
        (b"eve", b"5"),
    ]


def test_a_line_without_the_separator_is_refused(kafka, run):
    assert run("produce", kafka.create_topic(), "--key-separator", ":", text="plain\n")[2] == (
        "error: kafka message must hold the separator ':'; got none\n"
    )


def test_messages_are_printed_with_partition_offset_key_value_and_time(kafka, run):
    name = kafka.create_topic()
    kafka.produce(name, [(b"ann", b"1"), (None, b"\xff")])
    code, out, _ = run("consume", name, "--until-end")
    first, second = (line.split("\t") for line in out.splitlines())
    assert code == 0
    assert first[:4] == ["0", "0", "ann", "1"]
    assert second[:4] == ["0", "1", "-", "\\xff"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first[4])


def test_headers_follow_when_they_are_asked_for(kafka, run):
    name = kafka.create_topic()
    headers = (("window.start", b"2024-01-01"), ("empty", None))
    send(kafka, name, [Given(b"1", headers=headers)])
    assert "window.start" not in run("consume", name, "--until-end")[1]
    _, out, _ = run("consume", name, "--until-end", "--headers")
    assert out.rstrip("\n").split("\t")[5:] == ["window.start=2024-01-01", "empty=-"]


def test_reading_can_begin_at_an_offset_and_stop_after_some(kafka, run):
    name = kafka.create_topic()
    kafka.produce(name, [(None, b"%d" % number) for number in range(10)])
    _, out, _ = run("consume", name, "--from", "4", "--max", "3")
    assert [line.split("\t")[3] for line in out.splitlines()] == ["4", "5", "6"]


def test_reading_an_empty_topic_to_its_end_prints_nothing(kafka, run):
    assert run("consume", kafka.create_topic(partitions=3), "--until-end") == (0, "", "")


def test_reading_from_the_end_to_the_end_prints_nothing(kafka, run):
    name = kafka.create_topic()
    kafka.produce(name, [(None, b"old")])
    assert run("consume", name, "--from", "end", "--until-end") == (0, "", "")


def test_one_partition_can_be_read_alone(kafka, run):
    name = kafka.create_topic(partitions=3)
    kafka.produce(name, [(b"%d" % number, b"v") for number in range(20)])
    _, out, _ = run("consume", name, "--partition", "1", "--until-end")
    assert {line.split("\t")[0] for line in out.splitlines()} == {"1"}


def test_a_partition_that_is_not_there_is_named(kafka, run):
    name = kafka.create_topic(partitions=3)
    assert run("consume", name, "--partition", "3")[2] == (
        f"error: kafka partition of topic '{name}' must be 0 to 2; got 3\n"
    )


def test_an_offset_that_is_not_there_is_an_error(kafka, run):
    name = kafka.create_topic()
    code, _, err = run("consume", name, "--from", "99", "--max", "1")
    assert code == 2
    assert "must accept the request; got OffsetOutOfRangeError" in err


def test_a_group_goes_on_where_it_stopped(kafka, run):
    name, group = kafka.create_topic(), kafka.unique("group")
    kafka.produce(name, [(None, b"%d" % number) for number in range(5)])
    options = ("consume", name, "--group", group)
    assert len(run(*options, "--max", "2")[1].splitlines()) == 2
    _, out, _ = run(*options, "--until-end")
    assert [line.split("\t")[3] for line in out.splitlines()] == ["2", "3", "4"]


def test_a_group_shows_what_it_committed_and_its_lag(kafka, run):
    name, group = kafka.create_topic(), kafka.unique("group")
    kafka.produce(name, [(None, b"%d" % number) for number in range(5)])
    run("consume", name, "--group", group, "--max", "2")
    assert group in run("groups")[1].splitlines()
    code, out, _ = run("groups", group)
    assert code == 0
    assert out.splitlines()[0] == f"group {group}: Empty, lag 3"
    assert [name, "0", "2", "5", "3", "-"] in rows(out)
    assert "no members" in out


async def test_members_of_a_group_show_their_partitions_and_idle_ones_as_idle(kafka):
    name, group = kafka.create_topic(), kafka.unique("group")
    options = {"bootstrap_servers": kafka.bootstrap, "group_id": group}
    options["heartbeat_interval_ms"] = 300
    async with (
        AIOKafkaConsumer(name, client_id="first", **options) as first,
        AIOKafkaConsumer(name, client_id="second", **options) as second,
    ):
        await first.getmany(timeout_ms=10)
        await second.getmany(timeout_ms=10)
        found = await admin.describe_group(kafka.bootstrap, group)
    assert [member.client_id for member in found.members] == ["first", "second"]
    assert sorted(member.partitions for member in found.members) == [(), ((name, 0),)]
    assert sorted(member.idle for member in found.members) == [False, True]


def test_a_missing_group_is_named(kafka, run):
    name = kafka.unique("missing")
    code, _, err = run("groups", name)
    assert code == 2
    assert err.startswith(f"error: kafka group '{name}' must exist; got only ")


def test_a_cluster_that_cannot_be_reached_is_named():
    address = f"127.0.0.1:{free_ports(1)[0]}"
    result = call("topics", "--bootstrap", address)
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: kafka at '{address}' must be reachable; got no connection; check the address, "
        "and that the broker runs (`flowengine kafka status`)\n"
    )


def test_local_without_a_broker_says_how_to_start_one(monkeypatch, tmp_path):
    monkeypatch.setenv("FLOWENGINE_KAFKA_HOME", str(tmp_path))
    result = call("topics")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: kafka broker 'local' must be running; got none; run `flowengine kafka start`\n",
    )


@pytest.mark.parametrize("place", ["start", "-1", "1.5"])
def test_a_place_to_begin_that_is_none_is_refused(place):
    result = call("consume", "topic", "--from", place, "--bootstrap", "nowhere:1")
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: kafka option '--from' must be 'beginning', 'end' or an offset; got '{place}'\n",
    )


def test_a_group_decides_itself_what_is_read():
    options = ("--group", "g", "--partition", "1", "--bootstrap", "nowhere:1")
    result = call("consume", "topic", *options)
    assert (result.exit_code, result.stderr) == (
        2,
        "error: kafka option '--group' must stand without '--partition' and without an offset; "
        "got both; the group decides who reads what, and from where\n",
    )
