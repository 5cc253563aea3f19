"""Count FlowFiles, or what they stand for. Source: NiFi ``UpdateCounter``."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
from flowengine.errors import ExpressionError
from flowengine.expressions import Expression
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

_WHOLE: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def _as_text(value: object) -> object:
    """A whole number may be written as one; anything else is left to the expression."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


WholeNumber = Annotated[
    Expression,
    BeforeValidator(_as_text),
    WithJsonSchema({"type": ["string", "integer"], "format": "expression"}),
]


class UpdateCounter(Processor):
    """Add to a named counter of the flow for each FlowFile that passes."""

    tags = ("counter", "count", "sum", "monitoring", "debug")
    nifi = NifiNote("UpdateCounter", names={"counter": "Counter Name", "delta": "Delta"})

    class Properties(ProcessorProperties):
        counter: Expression = Field(description="Name of the counter.")
        delta: WholeNumber = Field(
            Expression("1"), description="What to add for each FlowFile; negative to subtract."
        )

        @field_validator("delta")
        @classmethod
        def _is_whole(cls, delta: Expression, info: ValidationInfo) -> Expression:
            if delta.is_literal and not _WHOLE.fullmatch(delta.text.strip()):
                message = f"must be a whole number; got {delta.text!r:.80}"
                raise PydanticCustomError("delta", "{message}", {"message": message})
            return delta

    success = Relationship("FlowFiles that were counted, unchanged.")
    failure = Relationship(
        "FlowFiles for which `counter` has no value, or `delta` is no whole number.", failure=True
    )

    examples = (
        Example(
            "Sum up the bytes of each topic",
            properties={"counter": "bytes of {{ kafka.topic }}", "delta": "{{ flowfile.size }}"},
            given=(
                Given("abc", {"kafka.topic": "users"}),
                Given("de", {"kafka.topic": "users"}),
                Given("f"),
            ),
            expect={
                "success": (Expected("abc"), Expected("de")),
                "failure": (Expected("f", {"error.class": "ExpressionError"}),),
            },
        ),
    )

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        flowfiles = session.get_batch()
        counter, delta = self.properties.counter, self.properties.delta
        if counter.is_literal and delta.is_literal:
            if flowfiles:
                session.adjust_counter(counter.text, int(delta.text) * len(flowfiles))
        else:
            flowfiles = self._count_each(flowfiles, session)
        session.transfer(flowfiles, self.success)

    def _count_each(self, flowfiles: list[FlowFile], session: ProcessSession) -> list[FlowFile]:
        """Count one by one; those without a counter or a number fail, the others are returned."""
        names, errors = self.properties.counter.evaluate_batch(flowfiles, now=session.now)
        deltas, more = self.properties.delta.evaluate_batch(flowfiles, now=session.now)
        errors = more | errors
        counted = []
        for index, (flowfile, name, delta) in enumerate(zip(flowfiles, names, deltas, strict=True)):
            error = errors.get(index)
            if error is None and (not delta or not _WHOLE.fullmatch(delta.strip())):
                error = self._not_whole(delta)
            if error is not None or name is None or delta is None:
                session.fail(flowfile, error or "no value", self.failure)
                continue
            session.adjust_counter(name, int(delta))
            counted.append(flowfile)
        return counted

    def _not_whole(self, delta: str | None) -> ExpressionError:
        subject = f"expression {self.properties.delta.text!r:.80}"
        return ExpressionError(f"{subject} must give a whole number; got {delta!r:.80}")
