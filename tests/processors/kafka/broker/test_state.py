import subprocess
from pathlib import Path

import pytest

from flowengine.errors import EnvironmentFault
from processors.kafka.broker import find_local, local_bootstrap
from processors.kafka.broker.places import cache_directory, kafka_home, prepared_jars
from processors.kafka.broker.process import ProcessId, process_id
from processors.kafka.broker.state import (
    LocalBroker,
    LocalNode,
    load_state,
    locked,
    save_state,
    state_file,
)


def broker_of(process):
    node = LocalNode(1, process, 9092, 20001)
    return LocalBroker("4.4.0", "id", "127.0.0.1:9092", Path("/data"), 1.5, (node,), Path("/rec"))


@pytest.fixture
def living():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process_id(process.pid)
        process.kill()


def test_what_is_saved_is_loaded_again(tmp_path, living):
    save_state(tmp_path, broker_of(living))
    assert load_state(tmp_path) == find_local(tmp_path) == broker_of(living)
    assert local_bootstrap(tmp_path) == "127.0.0.1:9092"


def test_local_without_a_broker_says_how_to_start_one(tmp_path):
    with pytest.raises(EnvironmentFault) as fault:
        local_bootstrap(tmp_path)
    assert str(fault.value) == (
        "kafka broker 'local' must be running; got none; run `flowengine kafka start`"
    )


def test_a_file_left_by_an_ended_broker_counts_as_none(tmp_path, living):
    save_state(tmp_path, broker_of(ProcessId(living.pid, "another start")))
    assert find_local(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json"])
def test_a_state_file_that_is_none_is_named(tmp_path, text):
    state_file(tmp_path).write_text(text)
    with pytest.raises(EnvironmentFault) as fault:
        find_local(tmp_path)
    assert str(fault.value) == (
        f"kafka state file '{tmp_path}/state.json' must be one that `flowengine kafka start` "
        "wrote; got something else; remove it"
    )


def test_a_home_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault) as fault, locked(tmp_path / "file"):
        pass
    assert str(fault.value) == (
        f"kafka home '{tmp_path}/file' must be writable; got File exists; "
        "name another one in FLOWENGINE_KAFKA_HOME"
    )


def test_folders_follow_our_variables_then_xdg_then_home():
    assert cache_directory({"FLOWENGINE_CACHE": "/c", "HOME": "/h"}) == Path("/c")
    assert cache_directory({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/flowengine")
    assert cache_directory({"HOME": "/h"}) == Path("/h/.cache/flowengine")
    assert kafka_home({"FLOWENGINE_KAFKA_HOME": "/k"}) == Path("/k")
    assert kafka_home({"HOME": "/h"}) == Path("/h/.local/state/flowengine/kafka")
    assert kafka_home({"XDG_STATE_HOME": "rel", "HOME": "/h"}).is_relative_to("/h/.local/state")
    assert prepared_jars({"FLOWENGINE_KAFKA_JARS": "/j"}) == Path("/j")
    assert prepared_jars({}) is None
