"""Write records as files of a data lake: partitioned, of a bounded size, each there or not at all.

A FlowFile gives for each partition one file, or several when it holds more than one file may. The
names come from the FlowFile and the place of the file in it, so a FlowFile that comes again after a
crash (E2) writes the same files again. Small files are avoided before: by MergeRecord or windows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from pydantic import Field

from flowengine.context import ProcessContext
from flowengine.errors import ExpressionError
from flowengine.expressions import Expression
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, Relationship
from flowengine.session import ProcessSession
from flowengine.units import DataSize, parse_size
from processors.records._core.formats import RecordError, RecordFormat
from processors.records._core.processor import WRITES, RecordProcessor
from processors.records._core.properties import ReadProperties
from processors.records._core.tables import Records
from processors.records._core.values import column, text_of
from processors.records._core.writing import write_records

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_SAFE: Final = " -_.+,@"


class LakeFormat(StrEnum):
    """How files are written."""

    PARQUET = "parquet"
    NDJSON = "ndjson"


class _File(NamedTuple):
    path: str
    content: bytes


class PutDataLake(RecordProcessor):
    """Write the records of each FlowFile to Parquet or NDJSON files in folders by partition.

    Folders are Hive's: `country=NL/day=2024-02-29`. A file appears whole or not at all, and the
    same FlowFile writes the same files again.
    """

    tags = ("record", "lake", "parquet", "ndjson", "hive", "partition", "file", "sink")
    provenance = "SEND"
    writes = {
        "record.count": "Number of records that were written.",
        "lake.path": "The folder that the partitions are in.",
        "lake.files": "Number of files that hold the FlowFile's records.",
        **{name: WRITES[name] for name in ("error.record", "error.line")},
    }

    class Properties(ReadProperties):
        directory: Expression = Field(
            description="Folder of the lake; a relative one starts at the current folder."
        )
        format: LakeFormat = Field(LakeFormat.PARQUET, description="Format of the files.")
        partition_by: tuple[str, ...] = Field(
            (), description="Fields by whose values records are put into folders, outermost first."
        )
        filename: Expression | None = Field(
            None,
            description="Name of the files, without place and suffix; by default the FlowFile's "
            "uuid. Where a source may read again after a crash, name the data itself: "
            "`{{ kafka.topic }}-{{ kafka.partition }}-{{ kafka.offset }}`.",
        )
        records_per_file: int = Field(1_000_000, ge=1, description="Most records in one file.")
        file_size: DataSize = Field(
            parse_size("256 MB"),
            description="About how much of the FlowFile's content goes into one file.",
        )
        sync: bool = Field(
            True, description="Wait until each file is on the disk, so that power may fail."
        )

    properties: Properties
    success = Relationship("FlowFiles whose records are in the lake.")

    examples = (
        Example(
            "A folder per country",
            properties={
                "directory": "build/example-put-data-lake",
                "format": "ndjson",
                "partition_by": ["country"],
                "filename": "{{ filename }}",
            },
            given=(
                Given('{"id":1,"country":"NL"}\n{"id":2,"country":"DE"}', {"filename": "orders"}),
            ),
            expect={"success": (Expected(attributes={"lake.files": "2", "record.count": "2"}),)},
        ),
    )

    def take(self, context: ProcessContext, session: ProcessSession, flowfile: FlowFile) -> None:
        folder = os.path.abspath(self.properties.directory.evaluate(flowfile, now=session.now))
        name = self._name(flowfile, session.now)
        records, _ = self.read(session, flowfile)
        limit = self._limit(len(records), flowfile.size)
        count = 0
        try:
            for file in self._files(records, folder, name, limit):
                self._write(file, flowfile)
                count += 1
        except OSError as error:
            got = f"{error.filename or folder!r} {error.strerror or error}"
            rule = f"lake {folder!r} must be writable; got {got}. Check room and permissions"
            self.refuse(context, session, session.penalize(flowfile), RecordError(rule))
            return
        facts = {"lake.path": folder, "lake.files": str(count), "record.count": str(len(records))}
        session.transfer(flowfile.with_attributes(facts), self.success)

    def _name(self, flowfile: FlowFile, now: int) -> str:
        if self.properties.filename is None:
            return flowfile.uuid
        name = self.properties.filename.evaluate(flowfile, now=now)
        if not name or name.startswith("."):
            rule = "property 'filename' must give a name that does not start with a dot"
            raise ExpressionError(f"{rule}; got {name!r}")
        return quote(name, safe=_SAFE)

    def _limit(self, count: int, size: int) -> int:
        by_size = count * self.properties.file_size // max(size, 1)
        return max(1, min(self.properties.records_per_file, by_size))

    def _files(self, records: Records, folder: str, name: str, limit: int) -> Iterator[_File]:
        """All files, encoded one after the other: one in memory at a time."""
        kind = RecordFormat(self.properties.format)
        for partition, indices in _partitions(records, self.properties.partition_by).items():
            for part, start in enumerate(range(0, len(indices), limit)):
                chosen = records.take(indices[start : start + limit])
                content = write_records(_without(chosen, self.properties.partition_by), kind)
                if kind is RecordFormat.NDJSON:
                    content += b"\n"
                parts = (folder, *partition, f"{name}-{part}.{kind}")
                yield _File(os.path.join(*parts), content)

    def _write(self, file: _File, flowfile: FlowFile) -> None:
        """Under a name that nobody reads first: `_` and `.` hide files in a lake."""
        directory = os.path.dirname(file.path)
        os.makedirs(directory, exist_ok=True)
        base = os.path.basename(file.path)
        temporary = os.path.join(directory, f".{flowfile.uuid}.{base}.part")
        try:
            with open(temporary, "wb") as stream:
                stream.write(file.content)
                if self.properties.sync:
                    stream.flush()
                    os.fsync(stream.fileno())
            os.replace(temporary, file.path)
        except BaseException:
            if os.path.lexists(temporary):
                os.unlink(temporary)
            raise
        if self.properties.sync:
            _sync_folder(directory)


def _partitions(records: Records, names: tuple[str, ...]) -> dict[tuple[str, ...], list[int]]:
    """Folders → the places of the records that go there, in order."""
    if not names:
        return {(): list(range(len(records)))}
    columns = [column(records, name) for name in names]
    found: dict[tuple[str, ...], list[int]] = {}
    for index, values in enumerate(zip(*columns, strict=True)):
        pairs = zip(names, values, strict=True)
        found.setdefault(tuple(_folder(name, value) for name, value in pairs), []).append(index)
    return found


def _folder(name: str, value: Any) -> str:
    text = _NULL if value is None or value == "" else quote(text_of(value), safe=_SAFE)
    return f"{quote(name, safe=_SAFE)}={text}"


def _without(records: Records, names: tuple[str, ...]) -> Records:
    """The records without what the folder says already; readers take it from there."""
    if not names:
        return records
    if records.tabular:
        kept = [name for name in records.table.column_names if name not in names]
        return Records(table=records.table.select(kept))
    return Records([{k: v for k, v in row.items() if k not in names} for row in records.rows])


def _sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
