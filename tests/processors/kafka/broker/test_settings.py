from pathlib import Path

from processors.kafka.broker.ports import RANGE, free_ports
from processors.kafka.broker.security import Security
from processors.kafka.broker.settings import NodePorts, node_settings, properties_text

PORTS = [NodePorts(1, 2, 3), NodePorts(4, 5, 6), NodePorts(7, 8, 9)]


def settings_of(nodes=1, security=None, **extra):
    place = Path("/data/node-1")
    return node_settings(1, PORTS[:nodes], place, security or Security(), extra)


def test_everything_listens_on_loopback():
    settings = settings_of()
    assert settings["listeners"] == (
        "CLIENT://127.0.0.1:1,INTERNAL://127.0.0.1:2,CONTROLLER://127.0.0.1:3"
    )
    assert settings["advertised.listeners"] == "CLIENT://127.0.0.1:1,INTERNAL://127.0.0.1:2"


def test_one_broker_keeps_one_copy():
    settings = settings_of()
    assert (settings["default.replication.factor"], settings["min.insync.replicas"]) == ("1", "1")


def test_three_brokers_keep_three_copies_of_which_two_must_be_in_sync():
    settings = settings_of(nodes=3)
    assert (settings["default.replication.factor"], settings["min.insync.replicas"]) == ("3", "2")
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:3,2@127.0.0.1:6,3@127.0.0.1:9"


def test_a_setting_of_the_user_wins():
    assert settings_of(**{"num.io.threads": "7"})["num.io.threads"] == "7"


def test_only_the_clients_listener_asks_for_a_password():
    settings = settings_of(security=Security("sasl_plaintext", "ann", 'qu"ote'))
    assert settings["listener.security.protocol.map"] == (
        "CLIENT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT"
    )
    jaas = settings["listener.name.client.plain.sasl.jaas.config"]
    assert jaas.endswith('PlainLoginModule required user_ann="qu\\"ote";')


def test_a_password_is_not_on_the_command_line():
    options = Security("sasl_ssl", "ann", "hush").format_options()
    assert "name=ann" in options[1]
    assert "hush" not in options[1]


def test_backslashes_survive_the_properties_file():
    assert properties_text({"b": "x\\y", "a": "1"}) == "a=1\nb=x\\\\y\n"


def test_free_ports_are_distinct_and_not_those_of_outgoing_connections():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(port in RANGE for port in ports)
