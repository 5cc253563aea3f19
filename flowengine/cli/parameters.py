"""Parameters from the command line: ``--set name=value`` and ``--param-file FILE``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flowengine.config import Settings
from flowengine.definition.flat import LoadedFlow
from flowengine.definition.parameters import Sources
from flowengine.errors import DefinitionError, EnvironmentFault
from flowengine.secret_store import SecretStore


def sources(settings: Settings) -> Sources:
    """Environment and encrypted store, as the settings say."""
    path, key = settings.secret_store, settings["secret_key_file"]
    return Sources(store=SecretStore(path, settings.project / key if key else None))


def parameters(pairs: Iterable[str], file: Path | None) -> dict[str, str]:
    """The values given from outside; those of ``--set`` win over those of the file."""
    values = read_file(file) if file else {}
    return values | parse_pairs(pairs)


def parse_pairs(pairs: Iterable[str], option: str = "--set") -> dict[str, str]:
    """``name=value`` texts by name; the last one of a name wins."""
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise DefinitionError(f"option {option!r} must be name=value; got {pair!r}")
        values[name.strip()] = value
    return values


def read_file(file: Path) -> dict[str, str]:
    """Values of a JSON (``.json``) or TOML file, or of one with a ``name=value`` on each line."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(
            f"parameter file {str(file)!r} must be readable UTF-8 text; got {error}"
        ) from error
    try:
        return _as_text(file, _parse(file, text))
    except (
        ValueError
    ) as error:  # of either format; the message may quote a secret, so only its place
        place = getattr(error, "lineno", None)
        where = f" at line {place}" if place else ""
        raise DefinitionError(
            f"parameter file {str(file)!r} must be valid {_format(file)}; got an error{where}"
        ) from None


def _format(file: Path) -> str:
    return {".json": "JSON", ".toml": "TOML"}.get(file.suffix, "name=value lines")


def _parse(file: Path, text: str) -> Any:
    if file.suffix == ".json":
        return json.loads(text)
    if file.suffix == ".toml":
        return tomllib.loads(text)
    lines = (line.strip() for line in text.splitlines())
    values = {}
    for number, line in enumerate(lines, 1):
        name, equals, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if not equals:
            raise DefinitionError(
                f"{file}:{number}: line must be name=value or a comment; got no equals sign"
            )
        values[name.strip()] = value.strip()
    return values


def _as_text(file: Path, data: Any) -> dict[str, str]:
    if not isinstance(data, Mapping):
        raise DefinitionError(
            f"parameter file {str(file)!r} must hold one object; got {type(data).__name__}"
        )
    values = {}
    for name, value in data.items():
        if not isinstance(value, str | int | float):
            raise DefinitionError(
                f"parameter file {str(file)!r}: parameter {name!r} must be text, a number, true "
                f"or false; got {type(value).__name__}"
            )
        values[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return values


def refuse_open_secrets(flow: LoadedFlow, pairs: Iterable[str]) -> None:
    """A sensitive value on the command line is one in the process list: raises DefinitionError."""
    declared = flow.definition.parameters
    for name in parse_pairs(pairs):
        if name in declared and declared[name].sensitive:
            raise DefinitionError(
                f"parameter {name!r} must not be set by '--set', since it is sensitive and every "
                "process list would show it; name a file with '--param-file' instead"
            )
