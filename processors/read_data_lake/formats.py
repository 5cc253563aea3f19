"""From a file to its records: format and compression by suffix or setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

import orjson

from processors.read_data_lake.compression import DAMAGE, Compression, decompress, split_suffix
from processors.read_data_lake.csv_rows import CsvReader
from processors.read_data_lake.json_values import JsonReader
from processors.read_data_lake.lines import Lines, NdjsonReader
from processors.read_data_lake.parquet import ParquetReader
from processors.read_data_lake.records import Broken, BrokenFile, Place, Record
from processors.read_data_lake.storage import Entry, Storage

if TYPE_CHECKING:
    from processors.read_data_lake.properties import LakeProperties

_SNIFF: Final = 1 << 16


class Format(StrEnum):
    """How records stand in a file."""

    AUTO = "auto"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


_SUFFIXES: Final = {
    "json": Format.JSON,
    "geojson": Format.JSON,
    "ndjson": Format.NDJSON,
    "jsonl": Format.NDJSON,
    "csv": Format.CSV,
    "tsv": Format.CSV,
    "tab": Format.CSV,
    "parquet": Format.PARQUET,
    "pq": Format.PARQUET,
}


class Reader(Protocol):
    """The records of one file, in order. Iterating raises BrokenFile or Unreachable.

    schema:   the Arrow schema where the file has one
    filtered: whether the row filter has been applied
    """

    schema: Any
    filtered: bool

    @property
    def place(self) -> Place:
        """How far it has come: after the record that it gave last."""

    def __iter__(self) -> Iterator[Record | Broken]:
        """What is left."""

    def close(self) -> None:
        """Close the file."""


def format_of(path: str, setting: Format) -> Format | None:
    """The format of a file, None when nothing says it."""
    if setting is not Format.AUTO:
        return setting
    return _SUFFIXES.get(split_suffix(path)[0].rpartition("/")[2].rpartition(".")[2].lower())


def open_reader(
    storage: Storage,
    entry: Entry,
    place: Place,
    properties: LakeProperties,
    columns: Sequence[str] | None,
    partitions: Mapping[str, Any],
) -> Reader:
    """A reader that continues after ``place``.

    Raises OSError, Unreachable, or BrokenFile when not even its beginning can be read.
    """
    kind = format_of(entry.path, properties.format)
    if kind is None:
        raise BrokenFile("file must end with .json, .ndjson, .csv or .parquet, or 'format' be set")
    if kind is Format.PARQUET:
        if not entry.size:
            raise BrokenFile("file must be Parquet; got an empty file")
        system, path = storage.arrow(entry.path)
        return ParquetReader(system, path, place, columns, properties.filter, partitions)
    compression = properties.compression
    if compression is Compression.AUTO:
        compression = split_suffix(entry.path)[1]
    if kind is Format.JSON and _one_per_line(storage, entry, compression):
        kind = Format.NDJSON
    stream = decompress(storage.open(entry.path), compression)
    try:
        return _text_reader(kind, stream, entry, place, properties, compression)
    except BaseException:
        stream.close()
        raise


def _text_reader(
    kind: Format,
    stream: BinaryIO,
    entry: Entry,
    place: Place,
    properties: LakeProperties,
    compression: Compression,
) -> Reader:
    limit, encoding = properties.maximum_record, properties.encoding
    if kind is Format.JSON:
        return JsonReader(stream, limit, encoding, place)
    lines = Lines(stream, limit, encoding, seekable=compression is Compression.NONE)
    if kind is Format.NDJSON:
        return NdjsonReader(lines, place)
    delimiter = properties.delimiter or ("\t" if _tabs(entry.path) else ",")
    return CsvReader(lines, place, limit, delimiter, properties.header, properties.types)


def _tabs(path: str) -> bool:
    return split_suffix(path)[0].lower().endswith((".tsv", ".tab"))


def _one_per_line(storage: Storage, entry: Entry, compression: Compression) -> bool:
    """Whether a .json file has one object per line, as many lakes do: those lines fail singly."""
    with decompress(storage.open(entry.path), compression) as stream:
        try:
            first, second = stream.readline(_SNIFF).strip(), stream.read(_SNIFF).strip()
        except DAMAGE:
            return True  # lines up to the damage can still be read
    if not first.startswith(b"{") or not second.startswith(b"{"):
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return True
