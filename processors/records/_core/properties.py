"""What record processors can be told about formats and schemas."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flowengine.processor import ProcessorProperties
from processors.records._core.formats import InputFormat, OutputFormat
from processors.records._core.reading import Reading
from processors.records._core.schemas import arrow_schema

RESERVED: Final = ("original", "failure", "unmatched", "success")


def _check_schema(definition: dict[str, Any]) -> dict[str, Any]:
    try:
        arrow_schema(definition)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{error}" if type(error) is ValueError else f"must be a schema; got {error!r}"
        raise PydanticCustomError("schema", "{message}", {"message": message}) from None
    return definition


def _check_relationship(name: str) -> str:
    if name != name.strip() or not name:
        rule = "must be a relationship's name without blanks around it"
    elif name in RESERVED:
        rule = f"must differ from {', '.join(RESERVED)}"
    else:
        return name
    message = f"{rule}; got {name!r:.80}"
    raise PydanticCustomError("relationship", "{message}", {"message": message})


RecordSchema = Annotated[dict[str, Any], AfterValidator(_check_schema)]
RelationshipName = Annotated[str, AfterValidator(_check_relationship)]


class ReadProperties(ProcessorProperties):
    """How records are read."""

    input_format: InputFormat = Field(
        InputFormat.AUTO,
        description="Format of the content. `auto` looks at its first bytes; CSV is recognised by "
        "the attributes `mime.type` and `filename`.",
    )
    record_schema: RecordSchema | None = Field(
        None,
        description="JSON Schema or Avro schema of the records: fields that it does not name are "
        "left out, texts become times where it says so. By default the schema is inferred.",
    )
    csv_delimiter: str = Field(",", min_length=1, max_length=1, description="Between CSV values.")
    csv_header: bool = Field(True, description="Whether the first line of a CSV names the columns.")
    csv_infer: bool = Field(
        True,
        description="Whether numbers, booleans and times are recognised in CSV; else all is text.",
    )

    def reading(self) -> Reading:
        """The same for the reader."""
        given = self.record_schema
        schema = None if given is None else arrow_schema(given)
        return Reading(self.csv_delimiter, self.csv_header, self.csv_infer, schema)


class WriteProperties(ReadProperties):
    """How records are read and written."""

    output_format: OutputFormat = Field(
        OutputFormat.SAME,
        description="Format of what is written. `same` is that of the input; `arrow` is the "
        "quickest between record processors.",
    )
