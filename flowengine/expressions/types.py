"""Expression and Predicate: what a property holds.

Text without braces is a literal: it is never parsed, and jinja2 is not imported for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from flowengine.errors import ExpressionError
from flowengine.flowfile import FlowFile

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from flowengine.expressions.program import Program

_MARKS = ("{{", "{%", "{#")


class _Compiled:
    """Text with a program. Immutable; equal when the texts are.

    text:       as it was written
    attributes: names of attributes that it may read
    place:      the property that holds it, for messages; empty for one without
    """

    __slots__ = ("_program", "attributes", "place", "text")
    text: str
    place: str
    attributes: frozenset[str]
    _program: Program | None

    is_predicate: ClassVar[bool]
    format: ClassVar[str]

    def __init__(self, text: str) -> None:
        program = self._compile(text)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "place", "")
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "attributes", program.attributes if program else frozenset())

    def stand_at(self, place: str) -> None:
        """Say which property holds it."""
        object.__setattr__(self, "place", place)

    @classmethod
    def _compile(cls, text: str) -> Program | None:
        from flowengine.expressions.program import compile_text

        return compile_text(text, cls.is_predicate)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} must not be changed; got a new {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} must not be changed; got no {name!r}")

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self.text))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.text,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": cls.format}

    @classmethod
    def _validate(cls, value: object) -> Self:
        from pydantic_core import PydanticCustomError

        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            message = f"must be text; got {value!r:.80}"
            raise PydanticCustomError(cls.format, "{message}", {"message": message})
        try:
            return cls(value)
        except ExpressionError as error:
            context = {"message": getattr(error, "rule", str(error))}
            context["offset"] = getattr(error, "offset", 0)
            raise PydanticCustomError(cls.format, "{message}", context) from None


class Expression(_Compiled):
    """Text with ``{{ … }}`` in it, which has one text for each FlowFile.

    >>> sorted(Expression("{{ kafka.topic | upper }}-{{ kafka.offset }}").attributes)
    ['kafka.offset', 'kafka.topic']
    """

    __slots__ = ()
    is_predicate = False
    format = "expression"

    @property
    def is_literal(self) -> bool:
        """Whether it has the same text for every FlowFile, without braces."""
        return self._program is None

    def evaluate(self, flowfile: FlowFile, *, now: int | None = None) -> str:
        """The text for one FlowFile; ``now`` is what ``now()`` gives, by default the system's time.

        Raises ExpressionError: an attribute is missing, or a value does not fit.
        """
        if self._program is None:
            return self.text
        value: str = self._program.run_one(flowfile, now, self.place)
        return value

    def evaluate_batch(
        self, flowfiles: list[FlowFile], *, now: int | None = None
    ) -> tuple[list[str | None], dict[int, ExpressionError]]:
        """The text for each FlowFile; None, and an error under its index, where there is none."""
        if self._program is None:
            return [self.text] * len(flowfiles), {}
        return self._program.run(flowfiles, now, self.place)

    @classmethod
    def _compile(cls, text: str) -> Program | None:
        if not any(mark in text for mark in _MARKS):
            return None
        return super()._compile(text)


class Predicate(_Compiled):
    """A condition without braces, such as ``price | float > 10 and country == 'NL'``."""

    __slots__ = ()
    is_predicate = True
    format = "predicate"
    _program: Program

    def matches(self, flowfile: FlowFile, *, now: int | None = None) -> bool:
        """Whether one FlowFile satisfies it. Raises ExpressionError like an expression."""
        value: bool = self._program.run_one(flowfile, now, self.place)
        return value

    def matches_batch(
        self, flowfiles: list[FlowFile], *, now: int | None = None
    ) -> tuple[list[bool], dict[int, ExpressionError]]:
        """Whether each FlowFile satisfies it; false where there is an error for its index."""
        results, errors = self._program.run(flowfiles, now, self.place)
        return (results if not errors else [bool(one) for one in results]), errors
