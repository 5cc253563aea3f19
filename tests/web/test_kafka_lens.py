"""The Kafka lens on a real broker: cluster, topics, who uses them, and what is refused."""

from __future__ import annotations

import socket
import time

import pytest

from tests.web.lens import FLOW, Lens, services


@pytest.fixture
def lens(server, kafka):
    server.create(FLOW, services(kafka.bootstrap))
    return Lens(server)


def test_the_brokers_are_listed_though_the_flow_has_never_run(lens, kafka):
    host, _, port = kafka.bootstrap.rpartition(":")
    found = lens.get("cluster")
    assert found["cluster_id"]
    assert found["controller"] == 1
    assert found["brokers"] == [
        {"id": 1, "host": host, "port": int(port), "rack": None, "controller": True}
    ]


def test_topics_show_partitions_copies_records_and_bytes(lens, kafka):
    topic = kafka.create_topic(partitions=3)
    kafka.produce(topic, [(b"a", b"x" * 100), (b"b", b"y")])
    (found,) = [one for one in lens.get("topics")["topics"] if one["name"] == topic]
    assert found.pop("size") > 100
    assert found == {
        "name": topic,
        "internal": False,
        "partitions": 3,
        "replication": 1,
        "under_replicated": 0,
        "records": 2,
    }


def test_kafkas_own_topics_are_shown_on_demand(lens, kafka):
    lens.ask("DELETE", "groups/makes-kafka-create-its-own-topic")
    names = [one["name"] for one in lens.get("topics", internal=True)["topics"] if one["internal"]]
    assert "__consumer_offsets" in names
    assert not [one for one in lens.get("topics")["topics"] if one["internal"]]


def test_a_topic_shows_each_partition_with_leader_copies_and_offsets(lens, kafka):
    topic = kafka.create_topic(partitions=2)
    lens.write(topic, "x", partition=1)
    first, second = lens.get(f"topics/{topic}")["partitions"]
    assert first == {
        "partition": 0,
        "leader": 1,
        "replicas": [1],
        "in_sync": [1],
        "first": 0,
        "end": 0,
        "size": 0,
    }
    assert (second["partition"], second["first"], second["end"]) == (1, 0, 1)
    assert second["size"] > 0


def test_a_topic_is_made_with_its_settings_and_deleted_after_confirmation(lens, kafka):
    topic = kafka.unique()
    wanted = {"name": topic, "partitions": 2, "config": {"retention.ms": "1234"}}
    made = lens.ask("POST", "topics", json=wanted)
    assert made.status_code == 201, made.text
    found = lens.get(f"topics/{topic}")
    (retention,) = [one for one in found["config"] if one["name"] == "retention.ms"]
    assert (retention["value"], retention["default"]) == ("1234", False)
    assert lens.refused("DELETE", f"topics/{topic}?confirm=other") == (
        422,
        f"deleting must be confirmed by the name '{topic}'; got 'other'",
    )
    assert lens.ask("DELETE", f"topics/{topic}?confirm={topic}").status_code == 204
    assert lens.refused("GET", f"topics/{topic}")[0] == 404


@pytest.mark.parametrize(
    ("wanted", "status", "says"),
    [
        ({"replication_factor": 3}, 422, "cannot be reached"),
        ({"config": {"no.such.setting": "1"}}, 422, "no.such.setting"),
        ({"partitions": 0}, 422, "must follow the description"),
    ],
)
def test_a_topic_that_cannot_be_made_is_refused_in_the_brokers_words(
    lens, kafka, wanted, status, says
):
    found = lens.refused("POST", "topics", json={"name": kafka.unique(), **wanted})
    assert found[0] == status
    assert says in found[1]


def test_a_topic_that_exists_is_a_conflict(lens, kafka):
    topic = kafka.create_topic()
    assert lens.refused("POST", "topics", json={"name": topic}) == (
        409,
        f"kafka topic '{topic}' must be new; got one that exists",
    )


def test_looking_at_a_missing_topic_does_not_make_it(lens, kafka):
    topic = kafka.unique("missing")
    for method, path, body in [
        ("GET", f"topics/{topic}", None),
        ("GET", f"topics/{topic}/tail", None),
        ("POST", f"topics/{topic}/records", {"value": "x"}),
        ("DELETE", f"topics/{topic}?confirm={topic}", None),
    ]:
        status, detail = lens.refused(method, path, json=body)
        assert (status, detail.partition(";")[0]) == (404, f"kafka topic '{topic}' must exist")
    assert topic not in [one["name"] for one in lens.get("topics")["topics"]]


# -- who uses a topic ----------------------------------------------------------------------------


def flow_with(bootstrap, **processors):
    return {**services(bootstrap), "name": "other", "processors": processors}


def publish(topic):
    return {"type": "PublishKafka", "properties": {"connection": "kafka", "topic": topic}}


def consume(**topics):
    common = {"connection": "kafka", "group_id": "g", "auto_offset_reset": "earliest"}
    return {"type": "ConsumeKafka", "properties": {**common, **topics}}


