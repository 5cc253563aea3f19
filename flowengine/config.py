"""Settings of the command line: defaults < ``flowengine.toml`` < ``FLOWENGINE_*`` < flags.

The file is the nearest ``flowengine.toml`` in the working directory or above it. Its folder is the
project: relative paths in the file, and the default data root, belong to it. Each value remembers
where it came from, which is what ``flowengine config`` prints.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from flowengine.errors import DefinitionError, EnvironmentFault, PropertyError
from flowengine.units import parse_duration, parse_size

FILE: Final = "flowengine.toml"
PREFIX: Final = "FLOWENGINE_"
DEFAULT: Final = "default"
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class RepositoryKind(StrEnum):
    """Where a flow keeps its queues, positions and states."""

    SQLITE = "sqlite"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set.

    default: as a person would write it; None when there is none
    parse:   text → value; raises PropertyError ``must <rule>; got <value>``
    is_path: relative values in the file are relative to the file
    """

    name: str
    default: str | None
    parse: Callable[[str], Any]
    description: str
    is_path: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """The command-line option that sets it."""
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The value of a setting in force. ``origin``: default, ``file:line``, variable or flag."""

    setting: Setting
    text: str | None
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force.

    project: the folder of ``flowengine.toml``, else the working directory
    """

    project: Path
    chosen: Mapping[str, Chosen]

    def __getitem__(self, name: str) -> Any:
        return self.chosen[name].value

    @property
    def repository(self) -> RepositoryKind:
        return RepositoryKind(self["repository"])

    @property
    def data_root(self) -> Path:
        return self.project / str(self["data_root"])

    @property
    def secret_store(self) -> Path:
        """The encrypted store: the one that a server on this data root keeps, unless set."""
        explicit = self["secret_store"]
        return self.project / explicit if explicit else self.data_root / ".server" / "secrets.json"

    def data_directory(self, flow: Path) -> Path:
        """The data directory of a flow file: one of its own under the data root, unless set."""
        explicit = self["data_dir"]
        return self.project / explicit if explicit else self.data_root / flow_key(flow)


def flow_key(flow: Path) -> str:
    """A name for a flow file that others do not have: its place below ``flows``, with dots."""
    file = flow.absolute()
    above = [folder for folder in file.parents if folder.name == "flows"]
    relative = file.relative_to(above[0]) if above else Path(file.name)
    return ".".join(relative.with_suffix("").parts)


def _one_of(values: Iterable[str]) -> Callable[[str], str]:
    allowed = tuple(str(value) for value in values)

    def parse(text: str) -> str:
        if text.lower() in allowed:
            return text.lower()
        raise PropertyError(f"must be {' or '.join(map(repr, allowed))}; got {text!r}")

    return parse


def _truth(text: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "0": False,
        "false": False,
        "no": False,
        "": False,
    }
    if text.lower() in words:
        return words[text.lower()]
    raise PropertyError(f"must be true or false; got {text!r}")


def _size(text: str) -> int:
    return int(parse_size(text))


def _duration(text: str) -> int:
    return int(parse_duration(text))


def _address(text: str) -> str:
    """``host:port``; the port alone means loopback."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 <= int(port) < 65536:
        raise PropertyError(f"must be an address such as '127.0.0.1:8080'; got {text!r}")
    return f"{host or '127.0.0.1'}:{port}"


SETTINGS: Final = (
    Setting(
        "data_root", ".flowengine", Path, "Folder that holds one data directory per flow.", True
    ),
    Setting("data_dir", None, Path, "Data directory, instead of one under the data root.", True),
    Setting(
        "repository", "sqlite", _one_of(RepositoryKind), "Where queues live: sqlite or memory."
    ),
    Setting("memory_budget", "512 MB", _size, "Memory for all queues of a runner together."),
    Setting("drain_timeout", "5 sec", _duration, "How long a stop lets queues empty themselves."),
    Setting("listen", None, _address, "Address of the control API beside its Unix socket."),
    Setting("log_level", "info", _one_of(LOG_LEVELS), "Lowest level that is written to the log."),
    Setting("provenance", "true", _truth, "Record what happened to a sample of FlowFiles."),
    Setting(
        "secret_store", None, Path, "Encrypted store; .server/secrets.json in data_root.", True
    ),
    Setting("secret_key_file", None, Path, "File with the key of the encrypted store.", True),
    Setting("debug", "false", _truth, "Show tracebacks of errors."),
)
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


def read_settings(
    flags: Mapping[str, str | None] | None = None,
    environment: Mapping[str, str] | None = None,
    start: Path | None = None,
) -> Settings:
    """The settings in force.

    flags: values from the command line by setting name; None is not given
    start: folder in which the search for ``flowengine.toml`` begins
    Raises DefinitionError naming setting, rule, value and origin.
    """
    start = (start or Path.cwd()).absolute()
    file = find_file(start)
    found: dict[str, tuple[str, str]] = dict(_from_file(file)) if file else {}
    found |= _from_environment(os.environ if environment is None else environment)
    for name, value in (flags or {}).items():
        if value is not None:
            # A relative path from a flag belongs to the working directory, not to the project.
            text = str(start / value) if _BY_NAME[name].is_path else value
            found[name] = (text, _BY_NAME[name].flag)
    chosen = {setting.name: _choose(setting, found.get(setting.name)) for setting in SETTINGS}
    return Settings(file.parent if file else start, chosen)


def find_file(start: Path) -> Path | None:
    """The nearest ``flowengine.toml`` in a folder or above it."""
    candidates = (folder / FILE for folder in (start, *start.parents))
    return next((path for path in candidates if path.is_file()), None)


def _choose(setting: Setting, found: tuple[str, str] | None) -> Chosen:
    text, origin = found if found else (setting.default, DEFAULT)
    try:
        value = None if text is None else setting.parse(text)
    except PropertyError as error:
        message = f"setting {setting.name!r} {error} from {origin}"
        raise DefinitionError(message) from None
    return Chosen(setting, text, value, origin)


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Values of variables; a relative path belongs to the working directory."""
    found = {}
    for setting in SETTINGS:
        text = environment.get(setting.variable)
        if text:
            path = str(Path(text).absolute()) if setting.is_path else text
            found[setting.name] = (path, setting.variable)
    return found


def _from_file(file: Path) -> Iterable[tuple[str, tuple[str, str]]]:
    text = _read(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{file}: settings file must be TOML; got {error}") from error
    for name, value in data.items():
        place = f"{file}:{_line_of(name, text)}"
        if name not in _BY_NAME:
            raise DefinitionError(
                f"{place}: setting must be a known one; got {name!r}; {_near(name)}"
            )
        if not isinstance(value, str | int | float):
            raise DefinitionError(
                f"{place}: setting {name!r} must be text, a number, true or false; "
                f"got a {type(value).__name__}"
            )
        yield name, (str(value), place)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(
            f"settings file {str(file)!r} must be readable UTF-8 text; got {error}"
        ) from error


def _line_of(name: str, text: str) -> int:
    match = re.search(rf"^[ \t\[\"']*{re.escape(name)}\b", text, flags=re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else 1


def _near(name: str) -> str:
    from flowengine.registry import suggest

    return suggest(name, _BY_NAME)
