"""KafkaConnection: what may be written, and what a start says when a step does not work."""

import asyncio
import inspect
import socket
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from flowengine.errors import EnvironmentFault
from flowengine.io_loop import IoLoop
from flowengine.processor import ServiceContext
from processors.kafka.broker import Cluster, Security
from processors.kafka.client_properties import BY_KIND, ELSEWHERE
from processors.kafka.connection import KafkaConnection
from tests.processors.kafka.running import connection_to, consumer, publisher, trigger_until

CLIENTS = {
    "admin": AIOKafkaAdminClient,
    "consumer": AIOKafkaConsumer,
    "producer": AIOKafkaProducer,
}
LOGIN = {"sasl_username": "flow", "sasl_password": "flow-password"}


def service(**properties):
    return KafkaConnection(KafkaConnection.Properties.model_validate(properties))


def steps(connection):
    """Names and results of a verification, and the last message."""
    io = IoLoop()

    async def verify():
        return [step async for step in connection.verify(ServiceContext("kafka", io))]

    try:
        found = asyncio.run(verify())
    finally:
        io.stop()
    return [(step.name, step.ok) for step in found], found[-1].message


def enable(connection):
    io = IoLoop()

    async def enter():
        async with connection.on_enabled(ServiceContext("kafka", io)):
            return

    try:
        asyncio.run(enter())
    finally:
        io.stop()


def secured_service(cluster, **changes):
    return service(
        **{
            "bootstrap_servers": cluster.bootstrap,
            "security_protocol": "SASL_SSL",
            "tls_ca_file": cluster.client_options()["ssl_cafile"],
            **LOGIN,
            **changes,
        }
    )


# -- what may be written ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["admin", "consumer", "producer"])
def test_every_client_property_is_one_of_aiokafkas(kind):
    known = set(inspect.signature(CLIENTS[kind]).parameters)
    assert known >= BY_KIND[kind]


@pytest.mark.parametrize("kind", ["admin", "consumer", "producer"])
def test_every_property_of_aiokafka_is_allowed_or_set_elsewhere_or_made_of_code(kind):
    code = {
        "api_version",
        "key_deserializer",
        "key_serializer",
        "loop",
        "partition_assignment_strategy",
        "partitioner",
        "sasl_oauth_token_provider",
        "ssl_context",
        "topics",
        "value_deserializer",
        "value_serializer",
    }
    names = set(inspect.signature(CLIENTS[kind]).parameters)
    assert names - BY_KIND[kind] - set(ELSEWHERE) - code == set()


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"client_properties": {"request.timeout.ms": 5}},
            "must be one that aiokafka knows; got 'request.timeout.ms'; "
            "did you mean 'request_timeout_ms'?",
        ),
        (
            {"client_properties": {"group_id": "x"}},
            "must not be set here; got 'group_id'; use 'group_id' of ConsumeKafka",
        ),
        (
            {"bootstrap_servers": "somewhere"},
            "must be 'local' or host:port, comma separated; got 'somewhere'",
        ),
        (
            {"bootstrap_servers": "local,a:1"},
            "must be 'local' or host:port, comma separated; got 'local,a:1'",
        ),
        ({"security_protocol": "SASL_SSL"}, "must have 'sasl_username' for SASL_SSL"),
        (
            {"security_protocol": "SASL_SSL", "sasl_username": "me"},
            "must have 'sasl_password' for SASL_SSL",
        ),
    ],
)
def test_a_wrong_property_is_refused_with_the_remedy(properties, message):
    with pytest.raises(ValidationError) as caught:
        service(**properties)
    [error] = caught.value.errors()
    assert error["msg"] == message


def test_the_password_is_never_shown():
    connection = service(security_protocol="SASL_PLAINTEXT", bootstrap_servers="a:1", **LOGIN)
    assert "flow-password" not in repr(connection.properties)
    assert "flow-password" not in connection.properties.model_dump_json()


def test_a_client_gets_only_the_properties_that_it_takes():
    properties = {"request_timeout_ms": 7, "linger_ms": 5, "fetch_max_bytes": 3}
    connection = service(bootstrap_servers="a:1, b:2", client_properties=properties)
    assert connection.client_options("producer") == {
        "bootstrap_servers": "a:1,b:2",
        "security_protocol": "PLAINTEXT",
        "request_timeout_ms": 7,
        "linger_ms": 5,
    }


# -- what a start says --------------------------------------------------------------------------


def test_local_without_a_broker_says_how_to_start_one(monkeypatch, tmp_path):
    monkeypatch.setenv("FLOWENGINE_KAFKA_HOME", str(tmp_path))
    with pytest.raises(EnvironmentFault) as caught:
        enable(service())
    assert str(caught.value) == (
        "service 'kafka' (KafkaConnection) must pass the step 'configuration'; got kafka broker "
        "'local' must be running; got none; run `flowengine kafka start`"
    )


def test_a_name_that_nobody_knows_is_said():
    found, message = steps(service(bootstrap_servers="no-such-host.invalid:9092"))
    assert found == [("configuration", True), ("name resolution", False)]
    assert message.startswith("cannot resolve no-such-host.invalid:9092 (")
    assert message.endswith("); check the name and the DNS")


def test_a_port_where_nobody_listens_is_said():
    found, message = steps(service(bootstrap_servers="127.0.0.1:1"))
    assert found[-1] == ("tcp connection", False)
    assert message == (
        "cannot connect to 127.0.0.1:1 (ConnectionRefusedError: Connection refused); is the broker "
        "running, and the port right? `flowengine kafka start` runs one"
    )


