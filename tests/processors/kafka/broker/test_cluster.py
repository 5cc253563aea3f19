import re
import ssl
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import AuthenticationFailedError, KafkaConnectionError

from flowengine.errors import EnvironmentFault
from processors.kafka import admin
from processors.kafka.broker import Cluster, Security
from processors.kafka.broker.artifacts import class_path, jar_repository
from processors.kafka.broker.cluster import new_cluster_id, throw_away
from tests.kafka_fixtures import KafkaForTests

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache without class archives, beside the jars of the real one."""
    jars = jar_repository()
    class_path(jars)
    monkeypatch.setenv("FLOWENGINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FLOWENGINE_KAFKA_JARS", str(jars))
    return tmp_path / "cache"


async def test_topics_are_kept_from_one_start_to_the_next(tmp_path):
    async with Cluster(tmp_path) as cluster:
        await admin.create_topic(cluster.bootstrap, "kept", partitions=2)
        identity = cluster.cluster_id
    async with Cluster(tmp_path) as cluster:
        assert [topic.name for topic in await admin.list_topics(cluster.bootstrap)] == ["kept"]
        assert cluster.cluster_id == identity


def test_a_stopped_cluster_leaves_no_process(tmp_path):
    with Cluster(tmp_path) as cluster:
        process = cluster.nodes[0].identity
        assert process is not None
        assert process.alive
    assert not process.alive


def test_a_killed_broker_comes_back_on_its_port_with_its_messages(tmp_path):
    with Cluster(tmp_path) as cluster:
        kafka, before = KafkaForTests(cluster), cluster.bootstrap
        topic = kafka.create_topic()
        kafka.produce(topic, [(b"key", b"value")])
        cluster.kill(1)
        assert not cluster.nodes[0].running
        cluster.restart(1)
        assert cluster.bootstrap == before
        assert [(each.key, each.value) for each in kafka.read_all(topic)] == [(b"key", b"value")]


def test_a_broker_that_cannot_start_shows_its_last_log_lines(tmp_path):
    Cluster(tmp_path).prepare()  # formats the folder with good settings
    cluster = Cluster(tmp_path, properties={"num.io.threads": "many"})
    with pytest.raises(EnvironmentFault) as fault:
        cluster.start()
    first, *log = str(fault.value).splitlines()
    assert first == (
        f"kafka node 1 must answer on {cluster.bootstrap} within 60 s; got exit code 1; "
        f"the end of '{tmp_path}/node-1/broker.log' says why:"
    )
    assert any("Invalid value many for configuration num.io.threads" in line for line in log)
    assert not cluster.nodes[0].running


def test_a_setting_that_the_formatting_refuses_is_shown(tmp_path):
    with pytest.raises(EnvironmentFault) as fault:
        Cluster(tmp_path, properties={"num.io.threads": "many"}).start()
    text = str(fault.value)
    assert text.startswith(f"kafka node 1 must be able to prepare '{tmp_path}/node-1'; got ")
    assert "Invalid value many for configuration num.io.threads" in text


def test_a_broker_that_is_too_slow_is_ended(tmp_path):
    cluster = Cluster(tmp_path, ready_patience=0.01)
    with pytest.raises(EnvironmentFault, match=r"within 0\.01 s; got no answer; the end of"):
        cluster.start()
    assert not cluster.nodes[0].running


def test_a_folder_keeps_its_number_of_brokers(tmp_path):
    Cluster(tmp_path).prepare()
    with pytest.raises(EnvironmentFault) as fault:
        Cluster(tmp_path, brokers=3).start()
    assert str(fault.value) == (
        f"kafka brokers must be 1, as '{tmp_path}' was made for; got 3; "
        "start with `--brokers 1`, or throw its topics away with `--fresh`"
    )


@pytest.mark.parametrize("number", [0, 10])
def test_the_number_of_brokers_is_bounded(tmp_path, number):
    with pytest.raises(EnvironmentFault) as fault:
        Cluster(tmp_path, brokers=number).start()
    assert str(fault.value) == f"kafka brokers must be 1 to 9; got {number}"


def test_what_is_thrown_away_is_gone(tmp_path):
    Cluster(tmp_path).prepare()
    throw_away(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_cluster_ids_are_what_kafka_takes():
    assert all(re.fullmatch(r"[\w][\w-]{21}", new_cluster_id()) for _ in range(200))


def test_the_first_clean_stop_records_the_classes_and_a_damaged_archive_is_survived(
    own_cache, tmp_path
):
    with Cluster(tmp_path / "data"):
        pass
    damage(own_cache)
    with Cluster(tmp_path / "data") as cluster:
        assert cluster.nodes[0].running


def test_a_damaged_archive_does_not_stop_the_formatting(own_cache, tmp_path):
    with Cluster(tmp_path / "data"):
        pass
    damage(own_cache)
    Cluster(tmp_path / "other").prepare()
    assert (tmp_path / "other" / "node-1" / "data" / "meta.properties").exists()


def damage(cache):
    """Overwrite most of the class archives that must be there."""
    for name in ("base", "kafka"):
        (path,) = cache.glob(f"kafka/classes-*/{name}.jsa")
        size = path.stat().st_size
        path.write_bytes(path.read_bytes()[: size // 8] + b"\xff" * (size - size // 8))


async def send_with(cluster, **options):
    cafile = options.pop("ssl_cafile", None)
    if cafile:
        options["ssl_context"] = ssl.create_default_context(cafile=cafile)
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, **options)
    try:
        await producer.start()
        return await producer.send_and_wait("secured", b"value")
    finally:
        await producer.stop()


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """A broker whose clients need TLS and a password."""
    security = Security("sasl_ssl", user="ann", password='p"a ss')
    properties = {"auto.create.topics.enable": "true"}
    folder = tmp_path_factory.mktemp("secured")
    with Cluster(folder, security=security, properties=properties) as cluster:
        yield cluster


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
async def test_the_right_password_over_tls_is_let_in(secured, mechanism):
    sent = await send_with(secured, **secured.client_options(mechanism))
    assert sent.topic == "secured"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
async def test_a_wrong_password_is_refused(secured, mechanism):
    options = secured.client_options(mechanism) | {"sasl_plain_password": "guess"}
    with pytest.raises((AuthenticationFailedError, KafkaConnectionError)):
        await send_with(secured, **options)


async def test_the_secured_port_does_not_speak_in_the_clear(secured):
    with pytest.raises(KafkaConnectionError):
        await send_with(secured)


async def test_settings_with_a_password_are_readable_by_their_owner_only(secured):
    settings = Path(secured.directory) / "node-1" / "server.properties"
    assert settings.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("protocol", ["ssl", "sasl_plaintext"])
async def test_tls_alone_and_a_password_alone_work_too(tmp_path, protocol):
    properties = {"auto.create.topics.enable": "true"}
    async with Cluster(tmp_path, security=Security(protocol), properties=properties) as cluster:
        assert (await send_with(cluster, **cluster.client_options())).topic == "secured"
