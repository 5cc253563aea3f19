"""What ReadDataLake can be told."""

from __future__ import annotations

import codecs
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from flowengine.processor import ProcessorProperties, When
from flowengine.units import DataSize, Duration, Secret, parse_duration, parse_size
from processors.read_data_lake.compression import Compression
from processors.read_data_lake.csv_rows import ColumnType
from processors.read_data_lake.filters import RowFilter
from processors.read_data_lake.formats import Format

Text = Annotated[str, StringConstraints(min_length=1)]


class Mode(StrEnum):
    """Whether to end after what is there."""

    ONCE = "once"
    WATCH = "watch"


class Order(StrEnum):
    """Which file comes first."""

    PATH = "path"
    TIME = "time"


class Output(StrEnum):
    """How records are written."""

    NDJSON = "ndjson"
    PARQUET = "parquet"


class LakeProperties(ProcessorProperties):
    """What to read, how, and what to make of it."""

    path: Text = Field(
        description="A folder, a file or a pattern (`lake/*/*.json`, `**` for any depth), local or "
        "`s3://`, `gs://`, `az://`. Names that start with `.` or `_` are passed over."
    )
    recurse: bool = Field(True, description="Read the folders inside a folder too.")
    format: Format = Field(
        Format.AUTO, description="Format of the files; by default by their suffix."
    )
    compression: Compression = Field(
        Compression.AUTO, description="Compression of the files; by default by their suffix."
    )
    mode: Mode = Field(
        Mode.ONCE,
        description="`once`: read what is there and complete. `watch`: wait for new files; a file "
        "whose time or size changes later counts as new.",
    )
    order: Order = Field(Order.PATH, description="Read files by path, or by time of last change.")
    poll_interval: Annotated[Duration, When(mode="watch")] = Field(
        parse_duration("5 sec"), description="With `watch`: time between two looks for new files."
    )
    minimum_age: Duration = Field(
        parse_duration("0 sec"),
        description="With `watch`: leave a file alone until it has not changed for so long, where "
        "writers do not rename it into place.",
    )
    columns: tuple[Text, ...] = Field(
        (),
        description="Columns to read (`address.city` inside an object; partition keys too); by "
        "default all that the file has.",
    )
    filter: RowFilter | None = Field(
        None,
        description="Rows to read: `year == 2026 and country in ('NL', 'BE')`, with `is None`, "
        "`not` and `or`. Skips whole files by partition, and row groups of Parquet.",
    )
    attributes: dict[Text, Text] = Field(
        {}, description="Attribute → column whose value it takes; a missing value gives none."
    )
    records_per_flowfile: int = Field(
        1, ge=1, le=1_000_000, description="Records in each FlowFile, at most; never of two files."
    )
    output: Output = Field(
        Output.NDJSON,
        description="Content of FlowFiles: JSON (one record), NDJSON (several), or `parquet`.",
    )
    event_time: Text | None = Field(None, description="Column with the time of a record.")
    event_time_format: Text = Field(
        "iso",
        description="`iso` (ISO 8601), `s`, `ms`, `us` or `ns` since 1970, or a strptime pattern.",
    )
    time_zone: str = Field("UTC", description="Zone of event times that do not say their own.")
    out_of_orderness: Duration = Field(
        parse_duration("0 sec"), description="How far event times may lag behind the greatest."
    )
    header: Annotated[tuple[Text, ...], When(format=("auto", "csv"))] = Field(
        (), description="CSV: names of the columns, for files without a header row."
    )
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = Field(
        None, description="CSV: what separates fields; by default a comma, a tab in .tsv."
    )
    types: dict[Text, ColumnType] = Field(
        {},
        description="Column → type, for CSV and partition keys: text, integer, number, boolean. By "
        "default CSV gives text, and a partition value of digits is an integer.",
    )
    encoding: Text = Field("utf-8", description="Encoding of text files.")
    maximum_record: DataSize = Field(
        parse_size("16 MB"), description="Longest record; a longer one goes to `failure`."
    )
    delete_after: bool = Field(
        False,
        description="Delete a file once all its records are on the engine's disk; a file with a "
        "failure is kept.",
    )
    endpoint: str | None = Field(
        None, description="URL of an S3 or GCS compatible server; else `AWS_ENDPOINT_URL`."
    )
    region: str | None = Field(None, description="S3: region of the bucket.")
    account: str | None = Field(None, description="Azure: name of the storage account.")
    access_key: Secret | None = Field(
        None, description="S3: access key id; by default from the environment, as the AWS CLI does."
    )
    secret_key: Secret | None = Field(
        None, description="S3: secret access key; Azure: account key."
    )
    anonymous: bool = Field(False, description="S3, GCS: do not sign requests.")

    @field_validator("encoding")
    @classmethod
    def _ascii_based(cls, name: str) -> str:
        try:
            plain = "a,\n".encode(codecs.lookup(name).name) == b"a,\n"
        except (LookupError, UnicodeError):
            plain = False
        if not plain:
            _refuse(f"must be an encoding that extends ASCII, such as 'latin-1'; got {name!r:.80}")
        return codecs.lookup(name).name

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            _refuse(f"must be a time zone such as 'Europe/Amsterdam'; got {name!r:.80}")
        return name

    @field_validator("path")
    @classmethod
    def _is_reachable(cls, path: str) -> str:
        scheme, found, _ = path.partition("://")
        if found and scheme not in ("s3", "gs", "az", "file"):
            _refuse(f"must start with s3://, gs://, az:// or be local; got {path!r:.80}")
        return path

    @field_validator("records_per_flowfile")
    @classmethod
    def _one_with_attributes(cls, count: int, info: ValidationInfo) -> int:
        if count > 1 and info.data.get("attributes"):
            _refuse(f"must be 1 with attributes from columns; got {count}")
        return count


def _refuse(message: str) -> None:
    raise PydanticCustomError("lake", "{message}", {"message": message})
