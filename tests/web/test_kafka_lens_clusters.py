"""The lens on a cluster that wants TLS and a password, and on one that has lost a broker."""

from __future__ import annotations

import time

import pytest

from tests.waiting import until
from tests.web.lens import FLOW, Lens, services


@pytest.fixture
def locked(server, secured):
    """The lens of a connection that logs in with a password from a file."""
    (server.flows / "password.txt").write_text("flow-password")
    properties = {
        "bootstrap_servers": secured.bootstrap,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "tls_ca_file": secured.client_options()["ssl_cafile"],
        "sasl_username": "flow",
        "sasl_password": "#{password}",
    }
    flow = services("")
    flow["services"]["kafka"]["properties"] = properties
    flow["parameters"] = {"password": {"file": "password.txt", "sensitive": True}}
    server.create(FLOW, flow)
    return Lens(server)


def test_every_question_logs_in_and_no_answer_holds_the_password(locked):
    assert locked.ask("POST", "topics", json={"name": "seen"}).status_code == 201
    locked.write("seen", "x", key="k")
    assert [one["value"] for one in locked.read("seen")] == ["x"]
    body = {"topic": "seen", "to": "earliest"}
    assert locked.ask("POST", "groups/readers/reset", json=body).status_code == 200
    for path in ("cluster", "topics", "topics/seen", "groups", "groups/readers"):
        answer = locked.ask("GET", path)
        assert answer.status_code == 200, answer.text
        assert "flow-password" not in answer.text
    assert locked.ask("DELETE", "topics/seen?confirm=seen").status_code == 204


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_cluster_that_has_lost_a_broker_is_shown_as_it_is(server, kafka_cluster):
    server.create(FLOW, services(kafka_cluster.bootstrap))
    lens, topic = Lens(server), kafka_cluster.create_topic(partitions=3)
    lens.write(topic, "x", partition=0)
    controller = lens.get("cluster")["controller"]
    lost = next(node for node in (1, 2, 3) if node != controller)
    kafka_cluster.cluster.kill(lost)
    for path in ("cluster", "topics", f"topics/{topic}", "groups"):
        began = time.monotonic()
        assert lens.ask("GET", path).status_code == 200, path
        assert time.monotonic() - began < 10

    def brief():
        (found,) = [one for one in lens.get("topics")["topics"] if one["name"] == topic]
        return found

    until(lambda: brief()["under_replicated"] == 3, "the copies to be missed")
    assert lost not in [one["id"] for one in lens.get("cluster")["brokers"]]
    assert all(lost not in one["in_sync"] for one in lens.get(f"topics/{topic}")["partitions"])
    until(lambda: brief()["records"] == 1, "other brokers to lead")
    assert lens.get("cluster")["controller"] == controller
