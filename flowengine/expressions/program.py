"""A compiled expression: one generated function per batch, and errors that name what was wrong.

The function is a comprehension over the FlowFiles of a batch, without a ``try`` for each. Only when
it raises are the FlowFiles evaluated one by one, with checked functions in place of builtins: the
same code object in another namespace, so that both always mean the same.
"""

from __future__ import annotations

from functools import lru_cache
from types import CodeType
from typing import Any, Final

from jinja2 import TemplateError, nodes

from flowengine.clock import SystemClock
from flowengine.errors import ExpressionError, PropertyError
from flowengine.expressions import values
from flowengine.expressions.code import batch_function
from flowengine.expressions.filters import FILTERS
from flowengine.expressions.functions import FUNCTIONS, TESTS
from flowengine.expressions.parsing import Source, parse
from flowengine.expressions.sandbox import BatchFunction, MissingAttribute, sandboxed
from flowengine.expressions.suggestions import did_you_mean
from flowengine.expressions.translate import Translator
from flowengine.expressions.values import shown
from flowengine.flowfile import FlowFile

# What data can make the generated code, a filter or the sandbox raise.
FAULTS: Final = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    RecursionError,
    PropertyError,
    TemplateError,
)
_CLOCK: Final = SystemClock()

_CHECKED: Final[dict[str, Any]] = {
    "__builtins__": {},
    "to_text": values.to_text,
    "to_truth": values.to_truth,
    "multiply": values.multiply,
    "modulo": values.modulo,
    "power": values.power,
    **{f"filter_{name}": one.function for name, one in FILTERS.items()},
    **{f"quick_{name}": one.function for name, one in FILTERS.items() if one.quick},
    **{f"function_{name}": function for name, (function, _) in FUNCTIONS.items()},
    **{f"test_{name}": function for name, function in TESTS.items()},
}
_QUICK: Final[dict[str, Any]] = {
    **_CHECKED,
    **{f"quick_{name}": one.quick for name, one in FILTERS.items() if one.quick},
}


class Program:
    """An expression or predicate, ready to run.

    attributes: names that it may read
    generated:  the code, or None where Jinja2's sandbox runs it
    """

    __slots__ = ("_checked", "_quick", "_uses_now", "attributes", "generated", "source")

    def __init__(
        self,
        source: Source,
        translator: Translator,
        functions: tuple[BatchFunction, BatchFunction],
        generated: CodeType | None,
    ) -> None:
        self.source = source
        self.attributes = frozenset(translator.attributes)
        self.generated = generated
        self._uses_now = translator.uses_now
        self._quick, self._checked = functions

    def run(
        self, flowfiles: list[FlowFile], now: int | None, place: str = ""
    ) -> tuple[list[Any], dict[int, ExpressionError]]:
        """One value per FlowFile, None where there is an error for its index."""
        now = self._time(now)
        try:
            return self._quick(flowfiles, now), {}
        except FAULTS:
            return self._run_each(flowfiles, now, place)

    def run_one(self, flowfile: FlowFile, now: int | None, place: str = "") -> Any:
        """The value for one FlowFile. Raises ExpressionError."""
        now = self._time(now)
        try:
            return self._checked([flowfile], now)[0]
        except FAULTS as fault:
            raise self._error(flowfile, fault, place) from None

    def _run_each(
        self, flowfiles: list[FlowFile], now: int, place: str
    ) -> tuple[list[Any], dict[int, ExpressionError]]:
        results: list[Any] = []
        errors: dict[int, ExpressionError] = {}
        for index, flowfile in enumerate(flowfiles):
            try:
                results.extend(self._checked([flowfile], now))
            except FAULTS as fault:
                results.append(None)
                errors[index] = self._error(flowfile, fault, place)
        return results, errors

    def _time(self, now: int | None) -> int:
        if now is not None:
            return now
        return _CLOCK.wall() if self._uses_now else 0

    def _error(self, flowfile: FlowFile, fault: Exception, place: str) -> ExpressionError:
        subject = f"{self.source.subject} {shown(self.source.text)}"
        if place:
            subject = f"property {place!r} {subject}"
        missing = self._missing(flowfile, fault)
        if missing is not None:
            hint = did_you_mean(missing, flowfile.attributes) or "'default' replaces a missing one"
            rule = f"must read attributes that the FlowFile has; got no {missing!r}; {hint}"
        else:
            message = str(fault)
            rule = message if message.startswith("must ") else _unforeseen(fault)
        return ExpressionError(f"{subject} {rule}")

    def _missing(self, flowfile: FlowFile, fault: Exception) -> str | None:
        """The attribute whose absence is the fault, if it is."""
        if isinstance(fault, MissingAttribute):
            return fault.message
        name = fault.args[0] if isinstance(fault, KeyError) and fault.args else None
        known = name in self.attributes and name not in flowfile.attributes
        return str(name) if known else None


@lru_cache(maxsize=2048)
def compile_text(text: str, is_predicate: bool) -> Program:
    """The program of a text. Raises ExpressionSyntaxError, with the place of the mistake."""
    source = Source(text, is_predicate)
    try:
        return _compile(source, parse(source))
    except RecursionError:
        raise source.error(0, "must not be nested so deeply", "too many levels") from None


def _compile(source: Source, parts: list[nodes.Expr]) -> Program:
    translator = Translator(source)
    value = translator.truth(parts[0]) if source.is_predicate else translator.text(parts)
    if translator.sandboxed:
        function = sandboxed(parts, source.is_predicate)
        return Program(source, translator, (function, function), None)
    code = compile(batch_function(value), "<expression>", "eval")
    functions = (_bind(code, _QUICK), _bind(code, _CHECKED))
    return Program(source, translator, functions, code)


def _bind(code: CodeType, namespace: dict[str, Any]) -> BatchFunction:
    function: BatchFunction = eval(code, namespace)
    return function


def _unforeseen(fault: Exception) -> str:
    got = f"{type(fault).__name__}: {fault}"
    return f"must be computable; got {got[:200]}"
