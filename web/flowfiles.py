"""The flow files under one folder: the truth about which flows there are.

A flow's id is its place below the folder, with dots: ``teams/orders.json`` is ``teams.orders``.
Files beside flows (a data lake, say) are told apart by their beginning, which must have the key
``format``. Names that begin with a dot are ours or nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowengine.definition.builder import save_text
from flowengine.definition.canonical import canonical, plain, revision
from flowengine.definition.model import FlowDefinition
from flowengine.definition.parse import parse_definition
from flowengine.definition.source import MAX_BYTES, parse_document
from flowengine.errors import EnvironmentFault
from flowengine.findings import Finding
from web.problems import Problem, problems_of

ID = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}")
_BEGINNING = 1024
_FORMAT = re.compile(rb'"format"\s*:')


@dataclass(frozen=True, slots=True)
class FlowText:
    """A flow definition as text, and what could be read from it.

    document:   JSON data in canonical order where that is possible; None where it is no object
    canonical:  canonical text; None where the structure is wrong
    revision:   of the canonical text, else of the text itself
    """

    text: str
    document: dict[str, Any] | None
    canonical: str | None
    revision: str
    findings: tuple[Finding, ...] = ()


def read_text(text: str, name: str = "") -> FlowText:
    """What a text says; never raises."""
    document, findings = parse_document(text, name)
    definition: FlowDefinition | None = None
    if not findings:
        definition, findings = parse_definition(document)
    if definition is not None and not findings:
        written = canonical(definition)
        return FlowText(text, plain(definition), written, revision(written))
    raw = document.value if isinstance(document.value, dict) else None
    return FlowText(text, raw, None, revision(text), tuple(findings))


class FlowFiles:
    """Reads and writes flow files; no path outside the folder is ever touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._cache: dict[Path, tuple[tuple[int, int, int], FlowText]] = {}

    def ids(self) -> list[str]:
        """Ids of all flows, sorted."""
        return sorted(id for path in self._files() if (id := self.id_of(path)) and _is_flow(path))

    def _files(self) -> Iterator[Path]:
        for path in self.folder.rglob("*.json"):
            parts = path.relative_to(self.folder).parts
            if not any(part.startswith(".") for part in parts):
                yield path

    def id_of(self, path: Path) -> str | None:
        """The id of the flow in a file; None for a file that can have none."""
        try:
            parts = path.relative_to(self.folder).with_suffix("").parts
        except ValueError:
            return None
        id = ".".join(parts)
        fits = path.suffix == ".json" and ID.fullmatch(id) and len(parts) == id.count(".") + 1
        return id if fits else None

    def path_of(self, id: str) -> Path:
        """The file of a flow. Raises Problem 404 for what cannot be an id."""
        if not ID.fullmatch(id):
            raise unknown(id)
        path = self.folder.joinpath(*id.split(".")).with_suffix(".json")
        if not path.resolve().is_relative_to(self.folder):
            raise unknown(id)
        return path

    def deployed_path(self, id: str) -> Path:
        """Where the deployed text of a flow lies while it should run: a hidden neighbour, so that
        what is relative to the file stays so."""
        path = self.path_of(id)
        return path.with_name(f".{path.stem}.deployed.json")

    def exists(self, id: str) -> bool:
        """Whether there is such a flow."""
        return self.path_of(id).is_file()

    def read(self, id: str) -> FlowText:
        """The text of a flow. Raises Problem 404 when there is none."""
        path = self.path_of(id)
        try:
            status = path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            cached = self._cache.get(path)
            if cached is None or cached[0] != seen:
                self._cache[path] = cached = (seen, _read(path))
        except (FileNotFoundError, NotADirectoryError):
            self._cache.pop(path, None)
            raise unknown(id) from None
        except OSError as error:
            raise EnvironmentFault(
                f"flow file {str(path)!r} must be readable; got {error.strerror}"
            ) from error
        return cached[1]

    def write(self, id: str, text: str) -> FlowText:
        """Replace the text of a flow in one step; canonical where it can be."""
        found = read_text(text, f"{id}.json")
        path = self.path_of(id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_text(path, found.canonical or text)
        except OSError as error:
            raise EnvironmentFault(
                f"flow file {str(path)!r} must be writable; got {error.strerror}"
            ) from error
        return self.read(id)

    def delete(self, id: str) -> None:
        """Remove the file of a flow."""
        self.path_of(id).unlink(missing_ok=True)
        self.deployed_path(id).unlink(missing_ok=True)


def unknown(id: str) -> Problem:
    """The answer for a flow that is not there."""
    return Problem(404, f"flow must be a file in the folder of flows; got {id[:200]!r}")


def refuse_unreadable(found: FlowText) -> None:
    """Raise Problem 422 with places for a text whose structure is wrong."""
    if found.canonical is None:
        raise Problem(
            422, "flow definition must follow the format", problems=problems_of(found.findings)
        )


def _is_flow(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return _FORMAT.search(stream.read(_BEGINNING)) is not None
    except OSError:
        return False


def _read(path: Path) -> FlowText:
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    return read_text(data.decode("utf-8", "replace"), path.name)
