"""Check each record against a JSON Schema. Source: NiFi ``ValidateRecord``."""

from __future__ import annotations

from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
from flowengine.flowfile import FlowFile
from flowengine.processor import (
    Example,
    Expected,
    Given,
    NifiNote,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import ProcessSession
from processors.records._core.processor import WRITES, RecordProcessor, child, rewrite
from processors.records._core.properties import WriteProperties
from processors.records._core.tables import Records, first_line
from processors.records._core.writing import as_json

_REASONS: Final = 100  # records whose reasons an attribute holds
_PER_RECORD: Final = 5


def _check(definition: dict[str, Any]) -> dict[str, Any]:
    try:
        _validator(definition, formats=True)
    except ValueError as error:
        message = f"must be a JSON Schema; got {first_line(error)}"
        raise PydanticCustomError("schema", "{message}", {"message": message}) from None
    return definition


def _validator(definition: dict[str, Any], *, formats: bool) -> Any:
    """A schema may name only itself: `offline` keeps it from files and the network."""
    import jsonschema_rs

    return jsonschema_rs.validator_for(definition, validate_formats=formats, offline=True)


JsonSchema = Annotated[dict[str, Any], AfterValidator(_check)]


class ValidateRecord(RecordProcessor):
    """Separate the records that a JSON Schema accepts from those that it refuses.

    Where a FlowFile has both, `valid` gets the FlowFile with the good ones and `invalid` a new one
    with the others. Where it has only one kind, it goes there unchanged.
    """

    tags = ("record", "validate", "json schema", "quality", "filter")
    writes = {
        **WRITES,
        "record.errors": "Why records are invalid: JSON, a list of objects with `record` (its "
        "number in the input), `path` and `reason`; for the first 100 of them.",
    }
    nifi = NifiNote(
        "ValidateRecord",
        {
            "input_format": "Record Reader",
            "output_format": "Record Writer",
            "schema_definition": "Schema Text",
        },
    )

    class Properties(WriteProperties):
        schema_definition: JsonSchema = Field(
            description="JSON Schema that each record must satisfy; `$ref` only inside of it."
        )
        check_formats: bool = Field(
            True, description="Whether `format`, such as `date-time` or `email`, is checked."
        )
        reason_field: str = Field(
            "", description="Field of invalid records that says why; by default none is added."
        )

    properties: Properties
    valid = Relationship("Records that satisfy the schema.")
    invalid = Relationship("Records that do not, with reasons.", failure=True)

    examples = (
        Example(
            "A price must be a number above 0",
            properties={
                "schema_definition": {
                    "properties": {"price": {"type": "number", "exclusiveMinimum": 0}},
                    "required": ["price"],
                },
                "reason_field": "why",
            },
            given=(Given('{"price":1}\n{"price":0}\n{"price":2}'),),
            expect={
                "valid": (Expected('{"price":1}\n{"price":2}', {"record.count": "2"}),),
                "invalid": (
                    Expected(
                        '{"price":0,"why":"/price: 0 is less than or equal to the minimum of 0"}',
                        {"record.count": "1"},
                    ),
                ),
            },
        ),
    )

    def __init__(self, properties: ProcessorProperties) -> None:
        super().__init__(properties)
        chosen = self.properties
        self._validator = _validator(chosen.schema_definition, formats=chosen.check_formats)

    def take(self, context: ProcessContext, session: ProcessSession, flowfile: FlowFile) -> None:
        records, kind = self.read(session, flowfile)
        reasons = self._reasons(records)
        count = {"record.count": str(len(records))}
        if not reasons:
            session.transfer(flowfile.with_attributes(count), self.valid)
            return
        bad = self.encode(self._marked(records, reasons), kind)
        errors = {"record.errors": _attribute(reasons)}
        if len(reasons) == len(records):
            changed = rewrite(session, flowfile, bad) if self.properties.reason_field else flowfile
            session.transfer(changed.with_attributes({**count, **errors}), self.invalid)
            return
        good = self.encode(records.take([n for n in range(len(records)) if n not in reasons]), kind)
        session.transfer(child(session, flowfile, bad, errors), self.invalid)
        session.transfer(rewrite(session, flowfile, good), self.valid)

    def _reasons(self, records: Records) -> dict[int, list[dict[str, str]]]:
        """Place of an invalid record → what is wrong with it."""
        validator, rows = self._validator, records.rows
        if not records.plain:  # times and decimals, as a reader of JSON would see them
            rows = [orjson.loads(orjson.dumps(row, default=as_json)) for row in rows]
        return {
            index: _problems(validator, row)
            for index, row in enumerate(rows)
            if not validator.is_valid(row)
        }

    def _marked(self, records: Records, reasons: dict[int, list[dict[str, str]]]) -> Records:
        chosen, field = records.take(list(reasons)), self.properties.reason_field
        if not field:
            return chosen
        texts = ["; ".join(_sentence(one) for one in found) for found in reasons.values()]
        rows = [{**row, field: text} for row, text in zip(chosen.rows, texts, strict=True)]
        return Records(rows, plain=records.plain)


def _problems(validator: Any, row: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    for error in validator.iter_errors(row):
        path = "".join(f"/{part}" for part in error.instance_path)
        found.append({"path": path, "reason": error.message})
        if len(found) == _PER_RECORD:
            break
    return found


def _sentence(problem: dict[str, str]) -> str:
    return f"{problem['path']}: {problem['reason']}" if problem["path"] else problem["reason"]


def _attribute(reasons: dict[int, list[dict[str, str]]]) -> str:
    some = list(reasons.items())[:_REASONS]
    return orjson.dumps([{"record": n + 1, **one} for n, found in some for one in found]).decode()
