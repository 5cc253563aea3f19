"""From Kafka records to FlowFiles: one each, or many joined into one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec

from flowengine.content import INLINE_LIMIT
from flowengine.flowfile import FlowFile
from flowengine.session import ProcessSession
from processors.kafka._core import (
    CONSUMER,
    COUNT,
    HEADER_COUNT,
    KEY,
    LAST_OFFSET,
    OFFSET,
    PARTITION,
    TIMESTAMP,
    TOMBSTONE,
    TOPIC,
    KeyEncoding,
)
from processors.kafka.handover import Batch

LOG_APPEND_TIME: Final = 1
_raw = msgspec.json.Decoder(msgspec.Raw)
_BLANKS: Final = (b"\r", b" \n", b"\n ", b"\t\n", b"\n\t")


class Output(StrEnum):
    """How records become FlowFiles."""

    EACH = "one per message"
    DEMARCATOR = "demarcator"
    NDJSON = "NDJSON"


class HeaderFormat(StrEnum):
    """How header values stand in attributes."""

    STRING = "string"
    HEX = "hex"


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


@dataclass(frozen=True)
class Format:
    """What ConsumeKafka's properties say about FlowFiles.

    header_pattern: headers whose whole name matches become attributes
    event_time:     whether the record's timestamp is the event time
    """

    output: Output
    demarcator: bytes
    separate_by_key: bool
    key_encoding: KeyEncoding
    header_pattern: str | None
    header_prefix: str
    header_format: HeaderFormat
    event_time: bool


class Bundler:
    """Makes FlowFiles of the records of one partition. Created once, used for every batch."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._key: Callable[[bytes], str] = (
            bytes.hex if form.key_encoding is KeyEncoding.HEX else _text
        )
        self._has_key = form.key_encoding is not KeyEncoding.NONE
        self._wants = (
            lru_cache(4096)(re.compile(form.header_pattern).fullmatch)
            if form.header_pattern
            else None
        )

    def make(
        self, session: ProcessSession, batch: Batch, consumer: str, received: int
    ) -> tuple[list[FlowFile], list[FlowFile]]:
        """FlowFiles for success, and those of unparsable records."""
        base = {TOPIC: batch.topic, PARTITION: str(batch.partition), CONSUMER: consumer}
        if self._form.output is Output.EACH:
            return self._one_each(session, batch.records, base, received), []
        if self._form.output is Output.DEMARCATOR:
            return self._joined(session, batch.records, base, received), []
        good, bad = _split_valid(batch.records)
        made = self._joined(session, good, base, received) if good else []
        return made, self._one_each(session, bad, base, received)

    # -- one each ------------------------------------------------------------------------------

    def _one_each(
        self, session: ProcessSession, records: list[Any], base: dict[str, str], received: int
    ) -> list[FlowFile]:
        if not records:
            return []
        contents = [record.value or b"" for record in records]
        attributes = [
            {
                **base,
                OFFSET: str(record.offset),
                TIMESTAMP: str(record.timestamp),
                HEADER_COUNT: str(len(record.headers)),
            }
            for record in records
        ]
        self._decorate(records, attributes)
        ingest = _ingest_times(records, received)
        made = _create(session, contents, attributes, ingest)
        if self._form.event_time:
            rows = zip(made, records, strict=True)
            made = [flowfile.with_event_time(record.timestamp * 1000) for flowfile, record in rows]
        return made

    def _decorate(self, records: list[Any], attributes: list[dict[str, str]]) -> None:
        """Add what only some records have: key, null value, wanted headers."""
        key, has_key, wants = self._key, self._has_key, self._wants
        for record, written in zip(records, attributes, strict=True):
            if has_key and record.key is not None:
                written[KEY] = key(record.key)
            if record.value is None:
                written[TOMBSTONE] = "true"
            if wants is not None and record.headers:
                written.update(self._headers(record))

    def _headers(self, record: Any) -> dict[str, str]:
        form, wants = self._form, self._wants
        show = bytes.hex if form.header_format is HeaderFormat.HEX else _text
        prefix = form.header_prefix
        return {
            prefix + name: show(value or b"")
            for name, value in record.headers
            if wants is not None and wants(name)
        }

    # -- joined --------------------------------------------------------------------------------

    def _joined(
        self, session: ProcessSession, records: list[Any], base: dict[str, str], received: int
    ) -> list[FlowFile]:
        """One FlowFile for all, or one per key and per values of the wanted headers."""
        groups: dict[Any, list[Any]] = {}
        if self._form.separate_by_key or self._wants is not None:
            for record in records:
                groups.setdefault(self._group_of(record), []).append(record)
        else:
            groups[None] = records
        return [self._join(session, group, base, received) for group in groups.values()]

    def _group_of(self, record: Any) -> Any:
        key = record.key if self._form.separate_by_key else None
        headers = tuple(self._headers(record).items()) if self._wants is not None else ()
        return key, headers

    def _join(
        self, session: ProcessSession, records: list[Any], base: dict[str, str], received: int
    ) -> FlowFile:
        first, last = records[0], records[-1]
        attributes = {
            **base,
            OFFSET: str(first.offset),
            LAST_OFFSET: str(last.offset),
            COUNT: str(len(records)),
            TIMESTAMP: str(first.timestamp),
        }
        if self._form.separate_by_key and self._has_key and first.key is not None:
            attributes[KEY] = self._key(first.key)
        if self._wants is not None:
            attributes.update(self._headers(first))
        content = self._content(records)
        [made] = _create(session, [content], [attributes], _ingest_times([first], received))
        if not self._form.event_time:
            return made
        times = [record.timestamp * 1000 for record in records]
        return made.with_event_time(min(times), max(times))

    def _content(self, records: list[Any]) -> bytes:
        if self._form.output is Output.DEMARCATOR:
            return self._form.demarcator.join([record.value or b"" for record in records])
        joined = _plain_lines(records)
        if joined is not None:
            return joined + b"\n"
        lines = [b"null" if record.value is None else _one_line(record.value) for record in records]
        return b"\n".join(lines) + b"\n"


