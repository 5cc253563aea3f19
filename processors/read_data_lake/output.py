"""From records to FlowFiles: contents, attributes, event times, and what failed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from flowengine.content import INLINE_LIMIT
from flowengine.context import ProcessContext
from flowengine.session import PART_BYTES, PART_OBJECTS, ProcessSession
from processors.read_data_lake.csv_rows import ColumnType, typed
from processors.read_data_lake.formats import Reader
from processors.read_data_lake.properties import LakeProperties, Output
from processors.read_data_lake.records import (
    Broken,
    EventTime,
    Record,
    to_json,
    to_text,
    value_at,
)
from processors.read_data_lake.storage import Entry

SCAN: Final = 20_000  # records that a filter may drop before the place is stored
_RAW: Final = 1 << 20  # bytes of a broken record that travel with the failure


class FileFacts:
    """What all records of a file share: attributes and partition values."""

    def __init__(self, entry: Entry, base: str, types: Mapping[str, ColumnType]) -> None:
        folder, _, name = entry.path.rpartition("/")
        inside = folder.removeprefix(base).strip("/") if folder.startswith(base) else ""
        texts = entry.partitions
        self.path = entry.path
        self.partitions = {key: _value(key, text, types) for key, text in texts.items()}
        self.attributes = {
            "filename": name,
            "path": f"{inside}/" if inside else "./",
            "absolute.path": f"{folder}/",
            "lake.file": entry.path,
            **{f"partition.{key}": text for key, text in texts.items() if text is not None},
        }


def _value(key: str, text: str | None, types: Mapping[str, ColumnType]) -> Any:
    if text is None:
        return None
    if key in types:
        try:
            return typed(key, text, types[key])
        except ValueError:
            return text
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else text


class Maker:
    """Makes the FlowFiles of one session."""

    def __init__(
        self, properties: LakeProperties, context: ProcessContext, session: ProcessSession
    ) -> None:
        self._properties = properties
        self._context, self._session = context, session
        self._times = event_time(properties)
        self._limit = min(context.batch_size, PART_OBJECTS)
        self._contents: list[bytes] = []
        self._attributes: list[dict[str, str]] = []
        self._spans: dict[int, tuple[int, int]] = {}
        self._group: list[tuple[Record, dict[str, Any], bytes]] = []
        self._group_bytes = 0
        self._span: list[int] = []
        self._bytes = 0
        self._failed = 0
        self.scanned = 0
        self.greatest: int | None = None

    @property
    def room(self) -> bool:
        """Whether the session may take one more record (E7)."""
        if self._bytes + self._group_bytes >= PART_BYTES:
            return False
        if self._group:
            return True
        return len(self._contents) + self._failed < self._limit and self.scanned < SCAN

    def take(self, facts: FileFacts, record: Record, reader: Reader) -> Broken | None:
        """Hand on a record, if the filter lets it pass; what is wrong, when it cannot be."""
        self.scanned += 1
        try:
            return self._take(facts, record, reader)
        except (ValueError, TypeError) as error:  # TypeError: a value that JSON cannot hold
            raw = record.raw if record.raw is not None else repr(record.fields).encode()
            return Broken(record.row, record.line, str(error), raw)

    def _take(self, facts: FileFacts, record: Record, reader: Reader) -> Broken | None:
        properties, fields, partitions = self._properties, record.fields, facts.partitions
        chosen = None if reader.filtered else properties.filter
        if chosen is not None and not chosen.matches(lambda name: find(fields, partitions, name)):
            return None
        time = self._time(find(fields, partitions, self._times.column)) if self._times else None
        if properties.columns:
            fields = {name: find(fields, partitions, name) for name in properties.columns}
        content = to_json(fields) if properties.columns or record.raw is None else record.raw
        if properties.records_per_flowfile == 1 and properties.output is Output.NDJSON:
            attributes = {**facts.attributes, "mime.type": "application/json"}
            self._add(facts, record, content, attributes, [] if time is None else [time])
            return None
        self._span += [time] if time is not None else []
        self._group.append((record, fields, content))
        self._group_bytes += len(content)
        if len(self._group) >= properties.records_per_flowfile or not self.room:
            return self.flush(facts, reader)
        return None

    def _time(self, value: Any) -> int | None:
        """The event time; in a group, one that cannot be read is left out of its span (E23)."""
        if self._times is None:
            return None
        try:
            return self._times.of(value)
        except ValueError:
            if self._properties.records_per_flowfile > 1:
                return None
            raise

    def flush(self, facts: FileFacts, reader: Reader) -> Broken | None:
        """Make a FlowFile of the records that wait for more, as at the end of a file."""
        if not self._group:
            return None
        group, span = self._group, self._span
        self._group, self._span, self._group_bytes = [], [], 0
        attributes = {**facts.attributes, "mime.type": "application/x-ndjson"}
        attributes["record.count"] = str(len(group))
        content = b"".join(_line(line) for _, _, line in group)
        if self._properties.output is Output.PARQUET:
            attributes["mime.type"] = "application/vnd.apache.parquet"
            try:
                content = _parquet([fields for _, fields, _ in group], reader.schema)
            except (ValueError, TypeError, NotImplementedError) as error:
                first = group[0][0]
                reason = f"records must have one type per column; got {_first(error)}"
                return Broken(first.row, first.line, reason, content)
        self._add(facts, group[0][0], content, attributes, span)
        return None

    def _add(
        self,
        facts: FileFacts,
        record: Record,
        content: bytes,
        attributes: dict[str, str],
        times: list[int],
    ) -> None:
        attributes["lake.row"] = str(record.row)
        for name, column in self._properties.attributes.items():
            value = find(record.fields, facts.partitions, column)
            if value is not None:
                attributes[name] = to_text(value)
        if times:
            self._spans[len(self._contents)] = min(times), max(times)
            self.greatest = max(*times, self.greatest or times[0])
        self._bytes += len(content)
        self._contents.append(content)
        self._attributes.append(attributes)

    def fail(self, facts: FileFacts, broken: Broken) -> None:
        """Send what is broken to failure, with its place and reason."""
        self.scanned += 1
        self._failed += 1
        place = f" line {broken.line}" if broken.line else f" row {broken.row}"
        message = (
            f"processor {self._context.id!r} (ReadDataLake): file {facts.path!r}{place}: "
            f"{broken.reason}"
        )
        raw = broken.raw[:_RAW]
        made = self._session.create(raw, {**facts.attributes, "lake.row": str(broken.row)})
        self._bytes += len(raw)
        extra = {"error_reason": broken.reason, "error_line": str(broken.line)}
        self._session.fail(made, message, **extra)
        self._session.adjust_counter("lake.failures")

    def finish(self) -> None:
        """Create and transfer what was read."""
        contents, attributes = self._contents, self._attributes
        if max(map(len, contents), default=0) <= INLINE_LIMIT:
            made = self._session.create_many(contents, attributes, ingest=None)
        else:
            create = self._session.create
            made = [create(c, a) for c, a in zip(contents, attributes, strict=True)]
        for index, span in self._spans.items():
            # Nobody else has seen it yet, so it may still be changed in place.
            made[index].event_time, made[index].event_last = span
        self._session.transfer(made, "success")


def event_time(properties: LakeProperties) -> EventTime | None:
    """Who reads event times, if anybody."""
    if properties.event_time is None:
        return None
    return EventTime(properties.event_time, properties.event_time_format, properties.time_zone)


def find(fields: Mapping[str, Any], partitions: Mapping[str, Any], name: str) -> Any:
    """The value of a column or, where the file has none, of a partition key."""
    value = value_at(fields, name)
    return partitions.get(name) if value is None else value


def _line(content: bytes) -> bytes:
    # A line end inside JSON stands between tokens only, where a space means the same.
    return content.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def _parquet(rows: list[dict[str, Any]], schema: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fitting = schema is not None and all(name in schema.names for name in rows[0])
    chosen = pa.schema([schema.field(name) for name in rows[0]]) if fitting else None
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=chosen), sink)
    return bytes(sink.getvalue())


def _first(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def base_of(path: str) -> str:
    """The folder that the attribute ``path`` is relative to."""
    local = "://" not in path
    full = os.path.abspath(os.path.expanduser(path)) if local else path
    for mark in "*?[":
        full = full.partition(mark)[0] if mark in full else full
    if local and os.path.isdir(full):
        return full
    return full.rstrip("/") if full == path.rstrip("/") and not local else full.rpartition("/")[0]
