"""The folder of a demo: as new at each start, with what a person changed put aside."""

import io
import json
import signal

import pytest
from rich.console import Console

from flowengine.errors import DefinitionError, LockedError
from processors.kafka.demo.folder import DemoFolder
from processors.kafka.demo.interruption import Interruption


def opened(folder):
    said = io.StringIO()
    with folder.opened(Console(file=said, width=1000)):
        folder.set_parameters({"*": {"brokers": "here:1"}, "users-producer": {"period": "5 ms"}})
    return said.getvalue()


def parameters(folder, flow):
    return json.loads((folder.flows / f"{flow}.json").read_text())["parameters"]


@pytest.fixture
def folder(tmp_path):
    return DemoFolder(tmp_path / "demo")


def test_it_has_the_shipped_flows_with_other_parameters(folder):
    assert opened(folder) == ""
    assert parameters(folder, "users-producer")["brokers"]["value"] == "here:1"
    assert parameters(folder, "users-producer")["period"]["value"] == "5 ms"
    assert parameters(folder, "users-consumer")["period"]["value"] == "1 min"
    assert len(list(folder.lake.glob("*.json"))) == 17


def test_the_next_demo_begins_anew(folder):
    opened(folder)
    folder.users.mkdir(parents=True)
    assert opened(folder) == ""
    assert not folder.users.exists()
    assert not (folder.path / "flows-kept-1").exists()


def test_flows_that_a_person_changed_are_kept(folder):
    opened(folder)
    (folder.flows / "users-producer.json").write_text("{}")
    assert "flows-kept-1" in opened(folder)
    assert (folder.path / "flows-kept-1" / "users-producer.json").read_text() == "{}"
    (folder.flows / "mine.json").write_text("{}")
    assert "flows-kept-2" in opened(folder)


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(DefinitionError, match="must be empty or that of an earlier demo; got"):
        opened(DemoFolder(tmp_path))
    assert (tmp_path / "data").is_dir()


def test_two_demos_cannot_share_a_folder(folder):
    with (
        folder.opened(Console(file=io.StringIO())),
        pytest.raises(LockedError, match="must have one owner"),
    ):
        opened(folder)


def test_a_signal_interrupts_and_nothing_is_started_after_it():
    interruption = Interruption()
    with interruption.heeded():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), interruption.starting():
            pass


def test_a_signal_waits_until_something_has_started():
    steps = []
    interruption = Interruption()

    def step():
        with interruption.starting():
            signal.raise_signal(signal.SIGHUP)
            steps.append("complete")
        steps.append("not reached")

    with interruption.heeded(), pytest.raises(KeyboardInterrupt):
        step()
    assert steps == ["complete"]


def test_signals_do_not_disturb_an_end():
    steps = []
    interruption = Interruption()
    with interruption.heeded():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with interruption.ending():
            signal.raise_signal(signal.SIGINT)
            steps.append("ended")
    assert steps == ["ended"]


def test_a_signal_during_a_usual_end_counts_after_it():
    interruption = Interruption()

    def step():
        with interruption.ending():
            signal.raise_signal(signal.SIGINT)

    with interruption.heeded(), pytest.raises(KeyboardInterrupt):
        step()