def _create(
    session: ProcessSession,
    contents: list[bytes],
    attributes: list[dict[str, str]],
    ingest: list[int],
) -> list[FlowFile]:
    if max(map(len, contents)) <= INLINE_LIMIT:
        return session.create_many(contents, attributes, ingest=ingest)
    rows = zip(contents, attributes, ingest, strict=True)
    return [session.create(data, names, ingest_time=time) for data, names, time in rows]


def _ingest_times(records: list[Any], received: int) -> list[int]:
    """The broker's time where it stamps records when they arrive, else when we received them."""
    if records[0].timestamp_type == LOG_APPEND_TIME:
        return [record.timestamp * 1000 for record in records]
    return [received] * len(records)


def _split_valid(records: list[Any]) -> tuple[list[Any], list[Any]]:
    """Records whose value is one JSON text, or null, and the others."""
    joined = _plain_lines(records)
    if joined is not None and _are_json(joined, len(records)):
        return records, []
    good: list[Any] = []
    bad: list[Any] = []
    for record in records:
        (good if record.value is None or _is_json(record.value) else bad).append(record)
    return good, bad


def _plain_lines(records: list[Any]) -> bytes | None:
    """All values as lines, where each is a line already, without blanks around it; else None.

    Looking at all of them together is several times as quick as one by one.
    """
    values = [record.value for record in records]
    if None in values:
        return None
    joined: bytes = b"\n".join(values)
    around = (joined[:1] + joined[-1:]).strip()
    if len(around) < 2 or joined.count(b"\n") != len(values) - 1:
        return None
    return None if any(blank in joined for blank in _BLANKS) else joined


def _are_json(lines: bytes, count: int) -> bool:
    """Whether these lines are so many JSON texts."""
    try:
        found = _raw.decode_lines(lines)
        return len(found) == count and (lines.isascii() or bool(lines.decode()))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _is_json(value: bytes) -> bool:
    try:
        _raw.decode(value)
        return value.isascii() or bool(value.decode())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _one_line(value: bytes) -> bytes:
    """JSON without line breaks, which inside of strings are always escaped."""
    value = value.strip()
    if b"\n" not in value and b"\r" not in value:
        return value
    return b" ".join(line.strip() for line in value.splitlines())
