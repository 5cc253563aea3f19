"""``flowengine kafka start|stop|status|fetch`` as a user runs them: one process per command."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from processors.kafka.broker.artifacts import class_path, jar_repository, kafka_artifacts
from processors.kafka.broker.local import USUAL_PORT
from processors.kafka.broker.ports import free_ports, is_free
from processors.kafka.broker.process import ProcessId
from processors.kafka.broker.state import load_state, save_state, state_file

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
PROGRAM = "from processors.kafka.commands import app; app(prog_name='flowengine kafka')"


def flowengine_kafka(home, *arguments, **environ):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FLOWENGINE_KAFKA_HOME": str(home), **environ},
    )


def state_of(home):
    broker = load_state(home)
    assert broker is not None
    return broker


@pytest.fixture
def home(tmp_path):
    """A home folder whose broker is stopped after the test."""
    class_path(jar_repository())
    yield tmp_path / "home"
    flowengine_kafka(tmp_path / "home", "stop")


def test_a_broker_is_started_found_and_stopped(home):
    port = USUAL_PORT if is_free(USUAL_PORT) else None
    started = flowengine_kafka(home, "start")
    assert "is ready at 127.0.0.1:" in started.stdout
    assert port is None or f"127.0.0.1:{port} " in started.stdout
    process = state_of(home).nodes[0].process
    assert process.alive
    made = flowengine_kafka(home, "topics", "--create", "users")  # bootstrap is local
    assert made.stdout == "topic users created with 1 partitions\n"
    stopped = flowengine_kafka(home, "stop")
    assert stopped.stdout.startswith("kafka at 127.0.0.1:")
    assert not process.alive
    assert not state_file(home).exists()


def test_another_port_is_taken_and_said_when_the_usual_one_is_in_use(home):
    with socket.socket() as occupant:
        if is_free(USUAL_PORT):
            occupant.bind(("127.0.0.1", USUAL_PORT))
            occupant.listen()
        started = flowengine_kafka(home, "start")
    first, second = started.stdout.splitlines()
    assert first == "port 9092 is in use, another one was taken"
    assert f"127.0.0.1:{state_of(home).nodes[0].port} " in second


def test_a_named_port_that_is_in_use_is_refused(home):
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        refused = flowengine_kafka(home, "start", "--port", str(port))
    assert (refused.returncode, refused.stderr) == (
        2,
        f"error: kafka port {port} on 127.0.0.1 must be free; got one in use; "
        "leave `--port` out to take any free one\n",
    )


def test_status_and_a_second_start_tell_of_the_running_broker(home):
    (port,) = free_ports(1)
    flowengine_kafka(home, "start", "--port", str(port))
    status = json.loads(flowengine_kafka(home, "status", "--json").stdout)
    assert (status["running"], status["bootstrap"]) == (True, f"127.0.0.1:{port}")
    assert 50e6 < status["nodes"][0]["memory"] < 200e6
    assert f"kafka 4.4.0 at 127.0.0.1:{port}\n" in flowengine_kafka(home, "status").stdout
    again = flowengine_kafka(home, "start")
    assert again.stdout == f"kafka already runs at 127.0.0.1:{port}\n"
    other = flowengine_kafka(home, "start", "--brokers", "3")
    assert (other.returncode, other.stderr) == (
        2,
        "error: kafka broker 'local' must be stopped to start it differently; got a running one "
        "with 1 instead of 3 brokers; run `flowengine kafka stop` first\n",
    )


def test_a_killed_broker_is_noticed_and_started_again(home):
    (port,) = free_ports(1)
    flowengine_kafka(home, "start", "--port", str(port))
    process = state_of(home).nodes[0].process
    os.kill(process.pid, signal.SIGKILL)
    status = flowengine_kafka(home, "status")
    assert status.returncode == 3
    assert status.stdout.startswith("kafka does not run\nits processes have ended since ")
    again = flowengine_kafka(home, "start", "--port", str(port))
    assert f"is ready at 127.0.0.1:{port} " in again.stdout


def test_a_pid_that_was_given_out_again_is_left_alone(home):
    flowengine_kafka(home, "start")
    broker = state_of(home)
    flowengine_kafka(home, "stop")
    with subprocess.Popen(["sleep", "60"]) as stranger:
        node = replace(broker.nodes[0], process=ProcessId(stranger.pid, "long ago"))
        save_state(home, replace(broker, nodes=(node,)))
        assert flowengine_kafka(home, "stop").stdout == "kafka does not run\n"
        assert stranger.poll() is None
        stranger.kill()


def test_a_start_that_was_cut_off_leaves_nothing_that_stop_cannot_end(home):
    command = [sys.executable, "-c", PROGRAM, "start"]
    environ = {**os.environ, "FLOWENGINE_KAFKA_HOME": str(home)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE) as starting:
        while not state_file(home).exists():  # written once the process exists
            assert starting.poll() is None
        starting.kill()
    process = state_of(home).nodes[0].process
    flowengine_kafka(home, "stop")
    assert not process.alive


def test_three_brokers_and_the_one_that_was_killed_comes_back(home):
    flowengine_kafka(home, "start", "--brokers", "3")
    before = state_of(home)
    os.kill(before.nodes[1].process.pid, signal.SIGKILL)
    again = flowengine_kafka(home, "start")
    assert again.stdout.splitlines()[1] == "node 2 had ended and runs again"
    after = state_of(home)
    assert len(after.alive) == 3
    assert after.bootstrap == before.bootstrap
    flowengine_kafka(home, "stop")
    assert not any(node.process.alive for node in after.nodes)


def test_a_fresh_start_throws_the_topics_away(home):
    flowengine_kafka(home, "start")
    flowengine_kafka(home, "topics", "--create", "old")
    assert "old" in flowengine_kafka(home, "topics").stdout
    flowengine_kafka(home, "stop")
    flowengine_kafka(home, "start", "--fresh")
    assert flowengine_kafka(home, "topics").stdout == "no topics\n"


@pytest.fixture
def mirror():
    """The cache of this machine, served as a Maven repository on loopback."""
    handler = partial(QuietHandler, directory=str(jar_repository()))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_jars_from_another_machine_need_no_network(home, tmp_path, mirror):
    stick = str(tmp_path / "stick")
    fetched = flowengine_kafka(home, "fetch", "--to", stick, FLOWENGINE_MAVEN_MIRROR=mirror)
    assert fetched.stdout.splitlines() == [
        "Apache Kafka 4.4.0: 44.6 MB in 45 files to download, once",
        f"45 files are in {stick}, all with the right SHA-256",
    ]
    unreachable = f"http://127.0.0.1:{free_ports(1)[0]}"
    own = {"FLOWENGINE_CACHE": str(tmp_path), "FLOWENGINE_MAVEN_MIRROR": unreachable}
    started = flowengine_kafka(home, "start", "--jars", stick, **own)
    assert "is ready at" in started.stdout


def test_start_refuses_a_folder_without_jars(home, tmp_path):
    refused = flowengine_kafka(home, "start", "--jars", str(tmp_path / "empty"))
    assert refused.returncode == 2
    assert refused.stderr == (
        f"error: kafka jars in '{tmp_path}/empty' must be complete; got 45 of 45 missing, the "
        f"first '{kafka_artifacts()[0]}'; prepare the folder with "
        "`flowengine kafka fetch --to DIR`\n"
    )


def test_a_setting_must_have_a_name_and_a_value(home):
    refused = flowengine_kafka(home, "start", "--set", "verbose")
    assert (refused.returncode, refused.stderr) == (
        2,
        "error: kafka option '--set' must be name=value; got 'verbose'\n",
    )


def test_stopping_nothing_is_no_error(home):
    stopped = flowengine_kafka(home, "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "kafka does not run\n")
