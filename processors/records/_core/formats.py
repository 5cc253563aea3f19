"""Formats of records, and how one is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from flowengine.arrow_text import RecordError

__all__ = ["MIME_TYPES", "InputFormat", "OutputFormat", "RecordError", "RecordFormat", "recognise"]


class RecordFormat(StrEnum):
    """How records are written."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    AVRO = "avro"
    PARQUET = "parquet"
    ARROW = "arrow"


class InputFormat(StrEnum):
    """What a content is, or that it is to be looked at."""

    AUTO = "auto"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    AVRO = "avro"
    PARQUET = "parquet"
    ARROW = "arrow"


class OutputFormat(StrEnum):
    """What is written."""

    SAME = "same"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    AVRO = "avro"
    PARQUET = "parquet"
    ARROW = "arrow"


MIME_TYPES: Final = {
    RecordFormat.JSON: "application/json",
    RecordFormat.NDJSON: "application/x-ndjson",
    RecordFormat.CSV: "text/csv",
    RecordFormat.AVRO: "application/avro",
    RecordFormat.PARQUET: "application/vnd.apache.parquet",
    RecordFormat.ARROW: "application/vnd.apache.arrow.stream",
}
_MAGIC: Final = (
    (b"PAR1", RecordFormat.PARQUET),
    (b"Obj\x01", RecordFormat.AVRO),
    (b"ARROW1", RecordFormat.ARROW),
    (b"\xff\xff\xff\xff", RecordFormat.ARROW),
)


def recognise(content: bytes, attributes: Mapping[str, str]) -> RecordFormat:
    """The format that a content has: by its first bytes, else by attributes.

    Objects one after the other, or a single one, are NDJSON; an array of them is JSON.
    Raises RecordError when nothing says it.
    """
    for magic, found in _MAGIC:
        if content.startswith(magic):
            return found
    if "csv" in attributes.get("mime.type", "") or attributes.get("filename", "").endswith(".csv"):
        return RecordFormat.CSV
    start = content[:4096].lstrip()
    if start.startswith(b"["):
        return RecordFormat.JSON
    if start.startswith(b"{") or not start:
        return RecordFormat.NDJSON
    raise RecordError(
        f"content must be JSON, NDJSON, Avro, Parquet or Arrow; got {content[:20]!r}. "
        "Set 'input_format'"
    )
