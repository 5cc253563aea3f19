"""What GenerateRecords can be told."""

from __future__ import annotations

import re
import warnings
from enum import StrEnum
from typing import Annotated, Final

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from flowengine.errors import PropertyError
from flowengine.processor import ProcessorProperties
from flowengine.units import DataSize, Duration, parse_duration
from processors.generate_records.providers import Definition
from processors.generate_records.recipe import check_schema, is_instant

_RATE: Final = re.compile(r"\s*(\d{1,9})\s*/\s*(.+)")


class Format(StrEnum):
    """How records are written."""

    JSON = "json"
    NDJSON = "ndjson"


class Pace:
    """So many records per period; ``text`` is as it was written, such as ``10/s``."""

    def __init__(self, text: str) -> None:
        match = _RATE.fullmatch(text)
        if match is None or int(match[1]) < 1:
            raise PropertyError(f"must be records per time such as '10/s'; got {text!r:.80}")
        length = match[2] if match[2][0].isdigit() else f"1 {match[2]}"
        self.text, self.amount, self.period = text, int(match[1]), int(parse_duration(length))
        if self.period < 1:
            raise PropertyError(f"must be records per time such as '10/s'; got {text!r:.80}")


def _pace(value: object) -> Pace:
    if isinstance(value, Pace):
        return value
    try:
        return Pace(value if isinstance(value, str) else repr(value))
    except PropertyError as error:
        raise PydanticCustomError("rate", "{message}", {"message": str(error)}) from None


PaceProperty = Annotated[
    Pace,
    BeforeValidator(_pace),
    PlainSerializer(lambda pace: pace.text),
    WithJsonSchema({"type": "string", "examples": ["10/s", "600/min"]}),
]


# Pydantic warns that the field hides a deprecated method of its own.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", 'Field name "schema"')

    class RecordProperties(ProcessorProperties):
        """What to make; bound to the processor below."""

        locale: str = Field("en_US", description="Language and country of Faker's values.")
        schema: dict[str, Definition] = Field(  # type: ignore[assignment]
            {},
            description='Field → provider: a name, or `{"provider": …}` with arguments. Quick: '
            "sequence (start, step), constant (value), uuid, random_int and random_float (min, "
            "max), choice (values, weights), timestamp (start, step, jitter, format), now. All "
            "others are Faker's, such as name, city or date_of_birth.",
        )
        seed: int = Field(0, description="The same seed makes the same records.")
        count: int = Field(0, ge=0, description="Records to make; 0 never ends.")
        rate: PaceProperty | None = Field(
            None, description="Records per time such as `10/s`; by default as fast as possible."
        )
        format: Format = Field(
            Format.JSON, description="`json`: one record per FlowFile; `ndjson`: one per line."
        )
        records_per_flowfile: int = Field(
            1, ge=1, le=1_000_000, description="Records in each FlowFile, with `ndjson`."
        )
        attributes: dict[str, str] = Field(
            {}, description="Attribute → field whose value it takes; of the first record."
        )
        event_time: str | None = Field(
            None, description="The field (timestamp or now) that is the FlowFile's event time."
        )
        out_of_orderness: Duration = Field(
            parse_duration("0 sec"), description="How far event times lag behind the greatest."
        )
        content_size: DataSize | None = Field(
            None,
            description="Fill each content up to this size with spaces; without a schema, "
            "contents are so many letters x.",
        )

        @field_validator("schema")
        @classmethod
        def _makes(
            cls, schema: dict[str, Definition], info: ValidationInfo
        ) -> dict[str, Definition]:
            try:
                check_schema(schema, info.data.get("locale", "en_US"))
            except ValueError as error:
                raise _wrong(str(error)) from None
            return schema

        @field_validator("records_per_flowfile")
        @classmethod
        def _fits_format(cls, count: int, info: ValidationInfo) -> int:
            if count > 1 and info.data.get("format") is Format.JSON:
                raise _wrong(f"must be 1 with format 'json'; got {count}. Use 'ndjson'")
            return count

        @field_validator("attributes")
        @classmethod
        def _are_fields(cls, attributes: dict[str, str], info: ValidationInfo) -> dict[str, str]:
            known = info.data.get("schema", attributes.values())
            for name in attributes.values():
                if name not in known:
                    raise _wrong(f"must name fields of the schema; got {name!r}")
            return attributes

        @field_validator("event_time")
        @classmethod
        def _is_a_time(cls, name: str | None, info: ValidationInfo) -> str | None:
            schema = info.data.get("schema")
            if name is None or schema is None or (name in schema and is_instant(schema[name])):
                return name
            raise _wrong(f"must name a field made by timestamp or now; got {name!r}")


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("records", "{message}", {"message": message})
