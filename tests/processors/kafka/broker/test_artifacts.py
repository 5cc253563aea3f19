import hashlib
import re

import pytest

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.artifacts import (
    KAFKA_VERSION,
    Artifact,
    class_path,
    kafka_artifacts,
    missing,
    parse_artifacts,
)


def artifact_of(content, name="thing"):
    return Artifact("org.example", name, "1.0", len(content), hashlib.sha256(content).hexdigest())


def stored(repository, content, name="thing"):
    artifact = artifact_of(content, name)
    path = repository / artifact.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return artifact


def test_the_shipped_list_is_exact():
    artifacts = kafka_artifacts()
    assert len({(each.group, each.name) for each in artifacts}) == len(artifacts) == 45
    assert all(re.fullmatch("[0-9a-f]{64}", each.sha256) for each in artifacts)
    assert {e.version for e in artifacts if e.group == "org.apache.kafka"} == {KAFKA_VERSION}


def test_the_log_binding_has_the_version_of_the_logger():
    log4j = {e.version for e in kafka_artifacts() if e.group == "org.apache.logging.log4j"}
    assert len(log4j) == 1


def test_a_line_of_the_list_tells_coordinates_size_and_hash():
    (artifact,) = parse_artifacts("# remark\norg.example:thing:1.0 12 abc\n")
    assert artifact == Artifact("org.example", "thing", "1.0", 12, "abc")
    assert artifact.path.as_posix() == "org/example/thing/1.0/thing-1.0.jar"


def test_a_complete_folder_needs_no_network(tmp_path):
    artifact = stored(tmp_path / "jars", b"jar")
    found = class_path(tmp_path / "jars", download=False, artifacts=(artifact,), marks=tmp_path)
    assert found == [tmp_path / "jars" / artifact.path]


def test_a_jar_of_another_size_counts_as_missing(tmp_path):
    artifact = stored(tmp_path, b"jar")
    (tmp_path / artifact.path).write_bytes(b"half a jar")
    assert missing(tmp_path, (artifact,)) == (artifact,)


def test_an_incomplete_folder_is_refused_when_nothing_may_be_downloaded(tmp_path):
    present, absent = stored(tmp_path, b"jar"), artifact_of(b"jar", "other")
    with pytest.raises(EnvironmentFault) as fault:
        class_path(tmp_path, download=False, artifacts=(present, absent), marks=tmp_path)
    assert str(fault.value) == (
        f"kafka jars in '{tmp_path}' must be complete; got 1 of 2 missing, the first "
        "'org.example:other:1.0'; prepare the folder with `flowengine kafka fetch --to DIR`"
    )


def test_a_changed_jar_is_refused(tmp_path):
    artifact = stored(tmp_path, b"jar")
    (tmp_path / artifact.path).write_bytes(b"jxr")
    with pytest.raises(EnvironmentFault) as fault:
        class_path(tmp_path, artifacts=(artifact,), marks=tmp_path / "marks")
    assert str(fault.value) == (
        f"kafka artifact 'org.example:thing:1.0' must have the SHA-256 {artifact.sha256}; "
        f"got {hashlib.sha256(b'jxr').hexdigest()}; "
        f"remove '{tmp_path / artifact.path}' and start again"
    )


def test_a_folder_is_hashed_only_once(tmp_path):
    artifact = stored(tmp_path, b"jar")
    class_path(tmp_path, artifacts=(artifact,), marks=tmp_path / "marks")
    (tmp_path / artifact.path).write_bytes(b"jxr")
    assert class_path(tmp_path, artifacts=(artifact,), marks=tmp_path / "marks")


def test_a_folder_that_takes_no_notes_is_still_checked(tmp_path):
    artifact = stored(tmp_path / "jars", b"jar")
    (tmp_path / "marks").write_text("a file where a folder should be")
    assert class_path(tmp_path / "jars", artifacts=(artifact,), marks=tmp_path / "marks")
