"""Take values out of JSON content. Source: NiFi ``EvaluateJsonPath``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, TypeAlias

import orjson
from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
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
from flowengine.units import DataSize, format_size, parse_size

Find: TypeAlias = Callable[[Any], Any]

MISSING: Final = object()

_NAME = r"[^\W\d]\w*"
_STEP: Final = re.compile(rf"\.({_NAME})|\[(0|-?[1-9]\d{{0,8}})\]|\['([^'\\\\]*)'\]")
_SIMPLE: Final = re.compile(rf"\$(?:{_STEP.pattern})*")


class Destination(StrEnum):
    """Where the values go."""

    ATTRIBUTE = "flowfile-attribute"
    CONTENT = "flowfile-content"


class ReturnType(StrEnum):
    """What a value may be."""

    AUTO = "auto"
    JSON = "json"
    SCALAR = "scalar"


class NotFound(StrEnum):
    """What becomes of an attribute whose path leads nowhere."""

    IGNORE = "ignore"
    WARN = "warn"
    SKIP = "skip"


class NullValue(StrEnum):
    """How null is written."""

    EMPTY = "empty string"
    NULL = "the string 'null'"


def compile_path(path: str) -> Find:
    """A function from a decoded document to the value, or to MISSING.

    A path that may lead to several values gives the list of them. Names and indexes alone are
    walked here; the library is imported for anything else. Raises ValueError for what is no path.
    """
    if _SIMPLE.fullmatch(path):
        return _walker([_step(match) for match in _STEP.finditer(path)])
    if not path.startswith("$"):
        raise ValueError("it must begin with $")
    return _by_library(path)


def _by_library(path: str) -> Find:
    from jsonpath import JSONPath, JSONPathError
    from jsonpath import compile as compile_any

    try:
        query = compile_any(path)
    except JSONPathError as error:
        raise ValueError(str(error).partition("\n")[0]) from None
    single = isinstance(query, JSONPath) and query.singular_query()

    def find(document: Any) -> Any:
        try:
            values: list[Any] = list(query.findall(document))
        except JSONPathError as error:
            raise ValueError(f"path {path!r} must fit the content; got {error}") from None
        return values if not single else values[0] if values else MISSING

    return find


def _step(match: re.Match[str]) -> str | int:
    name, index, quoted = match.groups()
    return int(index) if index is not None else quoted if name is None else name


def _walker(steps: list[str | int]) -> Find:
    pairs: list[tuple[Any, type[Any]]] = [
        (step, dict if isinstance(step, str) else list) for step in steps
    ]

    def walk(value: Any) -> Any:
        try:
            for step, kind in pairs:
                if type(value) is not kind:
                    return MISSING
                value = value[step]
        except LookupError:
            return MISSING
        return value

    return walk


def _check_path(path: str) -> str:
    try:
        compile_path(path)
    except ValueError as error:
        message = f"must be a JSONPath such as '$.user.name'; got {path!r:.80} ({error})"
        raise PydanticCustomError("json_path", "{message}", {"message": message}) from None
    return path


JsonPath = Annotated[
    str, AfterValidator(_check_path), WithJsonSchema({"type": "string", "format": "json-path"})
]
AttributeName = Annotated[str, StringConstraints(min_length=1)]


class EvaluateJsonPath(Processor):
    """Take values out of JSON content into attributes, or replace the content by one of them.

    Text is written without quotes, numbers, true and false as in JSON, objects and arrays as
    compact JSON. Whole numbers beyond 64 bits are read as floating point.
    """

    tags = ("json", "jsonpath", "extract", "attributes", "evaluate")
    writes = {"*": "One attribute for each entry of `paths`."}
    nifi = NifiNote(
        "EvaluateJsonPath",
        names={
            "path_not_found": "Path Not Found Behavior",
            "null_value": "Null Value Representation",
            "maximum_size": "Max String Length",
        },
        defaults={"destination": "flowfile-content", "return_type": "auto-detect"},
    )

    class Properties(ProcessorProperties):
        paths: dict[AttributeName, JsonPath] = Field(
            min_length=1,
            description="Attribute → JSONPath, such as `$.user.name`. For the content just one, "
            "under any name.",
        )
        destination: Destination = Field(
            Destination.ATTRIBUTE, description="Whether values go to attributes or to the content."
        )
        return_type: ReturnType = Field(
            ReturnType.AUTO,
            description="`scalar`: an object or array is a failure; `json`: anything goes; "
            "`auto`: scalar for attributes, json for the content.",
        )
        path_not_found: NotFound = Field(
            NotFound.IGNORE,
            description="For attributes whose path leads nowhere: `ignore` sets the empty text, "
            "`warn` does so with a bulletin, `skip` sets nothing.",
        )
        null_value: NullValue = Field(NullValue.EMPTY, description="How null is written.")
        maximum_size: DataSize = Field(
            parse_size("20 MB"), description="Larger content is a failure: it is read as a whole."
        )

        @field_validator("destination")
        @classmethod
        def _one_content(cls, destination: Destination, info: ValidationInfo) -> Destination:
            paths = info.data.get("paths", {})
            if destination is Destination.CONTENT and len(paths) > 1:
                message = f"must be flowfile-attribute with several paths; got '{destination}'"
                raise PydanticCustomError("destination", "{message}", {"message": message})
            return destination

    matched = Relationship("FlowFiles with the values that were found.")
    unmatched = Relationship("Destination content: FlowFiles whose path leads nowhere, unchanged.")
    failure = Relationship(
        "FlowFiles that are no JSON, or hold an object where a scalar is asked for.", failure=True
    )

    examples = (
        Example(
            "Read a key and a city for routing",
            properties={"paths": {"name": "$.name", "city": "$.address['city']"}},
            given=(
                Given('{"name": "Ada", "address": {"city": "London"}}'),
                Given('{"name": "Bob"}'),
                Given("not json"),
            ),
            expect={
                "matched": (
                    Expected(attributes={"name": "Ada", "city": "London"}),
                    Expected(attributes={"name": "Bob", "city": ""}),
                ),
                "failure": (Expected("not json", {"error.class": "JSONDecodeError"}),),
            },
        ),
        Example(
            "Keep the lines of large orders only",
            properties={
                "paths": {"lines": "$.lines[?@.amount > 10]"},
                "destination": "flowfile-content",
            },
            given=(Given('{"lines": [{"amount": 12}, {"amount": 3}]}'),),
            expect={"matched": (Expected('[{"amount":12}]'),)},
        ),
    )

    def __init__(self, properties: Properties) -> None:
        super().__init__(properties)
        self._finders = [(name, compile_path(path)) for name, path in properties.paths.items()]
        to_content = properties.destination is Destination.CONTENT
        chosen = properties.return_type
        self._any = chosen is ReturnType.JSON or (chosen is ReturnType.AUTO and to_content)
        self._null = "" if properties.null_value is NullValue.EMPTY else "null"
        self._finish = self._to_content if to_content else self._to_attributes

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        matched: list[FlowFile] = []
        unmatched: list[FlowFile] = []
        for flowfile in session.get_batch():
            try:
                document = self._decode(flowfile, session)
                found = self._finish(flowfile, document, context, session)
            except ValueError as error:
                session.fail(flowfile, error, self.failure)
                continue
            if found is None:
                unmatched.append(flowfile)
            else:
                matched.append(found)
        session.transfer(unmatched, self.unmatched)
        session.transfer(matched, self.matched)

    def _decode(self, flowfile: FlowFile, session: ProcessSession) -> Any:
        limit = self.properties.maximum_size
        if flowfile.size > limit:
            rule = f"content must be at most {format_size(limit)}; got {format_size(flowfile.size)}"
            raise ValueError(f"{rule}; raise 'maximum_size'")
        return orjson.loads(session.read(flowfile))

    def _to_content(
        self, flowfile: FlowFile, document: Any, context: ProcessContext, session: ProcessSession
    ) -> FlowFile | None:
        """The FlowFile with the one value as content; None when the path leads nowhere."""
        [(name, find)] = self._finders
        value = find(document)
        if value is MISSING:
            return None
        return session.write(flowfile, self._text(name, value).encode())

    def _to_attributes(
        self, flowfile: FlowFile, document: Any, context: ProcessContext, session: ProcessSession
    ) -> FlowFile:
        changes: dict[str, str] = {}
        for name, find in self._finders:
            value = find(document)
            changes[name] = value if type(value) is str else self._text(name, value)
            if value is MISSING:
                self._not_found(name, changes, context)
        return flowfile.with_attributes(changes)

    def _not_found(self, name: str, changes: dict[str, str], context: ProcessContext) -> None:
        behavior = self.properties.path_not_found
        if behavior is NotFound.SKIP:
            del changes[name]
        elif behavior is NotFound.WARN:
            path = self.properties.paths[name]
            context.log.warning(
                f"processor {context.id!r} (EvaluateJsonPath) path {path!r} of {name!r} must lead "
                "to a value; got none"
            )

    def _text(self, name: str, value: Any) -> str:
        """The text of a value. Raises ValueError for an object or array where none may be."""
        if isinstance(value, str):
            return value
        if value is None:
            return self._null
        if value is MISSING:
            return ""
        if isinstance(value, Mapping | list) and not self._any:
            kind = "an array" if isinstance(value, list) else "an object"
            path = self.properties.paths[name]
            raise ValueError(
                f"path {path!r} of {name!r} must lead to one text, number, true, false or null; "
                f"got {kind}; set 'return_type' to json"
            )
        return orjson.dumps(value).decode()
