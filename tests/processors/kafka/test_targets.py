"""Which cluster a command is for: options, files, the connection of a flow; never a secret."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from flowengine.errors import DefinitionError
from processors.kafka.commands import app
from processors.kafka.targets import Target


def run(*words, text=None):
    result = CliRunner().invoke(app, list(words), input=text)
    return result.exit_code, result.stdout, result.stderr


def properties(**options):
    return Target(**options).connection().properties


def refusal(**options):
    with pytest.raises(DefinitionError) as refused:
        Target(**options).connection()
    return str(refused.value)


def flow_file(folder, **services):
    entries = {
        id: {"type": "KafkaConnection", "properties": given} for id, given in services.items()
    }
    path = folder / "flow.json"
    path.write_text(json.dumps({"format": 1, "name": "flow", "services": entries}))
    return str(path)


def test_without_options_it_is_the_local_broker():
    assert properties().bootstrap_servers == "local"


def test_properties_are_named_as_in_the_service_or_as_other_clients_write_them():
    pairs = ("security.protocol=SSL", "ssl.ca.location=/ca.pem", "request_timeout_ms=1234")
    found = properties(bootstrap="a:1", properties=pairs)
    assert (found.bootstrap_servers, found.security_protocol) == ("a:1", "SSL")
    assert found.tls_ca_file == "/ca.pem"
    assert found.client_properties == {"request_timeout_ms": 1234}


def test_a_secret_comes_from_a_file_and_the_command_line_wins_otherwise(tmp_path):
    file = tmp_path / "client.properties"
    file.write_text(
        "# mine\nbootstrap.servers=a:1\nsecurity.protocol=SASL_SSL\nsasl.username=ann\n"
        "sasl.password=hidden\n"
    )
    found = properties(file=file, properties=("sasl_username=bob",), bootstrap="b:2")
    assert (found.bootstrap_servers, found.sasl_username) == ("b:2", "bob")
    assert found.sasl_password.reveal() == "hidden"
    assert "hidden" not in repr(found)


def test_a_secret_on_the_command_line_is_refused_without_repeating_it():
    said = refusal(properties=("sasl.password=hidden",))
    assert said.startswith(
        "option '--property' must not carry the secret 'sasl_password', which other users of this "
        "machine could read; got one; write it into a file and use '--properties-file'"
    )
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"properties": ("securty_protocol=SSL",)},
            "option '--property' must name a property of a Kafka connection; "
            "got 'securty_protocol'; did you mean 'security_protocol'?",
        ),
        ({"properties": ("x",)}, "option '--property' must be name=value; got 'x'"),
        ({"service": "kafka"}, "option '--service' must come with '--flow'; got none"),
        (
            {"properties": ("security_protocol=SASL_SSL",)},
            "kafka connection must have 'sasl_username' for SASL_SSL",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(options, message):
    assert refusal(**options) == message


def test_the_only_connection_of_a_flow_need_not_be_named(tmp_path):
    flow = flow_file(tmp_path, kafka={"bootstrap_servers": "a:1"})
    assert properties(flow=flow).bootstrap_servers == "a:1"
    assert properties(flow=flow, service="kafka", bootstrap="b:2").bootstrap_servers == "b:2"


def test_one_of_several_connections_must_be_chosen(tmp_path):
    flow = flow_file(tmp_path, one={"bootstrap_servers": "a:1"}, two={"bootstrap_servers": "b:2"})
    assert properties(flow=flow, service="two").bootstrap_servers == "b:2"
    choose = "choose one with '--service'"
    assert refusal(flow=flow) == (
        f"flow {flow!r} must have one KafkaConnection; got one, two; {choose}"
    )
    assert refusal(flow=flow, service="three") == (
        f"flow {flow!r} must have the KafkaConnection 'three'; got one, two; {choose}"
    )


def test_a_flow_that_is_wrong_elsewhere_still_has_its_connection(tmp_path):
    path = flow_file(tmp_path, kafka={"bootstrap_servers": "a:1"}, bad={"bootstrap_servers": "?"})
    assert properties(flow=path, service="kafka").bootstrap_servers == "a:1"
    assert refusal(flow=path, service="bad").startswith(
        f"service 'bad' of flow {path!r} must be valid; got "
    )


# -- a cluster that wants TLS and a password ----------------------------------------------------


@pytest.fixture
def login(secured, tmp_path):
    """Options that log in, with the password in a file."""
    file = tmp_path / "client.properties"
    lines = {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": secured.client_options()["ssl_cafile"],
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": "flow",
        "sasl.password": "flow-password",
    }
    file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    return ["--bootstrap", secured.bootstrap, "--properties-file", str(file)]


def test_every_command_works_on_a_secured_cluster(login):
    code, _, err = run("topics", "--create", "safe", "--partitions", "2", *login)
    assert (code, err) == (0, "")
    assert run("produce", "safe", *login, text="one\n") == (0, "1 messages sent to safe\n", "")
    code, out, _ = run("consume", "safe", "--until-end", "--group", "readers", *login)
    assert (code, out.split("\t")[3]) == (0, "one")
    assert run("groups", "readers", *login)[1].startswith("group readers: Empty, lag 0\n")
    assert "safe" in run("topics", *login)[1]
    assert run("topics", "--delete", "safe", "--yes", *login)[0] == 0


def test_a_flows_connection_logs_in_with_the_flows_own_secret(secured, tmp_path, monkeypatch):
    monkeypatch.setenv("KAFKA_PASSWORD", "flow-password")
    given = {
        "bootstrap_servers": secured.bootstrap,
        "security_protocol": "SASL_SSL",
        "tls_ca_file": secured.client_options()["ssl_cafile"],
        "sasl_username": "flow",
        "sasl_password": "#{password}",
    }
    path = flow_file(tmp_path, kafka=given)
    flow = json.loads((tmp_path / "flow.json").read_text())
    flow["parameters"] = {"password": {"env": "KAFKA_PASSWORD", "sensitive": True}}
    (tmp_path / "flow.json").write_text(json.dumps(flow))
    assert run("groups", "--flow", path)[0] == 0


def test_without_login_a_secured_cluster_is_unreachable(secured):
    code, out, err = run("topics", "--bootstrap", secured.bootstrap)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: kafka at '{secured.bootstrap}' must be reachable; got no ")
