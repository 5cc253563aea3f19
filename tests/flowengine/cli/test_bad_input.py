"""What bad input gets: a message that names processor, property or value, and remedy; no loss."""

import pytest

from flowengine.definition.builder import Flow
from tests.flowengine.cli.kit import call, counted, running

ENDS = {"auto_terminate": ["success", "failure"]}
WRONG = {
    "unknown": (
        {"cuont": 1},
        "property 'cuont' must be a known one; did you mean 'count'?",
    ),
    "type": (
        {"count": "many"},
        "property 'count' must be a whole number; got 'many'",
    ),
    "parameter": (
        {"count": "#{many}"},
        "property 'count' must name a declared parameter; got '#{many}'; declare it, or write "
        "'##{' for the text",
    ),
}


def made(place, kind, name="user", settings=ENDS, count=5, **properties):
    """Five numbered FlowFiles into one processor."""
    flow = Flow("bad")
    fields = {"n": {"provider": "sequence"}}
    flow.add("generate", "GenerateRecords", count=count, schema=fields, attributes={"n": "n"})
    flow.add(name, kind, settings, **properties)
    flow.connect("generate", "success", name)
    flow.save(place / "bad.json")
    return place / "bad.json"


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_property_is_a_finding_with_its_place(shell, place, case):
    properties, message = WRONG[case]
    text = counted(place / "bad.json").read_text()
    ((name, value),) = properties.items()
    written = f'"{name}": {value}' if isinstance(value, int) else f'"{name}": "{value}"'
    (place / "bad.json").write_text(text.replace('"count": 10', written))
    result = shell("validate", "bad.json")
    assert result.code == 1
    place_of, _, said = result.out.rstrip("\n").partition(": ")
    assert place_of.startswith("bad.json:")
    assert said == f"processor 'generate' (GenerateRecords): {message}"


def test_a_name_that_no_flowfile_has_is_a_bulletin(shell, place):
    flow = made(place, "UpdateAttribute", attributes={"a": "{{ nn }}"})
    result = shell("run", flow, "--until-complete")
    assert result.out == "5 in = 0 out + 5 failed + 0 expired + 0 dropped + 0 queued\n"
    assert (
        "processor 'user' (UpdateAttribute): property 'attributes.a' expression '{{ nn }}' must "
        "read attributes that the FlowFile has; got no 'nn'; did you mean 'n'. The FlowFile and 4 "
        "more went to 'failure'"
    ) in result.err


def test_a_folder_that_cannot_be_written_is_a_bulletin(shell, place):
    (place / "file").write_text("no folder")
    flow = made(place, "PutFile", directory=str(place / "file" / "out"), filename="{{ n }}")
    result = shell("run", flow, "--until-complete")
    assert result.out == "5 in = 0 out + 5 failed + 0 expired + 0 dropped + 0 queued\n"
    assert "must be writable; got Not a directory. Check room and permissions" in result.err


def test_bad_files_are_said_with_their_lines_and_the_rest_flows(shell, place):
    lake = place / "lake"
    lake.mkdir()
    (lake / "a.ndjson").write_bytes(b'{"a":1}\n{"a":"\xff"}\n{"a":3}\n')
    (lake / "empty.ndjson").write_bytes(b"")
    (lake / "huge.ndjson").write_bytes(b'{"a":"' + b"x" * 17_000_000 + b'"}\n{"a":5}\n')
    flow = Flow("lake")
    flow.add("read", "ReadDataLake", {"auto_terminate": ["failure"]}, path=str(lake))
    flow.add("end", "UpdateAttribute", ENDS)
    flow.connect("read", "success", "end").save(place / "lake.json")
    result = shell("run", "lake.json", "--until-complete")
    assert result.out == "5 in = 3 out + 2 failed + 0 expired + 0 dropped + 0 queued\n"
    for message in (
        "line 2: line must be utf-8; got byte 0xff at 6. Set the property 'encoding'",
        "empty.ndjson' must hold records; got an empty file. It counts as read",
        "line 1: record must not be longer than 16777216 bytes; got a longer line",
    ):
        assert message in result.err


@pytest.mark.slow
def test_an_unreachable_broker_is_a_bulletin_and_everything_stays_queued(place):
    flow = Flow("away")
    flow.service("kafka", "KafkaConnection", bootstrap_servers="127.0.0.1:1")
    flow.add("generate", "GenerateRecords", count=5)
    flow.add("publish", "PublishKafka", ENDS, connection="kafka", topic="t")
    flow.connect("generate", "success", "publish").save(place / "away.json")
    with running("away.json", "--drain-timeout", "0 sec") as runner:
        status = call("status", "away.json")
        result = runner.end()
    assert result.code == 3
    assert result.out == "5 in = 0 out + 0 failed + 0 expired + 0 dropped + 5 queued\n"
    remedy = "is the broker running, and the port right? `flowengine kafka start` runs one"
    assert remedy in result.err
    assert remedy in status.out
