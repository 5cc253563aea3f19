"""The folder of a demo: copies of the shipped flows, what they write, Kafka's topics, logs."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from flowengine.definition.builder import save_text
from flowengine.definition.canonical import canonical
from flowengine.definition.model import FlowDefinition
from flowengine.errors import DefinitionError
from flowengine.repository.lock import DirectoryLock
from flowengine.shipped import copy_examples

MARK = ".flowengine-demo"  # says that the folder is a demo's, and which flows it had
OURS = ("data", "kafka", "state")


class DemoFolder:
    """Where a demo keeps everything. Flows run with it as their working directory.

    users:  what the consumers write
    state:  one data directory per flow, and the server's own files
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.flows = path / "flows"
        self.kafka = path / "kafka"
        self.state = path / "state"
        self.users = path / "data" / "users"
        self.lake = self.flows / "lake" / "users"
        self.stream = path / "data" / "stream.ndjson"
        self._mark = path / MARK

    @contextmanager
    def opened(self, console: Console) -> Iterator[None]:
        """Have it to oneself, as new. Raises LockedError while another demo has it."""
        self._refuse_foreign()
        lock = DirectoryLock(self.path)
        lock.acquire()
        try:
            self._clear(console)
            list(copy_examples(self.flows))
            self.remember()
            yield
        finally:
            lock.release()

    def _refuse_foreign(self) -> None:
        """Things are removed here, so it must not be a folder that somebody else uses."""
        if self.path.exists() and not self.path.is_dir():
            raise DefinitionError(f"demo folder must be a folder; got the file {str(self.path)!r}")
        if self.path.is_dir() and any(self.path.iterdir()) and not self._mark.is_file():
            raise DefinitionError(
                f"demo folder must be empty or that of an earlier demo; got {str(self.path)!r} "
                "with other files. Name another --data-dir"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        if not self._mark.exists():
            self._mark.write_text("{}")

    def _clear(self, console: Console) -> None:
        if self.flows.is_dir() and self._digests() != json.loads(self._mark.read_text()):
            kept = next(
                place
                for number in itertools.count(1)
                if not (place := self.path / f"flows-kept-{number}").exists()
            )
            self.flows.rename(kept)
            console.print(f"The flows that were changed in the last demo are kept in {kept}.")
        for folder in (self.flows, *(self.path / name for name in OURS)):
            shutil.rmtree(folder, ignore_errors=True)

    def remember(self) -> None:
        """Take the flows as they are for what the demo itself wrote."""
        self._mark.write_text(json.dumps(self._digests()))

    def _digests(self) -> dict[str, str]:
        paths = sorted(path for path in self.flows.glob("*.json") if path.name[0] != ".")
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def set_parameters(self, values: Mapping[str, Mapping[str, str]]) -> None:
        """Give parameters of flows another value: flow (``*`` for all) → parameter → value."""
        for path in sorted(self.flows.glob("*.json")):
            document = json.loads(path.read_text(encoding="utf-8"))
            parameters = document.get("parameters", {})
            wanted = {**values.get("*", {}), **values.get(path.stem, {})}
            given = {name: value for name, value in wanted.items() if name in parameters}
            for name, value in given.items():
                parameters[name]["value"] = value
            if given:
                save_text(path, canonical(FlowDefinition.model_validate(document)))
        self.remember()
