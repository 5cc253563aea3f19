"""Write each FlowFile to a file. Source: NiFi ``PutFile``.

A file appears under its name whole or not at all: its bytes go to a dot-file beside it, which is
then renamed. The dot-file is named after the FlowFile, so what a crash left behind is overwritten
when the FlowFile comes again.

After a crash a FlowFile may be written twice (E2). With a name that depends on the FlowFile alone
that does no harm: ``replace`` writes the same file again, and ``fail`` takes a file that already
holds exactly these bytes for its own earlier work. ``rename`` alone can then leave a second copy.
"""

from __future__ import annotations

import os
import shutil
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from flowengine.context import ProcessContext
from flowengine.errors import ExpressionError
from flowengine.expressions import Expression
from flowengine.flowfile import FlowFile
from flowengine.processor import (
    Example,
    Expected,
    Given,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import ProcessSession

_FILENAME: Final = "{{ filename }}"
_NO_NAMES: Final = ("", ".", "..")
_COPY: Final = 1 << 20
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
Permissions = Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3}$")]


class Conflict(StrEnum):
    """What to do when a file of that name is there already."""

    FAIL = "fail"
    REPLACE = "replace"
    IGNORE = "ignore"
    RENAME = "rename"


class Refused(Exception):
    """A FlowFile that cannot be written, and why."""


class PutFile(Processor):
    """Write the content of each FlowFile to a file that appears whole or not at all."""

    tags = ("file", "put", "write", "local", "sink")
    provenance = "SEND"
    reads = {"filename": "Name of the file, unless `filename` says otherwise."}
    writes = {"file.path": "Where the file was written."}
    blocking = True
    nifi = NifiNote(
        "PutFile",
        {
            "directory": "Directory",
            "conflict": "Conflict Resolution Strategy",
            "create_directories": "Create Missing Directories",
            "permissions": "Permissions",
        },
    )

    class Properties(ProcessorProperties):
        directory: Expression = Field(
            description="Folder to write to; a relative one starts at the current folder."
        )
        filename: Expression = Field(
            Expression(_FILENAME),
            description="Name of the file inside the folder, perhaps with sub-folders. By default "
            "the attribute `filename`, or the FlowFile's uuid where that is missing.",
        )
        conflict: Conflict = Field(
            Conflict.FAIL,
            description="When the file exists: `fail` (unless it holds the same bytes), `replace` "
            "it, `ignore` the FlowFile, or `rename` the new one with the FlowFile's uuid.",
        )
        create_directories: bool = Field(True, description="Create missing folders.")
        permissions: Permissions | None = Field(
            None, description="Octal mode of the file, such as `640`; by default the umask's."
        )
        sync: bool = Field(
            False,
            description="Wait until each file is on the disk. Without it, a power failure may lose "
            "the last files; a crash of the engine does not.",
        )

    properties: Properties
    success = Relationship("FlowFiles whose file is there.")
    failure = Relationship("FlowFiles that could not be written; `error.*` says why.", failure=True)

    examples = (
        Example(
            "One file per FlowFile, in a folder per country",
            properties={
                "directory": "build/example-put-file",
                "filename": "{{ country }}/{{ filename }}",
                "conflict": "replace",
            },
            given=(Given("hello", {"country": "NL", "filename": "a.txt"}), Given("lost")),
            expect={
                "success": (Expected("hello", {"filename": "a.txt"}),),
                "failure": (Expected("lost"),),
            },
        ),
    )

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        batch = session.get_batch()
        directories, errors = self.properties.directory.evaluate_batch(batch)
        names, more = self._names(batch)
        errors.update(more)
        folders = {text: os.path.abspath(text) for text in directories if text is not None}
        done: list[FlowFile] = []
        for index, flowfile in enumerate(batch):
            directory, name = directories[index], names[index]
            if directory is None or name is None:
                session.fail(session.penalize(flowfile), errors[index])
                continue
            try:
                path = self._put(session, flowfile, folders[directory], name)
            except Refused as error:
                session.fail(session.penalize(flowfile), f"processor {context.id!r} {error}")
            except OSError as error:
                session.fail(session.penalize(flowfile), _explain(context, directory, name, error))
            else:
                done.append(flowfile.with_attributes({"file.path": path}))
        session.transfer(done, self.success)

    def _names(self, batch: list[FlowFile]) -> tuple[list[str | None], dict[int, ExpressionError]]:
        if self.properties.filename.text == _FILENAME:
            return [f.attributes.get("filename") or f.uuid for f in batch], {}
        return self.properties.filename.evaluate_batch(batch)

    def _put(self, session: ProcessSession, flowfile: FlowFile, directory: str, name: str) -> str:
        """Write one file; returns its path. Raises Refused or OSError, and leaves nothing."""
        target = _inside(directory, name)
        conflict = self.properties.conflict
        if conflict is not Conflict.REPLACE and os.path.lexists(target):
            if conflict is Conflict.IGNORE:
                return target
            if conflict is Conflict.FAIL:
                return _own_work(session, flowfile, target)
            target = _renamed(target, flowfile)
        temporary = f"{target.rpartition('/')[0]}/.{flowfile.uuid}.part"
        try:
            self._write(session, flowfile, temporary)
            return self._publish(session, flowfile, temporary, target)
        except BaseException:
            _forget(temporary)
            raise

    def _write(self, session: ProcessSession, flowfile: FlowFile, path: str) -> None:
        descriptor = self._create(path)
        try:
            self._fill(session, flowfile, descriptor)
            if self.properties.permissions is not None:
                os.fchmod(descriptor, int(self.properties.permissions, 8))
            if self.properties.sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _fill(self, session: ProcessSession, flowfile: FlowFile, descriptor: int) -> None:
        """Without a file object for small contents: it would cost a third of the time."""
        if isinstance(flowfile.content, bytes):
            left = memoryview(session.read(flowfile))
            while left:
                left = left[os.write(descriptor, left) :]
            return
        with session.open(flowfile) as source, open(descriptor, "wb", closefd=False) as file:
            shutil.copyfileobj(source, file, _COPY)

    def _create(self, path: str) -> int:
        """Folders are looked at only when they turn out to be missing."""
        try:
            return os.open(path, _FLAGS, 0o666)
        except FileNotFoundError:
            if not self.properties.create_directories:
                raise
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, _FLAGS, 0o666)

    def _publish(
        self, session: ProcessSession, flowfile: FlowFile, temporary: str, target: str
    ) -> str:
        """Give the file its name: one step, which somebody else may win."""
        if self.properties.conflict is Conflict.REPLACE:
            os.replace(temporary, target)
        elif not _link(temporary, target):
            _forget(temporary)
            if self.properties.conflict is Conflict.IGNORE:
                return target
            return _own_work(session, flowfile, target)
        if self.properties.sync:
            _sync_folder(os.path.dirname(target))
        return target


