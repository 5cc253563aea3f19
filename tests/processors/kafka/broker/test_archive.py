from pathlib import Path

import pytest

from processors.kafka.broker.archive import ClassArchive, adopt_recording
from processors.kafka.broker.java import Java, find_java


@pytest.fixture
def archive(tmp_path):
    made = ClassArchive(tmp_path, Java(Path("/nowhere/bin/java"), 25), [Path("a.jar")])
    made.directory.mkdir(parents=True)
    return made


def test_without_archives_only_the_collector_is_named(archive):
    assert archive.options() == ["-XX:+UseSerialGC"]
    assert archive.recording() is None


def test_with_the_base_archive_the_first_run_records(archive):
    archive.base.touch()
    assert archive.options()[1] == f"-XX:SharedArchiveFile={archive.base}"
    recording = archive.recording()
    assert recording is not None
    recording.write_bytes(b"classes")
    adopt_recording(recording)
    assert archive.kafka.read_bytes() == b"classes"


def test_with_both_archives_nothing_is_recorded(archive):
    archive.base.touch()
    archive.kafka.touch()
    assert archive.options()[1] == f"-XX:SharedArchiveFile={archive.base}:{archive.kafka}"
    assert archive.recording() is None


def test_discarded_archives_are_not_used_again(archive):
    archive.base.touch()
    archive.kafka.touch()
    archive.discard()
    assert archive.options() == ["-XX:+UseSerialGC"]


def test_a_recording_that_was_never_written_changes_nothing(archive):
    adopt_recording(archive.directory / "recording-1-2.jsa")
    assert not archive.kafka.exists()


def test_a_dump_that_fails_costs_speed_only(archive):
    archive.prepare()
    assert not archive.base.exists()


def test_another_class_path_has_an_archive_of_its_own(tmp_path):
    java = find_java()
    first, second = (ClassArchive(tmp_path, java, [tmp_path / name]) for name in "ab")
    assert first.directory != second.directory