def test_one_address_that_answers_is_enough(kafka):
    found, message = steps(service(bootstrap_servers=f"127.0.0.1:1,{kafka.bootstrap}"))
    assert found == [
        ("configuration", True),
        ("name resolution", True),
        ("tcp connection", True),
        ("login and metadata", True),
    ]
    assert message == "1 broker(s)"


def test_something_that_is_no_kafka_is_said():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        found, _ = steps(
            service(bootstrap_servers=address, client_properties={"request_timeout_ms": 300})
        )
    assert found[-1] == ("login and metadata", False)


def test_a_missing_ca_file_is_named():
    connection = service(
        bootstrap_servers="a:1", security_protocol="SSL", tls_ca_file="/no/such/ca.pem"
    )
    with pytest.raises(EnvironmentFault) as caught:
        connection.client_options()
    assert str(caught.value) == (
        "kafka connection TLS files must be readable PEM files; got '/no/such/ca.pem': "
        "No such file or directory"
    )


# -- TLS and login against a real broker ----------------------------------------------------------


@pytest.mark.kafka
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_tls_with_a_password_works(secured, mechanism):
    found, message = steps(secured_service(secured, sasl_mechanism=mechanism))
    assert [ok for _, ok in found] == [True] * 5
    assert message == "1 broker(s)"


@pytest.mark.kafka
def test_a_wrong_password_is_said_without_showing_it(secured):
    with pytest.raises(EnvironmentFault) as caught:
        enable(secured_service(secured, sasl_password="wrong-one"))
    message = str(caught.value)
    assert message.startswith(
        "service 'kafka' (KafkaConnection) must pass the step 'login and metadata'; got cannot "
        f"talk to {secured.bootstrap} (SaslAuthenticationFailed: "
    )
    assert message.endswith("; check 'security_protocol', the mechanism, user and password")
    assert "wrong-one" not in message


@pytest.mark.kafka
def test_an_authority_that_is_not_trusted_is_said(secured):
    found, message = steps(secured_service(secured, tls_ca_file=None))
    assert found[-1] == ("tls handshake", False)
    assert "certificate verify failed" in message
    assert message.endswith("; check 'tls_ca_file', the host name, and that this port speaks TLS")


@pytest.mark.kafka
def test_tls_at_a_port_without_tls_is_said(kafka):
    found, _ = steps(service(bootstrap_servers=kafka.bootstrap, security_protocol="SSL"))
    assert found[-1] == ("tls handshake", False)


@pytest.mark.kafka
def test_messages_go_to_and_come_from_a_secured_broker(secured):
    connection = secured_service(secured)
    with publisher("", "safe", service=connection, topic_partitions=1) as runner:
        runner.enqueue("secret")
        runner.run()
        assert len(runner.transferred("success")) == 1
    with consumer("", "safe", "g", service=connection) as runner:
        trigger_until(runner, lambda: bool(runner.transferred("success")))
        [flowfile] = runner.transferred("success")
        assert runner.content(flowfile) == b"secret"


@pytest.fixture(scope="module")
def mutual(tmp_path_factory):
    """A broker that wants a certificate of its clients, and a client's own with its key."""
    folder = tmp_path_factory.mktemp("kafka-mutual")
    certificate = client_certificate(folder)
    wanted = {
        "ssl.client.auth": "required",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificate),
    }
    properties = {f"listener.name.client.{name}": value for name, value in wanted.items()}
    with Cluster(folder / "broker", security=Security("ssl"), properties=properties) as made:
        yield made, folder


def client_certificate(folder):
    """A certificate that signs itself, and its key behind a password."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "flow")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (folder / "client.pem").write_bytes(
        made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    (folder / "client.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"of the key"),
        )
    )
    return folder / "client.pem"


def mutual_service(cluster, **files):
    authority = cluster.client_options()["ssl_cafile"]
    where = {"bootstrap_servers": cluster.bootstrap, "security_protocol": "SSL"}
    return service(**where, tls_ca_file=authority, **files)


@pytest.mark.kafka
@pytest.mark.slow
def test_a_client_shows_its_certificate_where_the_broker_asks(mutual):
    cluster, folder = mutual
    files = {
        "tls_certificate_file": str(folder / "client.pem"),
        "tls_key_file": str(folder / "client.key"),
    }
    found, _ = steps(mutual_service(cluster, **files, tls_key_password="of the key"))
    assert [ok for _, ok in found] == [True] * 5
    found, message = steps(mutual_service(cluster))
    assert found[-1] == ("login and metadata", False)
    found, message = steps(mutual_service(cluster, **files, tls_key_password="another one"))
    assert found[-1] == ("configuration", False)
    assert message.startswith("kafka connection TLS files must be readable PEM files; got ")
    assert "another one" not in message


@pytest.mark.skipif(find_spec("gssapi") is not None, reason="the package gssapi is there")
def test_kerberos_without_its_library_is_said():
    found, message = steps(
        service(bootstrap_servers="a:1", security_protocol="SASL_SSL", sasl_mechanism="GSSAPI")
    )
    assert found == [("configuration", False)]
    assert message.startswith(
        "kafka connection with the mechanism GSSAPI must have the package 'gssapi'"
    )


def test_a_service_of_another_kind_is_refused():
    from flowengine.errors import DefinitionError

    with publisher("", "t", service=object()) as runner, pytest.raises(DefinitionError) as caught:
        runner.start()
    assert str(caught.value) == (
        "processor 'processor' (PublishKafka): property 'connection' must name a KafkaConnection; "
        "got 'kafka', a object"
    )


def test_describing_a_connection_needs_no_client():
    assert connection_to("a:1").bootstrap() == "a:1"
