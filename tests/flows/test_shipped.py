"""Every flow in flows/ is a flow that a user may run, read and compare as it is."""

import re
from pathlib import Path

import pytest

from flowengine.definition import check_flow
from flowengine.definition.canonical import canonical
from flowengine.definition.model import FlowDefinition
from processors.kafka.evidence import received
from tests.flows.running import FLOWS
from tests.waiting import until

SHIPPED = sorted(FLOWS.glob("*.json"))
NAMES = [path.stem for path in SHIPPED]
RUN = {  # in which test, where not here
    "clickstream-join": "test_clickstream.py",
    "dead-letter": "test_dead_letter.py",
    "faker-producer": "",
    "read-data-lake": "",
    "send-modes": "test_replicated.py",
    "three-times": "test_three_times.py",
    "traffic-sensors": "test_windows.py",
    "user-sessions": "test_windows.py",
    "users-consumer": "",
    "users-producer": "",
    "warehouse": "test_warehouse.py",
}
MEANT = "output port 'out' must have an outgoing connection; got none"  # it is for other flows


def test_a_test_runs_each_of_them():
    assert sorted(RUN) == NAMES
    for test in filter(None, RUN.values()):
        assert (Path(__file__).parent / test).is_file()


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_it_validates_with_every_relationship_handled(path):
    flow, findings = check_flow(path)
    assert flow is not None
    assert [finding.message for finding in findings if finding.message != MEANT] == []


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_it_is_canonical_and_says_what_it_is_for(path):
    text = path.read_text(encoding="utf-8")
    definition = FlowDefinition.model_validate_json(text)
    assert canonical(definition) == text
    assert definition.name == path.stem
    assert re.fullmatch(r"[A-Z].{40,}\.", definition.description)


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_every_component_has_its_place_in_the_drawing(path):
    definition = FlowDefinition.model_validate_json(path.read_bytes())
    placed = set(definition.layout)
    assert {*definition.processors, *definition.groups} <= placed


@pytest.mark.kafka
def test_read_data_lake_counts_the_17_users(stage):
    assert "17 in = 17 out" in stage.complete("read-data-lake", rejects=stage.folder / "rejects")


@pytest.mark.kafka
def test_faker_producer_publishes_ten_people_and_logs_each_delivery(stage):
    topic = stage.kafka.unique("people")
    stage.complete("faker-producer", topic=topic)
    messages = stage.kafka.read_all(topic)
    assert len(messages) == 10
    assert len(stage.kafka.topic(topic).partitions) == 3
    log = (stage.folder / "faker-producer" / "logs" / "flow.log").read_text()
    assert log.count("delivered") == 10


@pytest.mark.kafka
def test_the_17_users_go_through_producer_and_consumer(stage):
    topic = stage.kafka.unique("users")
    output = stage.folder / "users"
    stage.complete("users-producer", topic=topic, period="10 ms", rejects=stage.folder / "rejects")
    assert len(stage.kafka.read_all(topic)) == 17
    given = {"topic": topic, "group": topic, "other_group": f"{topic}-2", "output": output}
    with stage.running("users-consumer", period="10 ms", **given) as run:
        until(lambda: run.alive() and len(received(output / "dashboard")) == 17, "17 users")
        assert run.stop() == 0, run.said()