def _inside(directory: str, name: str) -> str:
    """The path of a name that must not leave the directory, whatever an attribute says."""
    if "/" not in name and "\0" not in name and name not in _NO_NAMES:
        return f"{directory}/{name}"
    parts = PurePosixPath(name).parts
    if "\0" in name or not parts or ".." in parts or parts[0] == "/":
        raise Refused(
            f"file name must stay inside {directory!r}; got {name!r}. "
            "Correct the attribute or the property 'filename'"
        )
    if name.endswith("/"):
        raise Refused(f"file name must not end with a slash; got {name!r}")
    return os.path.join(directory, *parts)


def _own_work(session: ProcessSession, flowfile: FlowFile, target: str) -> str:
    """Accept a file that holds this very content: it was written before a crash."""
    if _same(session, flowfile, target):
        return target
    raise Refused(
        f"file {target!r} must not exist yet; got one with other content. "
        "Choose another name, or set 'conflict' to 'replace' or 'rename'"
    )


def _same(session: ProcessSession, flowfile: FlowFile, target: str) -> bool:
    if not os.path.isfile(target):
        return False
    with session.open(flowfile) as ours, open(target, "rb") as theirs:
        while chunk := ours.read(_COPY):
            if theirs.read(len(chunk)) != chunk:
                return False
        return not theirs.read(1)


def _renamed(target: str, flowfile: FlowFile) -> str:
    stem, suffix = os.path.splitext(target)
    return f"{stem}-{flowfile.uuid}{suffix}"


def _link(temporary: str, target: str) -> bool:
    """Rename without replacing; False when the name is taken."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError:  # no hard links on this file system: the check before must do
        if os.path.lexists(target):
            return False
        os.rename(temporary, target)
        return True
    os.unlink(temporary)
    return True


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # it never came to be, or the next attempt overwrites it


def _sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _explain(context: ProcessContext, directory: str, name: str, error: OSError) -> str:
    return (
        f"processor {context.id!r} file {os.path.join(directory, name)!r} must be writable; "
        f"got {error.strerror or error}. Check room and permissions, and the property 'directory'"
    )