def used_by(lens, topic):
    found = lens.get(f"topics/{topic}")["used_by"]
    return sorted((one["flow"], one["processor"], one["reads"], one["writes"]) for one in found)


def test_a_topic_names_the_processors_of_all_flows_that_use_it(lens, kafka, server):
    topic = kafka.create_topic()
    writer = flow_with(kafka.bootstrap, put=publish(topic), other=publish(f"{topic}-other"))
    reader = flow_with(
        kafka.bootstrap, some=consume(topics=[topic, "x"]), like=consume(topic_pattern=f"{topic}.*")
    )
    server.create("writer", writer)
    server.create("reader", reader)
    assert used_by(lens, topic) == [
        ("reader", "like", True, False),
        ("reader", "some", True, False),
        ("writer", "put", False, True),
    ]


def test_a_topic_that_a_parameter_names_is_found_also_in_a_flow_with_a_mistake(lens, kafka, server):
    topic = kafka.create_topic()
    flow = flow_with(kafka.bootstrap, put=publish("#{to}"), wrong={"type": "NoSuchThing"})
    server.create("one", {**flow, "parameters": {"to": {"value": topic}}})
    assert used_by(lens, topic) == [("one", "put", False, True)]


def test_a_topic_of_the_same_name_in_another_cluster_is_another_topic(lens, kafka, server):
    topic = kafka.create_topic()
    server.create("elsewhere", flow_with("127.0.0.1:9", put=publish(topic)))
    assert used_by(lens, topic) == []


# -- what cannot be reached ----------------------------------------------------------------------


def test_a_broker_that_does_not_run_is_a_502_that_names_the_step(server):
    server.create(FLOW, services("127.0.0.1:9"))
    began = time.monotonic()
    status, detail = Lens(server).refused("GET", "topics")
    assert status == 502
    assert detail.startswith("kafka at '127.0.0.1:9' must pass the step 'tcp connection'; got ")
    assert time.monotonic() - began < 10


def test_an_address_that_never_answers_is_a_502_within_ten_seconds(server):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        server.create(FLOW, services(address))
        began = time.monotonic()
        status, detail = Lens(server).refused("GET", "cluster")
    assert time.monotonic() - began < 10
    assert (status, detail.partition("; got")[0]) == (
        502,
        f"kafka at '{address}' must pass the step 'login and metadata'",
    )


def test_one_cluster_that_hangs_holds_up_no_question_about_another(server, kafka):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        hanging = {"type": "KafkaConnection", "properties": {}}
        hanging["properties"] = {"bootstrap_servers": f"127.0.0.1:{mute.getsockname()[1]}"}
        server.create(FLOW, services(kafka.bootstrap, hanging=hanging))
        url = f"/api/v1/kafka/{FLOW}/hanging/topics/x/tail"
        with server.client(dict(server.http.headers)) as impatient:
            impatient.timeout = 1
            with pytest.raises(Exception, match="timed out"):
                impatient.get(url)
            began = time.monotonic()
            assert Lens(server).get("topics")
            assert server.get("/catalogue")
    assert time.monotonic() - began < 3


def test_a_wrong_password_is_a_502_that_tells_no_secret(server, kafka):
    properties = {
        "bootstrap_servers": kafka.bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_username": "ann",
        "sasl_password": "#{password}",
    }
    flow = services(kafka.bootstrap, locked={"type": "KafkaConnection", "properties": properties})
    (server.flows / "password.txt").write_text("hidden-word")
    flow["parameters"] = {"password": {"file": "password.txt", "sensitive": True}}
    server.create(FLOW, flow)
    answer = Lens(server, "locked").ask("GET", "topics")
    assert answer.status_code == 502
    assert "'login and metadata'" in answer.json()["detail"]
    assert "hidden-word" not in answer.text


def test_what_is_no_kafka_connection_cannot_be_asked(server, kafka):
    server.create(FLOW, services(kafka.bootstrap))
    assert Lens(server, "other").refused("GET", "topics") == (
        404,
        "flow must have the service 'other'; got only kafka",
    )
    assert Lens(server, flow="nowhere").refused("GET", "topics")[0] == 404


def test_a_service_with_a_mistake_is_refused_with_its_problems(server):
    server.create(FLOW, services("no port"))
    answer = Lens(server).ask("GET", "topics")
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "service 'kafka' must be valid; got problems",
    )
    assert answer.json()["problems"][0]["property"] == "properties.bootstrap_servers"


def test_the_draft_is_asked_before_it_is_deployed(server, kafka):
    server.create(FLOW, services("127.0.0.1:9"))
    path = ["properties", "bootstrap_servers"]
    edit = {"op": "set", "kind": "services", "id": "kafka", "path": path, "value": kafka.bootstrap}
    server.edit(FLOW, 0, edit)
    assert Lens(server).get("cluster")["brokers"]


def test_a_service_inside_a_group_is_asked_by_its_path(server, kafka):
    flow = services(kafka.bootstrap)
    server.create(
        FLOW, {"format": 1, "name": FLOW, "groups": {"inner": {"services": flow["services"]}}}
    )
    assert Lens(server, "inner/kafka").get("cluster")["brokers"]
