"""Row filters: ``year == 2026 and country in ('NL', 'BE')``.

A filter is parsed once. It then answers three questions: may a file with these partition values
hold a row (so that whole folders are never opened), does this record pass, and what is it as an
Arrow expression (so that Parquet skips row groups by their statistics).

Comparisons with a missing value are unknown, and ``and``, ``or`` and ``not`` follow SQL's logic of
three values; a record passes only when the result is true.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pydantic_core import PydanticCustomError, core_schema

UNKNOWN: Final = object()
Lookup: TypeAlias = Callable[[str], Any]
Truth: TypeAlias = bool | None
Test: TypeAlias = Callable[[Lookup], Truth]

_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MIRROR: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
_DEPTH: Final = 50


class RowFilter:
    """A parsed filter. ``columns`` are the names it reads, nested ones with dots."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.columns: list[str] = []
        self._tree = _parse(text)
        self._test = self._build(self._tree, 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowFilter) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def matches(self, value_of: Lookup) -> bool:
        """Whether a record passes. Raises ValueError when two values cannot be compared."""
        return self._test(value_of) is True

    def possible(self, partitions: Mapping[str, Any]) -> bool:
        """Whether a file with these partition values may hold a row that passes."""
        try:
            return self._test(lambda name: partitions.get(name, UNKNOWN)) is not False
        except ValueError:
            return True  # said again, with a place, when the file is read

    def arrow(self, column: Callable[[str], Any], literal: Callable[[str, Any], Any]) -> Any:
        """As an Arrow expression, from what makes a column and what makes a literal beside one."""
        return _Arrow(column, literal).convert(self._tree)

    # -- building ------------------------------------------------------------------------------

    def _build(self, node: ast.expr, depth: int) -> Test:
        if depth > _DEPTH:
            raise ValueError(f"must not be nested deeper than {_DEPTH}")
        if isinstance(node, ast.BoolOp):
            tests = [self._build(value, depth + 1) for value in node.values]
            return _all(tests) if isinstance(node.op, ast.And) else _any(tests)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return _not(self._build(node.operand, depth + 1))
        if isinstance(node, ast.Compare):
            name, op, value = comparison(node)
            self.columns += [name] if name not in self.columns else []
            return _compare(name, op, value)
        name = column_name(node)
        self.columns += [name] if name not in self.columns else []
        return _truth(name)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda f: f.text),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "examples": ["age >= 18 and country in ('NL', 'BE')"]}

    @classmethod
    def _validate(cls, value: object) -> RowFilter:
        if isinstance(value, RowFilter):
            return value
        try:
            return cls(value if isinstance(value, str) else repr(value))
        except ValueError as error:
            message = f"{error}; got {value!r:.80}"
            raise PydanticCustomError("filter", "{message}", {"message": message}) from None


def _parse(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(
            "must be comparisons such as \"age >= 18 and country in ('NL', 'BE')\""
        ) from None


def column_name(node: ast.expr) -> str:
    """A name such as ``address.city``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{column_name(node.value)}.{node.attr}"
    if isinstance(node, ast.Subscript):
        key = _value(node.slice)
        if isinstance(key, str) and isinstance(node.value, ast.Name) and node.value.id == "column":
            return key
    raise ValueError("must compare a column with a value; a name with spaces is column['a b']")


def comparison(node: ast.Compare) -> tuple[str, ast.cmpop, Any]:
    """Column, operator and value of one comparison, the column on the left."""
    if len(node.ops) != 1:
        raise ValueError('must not chain comparisons: write "a > 1 and a < 5"')
    left, op, right = node.left, node.ops[0], node.comparators[0]
    if isinstance(left, ast.Constant) and type(op) in (*_MIRROR, ast.Eq, ast.NotEq):
        left, right, op = right, left, _MIRROR.get(type(op), type(op))()
    value = _value(right)
    if isinstance(op, ast.Is | ast.IsNot):
        if value is not None:
            raise ValueError("must use 'is' with None only")
    elif isinstance(op, ast.In | ast.NotIn):
        if not isinstance(value, tuple):
            raise ValueError("must use 'in' with values in brackets")
    elif value is None or isinstance(value, tuple):
        raise ValueError("must compare with one value; use 'is None' for missing ones")
    return column_name(left), op, value


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(node.operand)
        if isinstance(inner, int | float):
            return -inner
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_value(element) for element in node.elts)
    if isinstance(node, ast.Name) and node.id in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[node.id]
    raise ValueError("must compare a column with a text, a number, true, false or None")


def _compare(name: str, op: ast.cmpop, wanted: Any) -> Test:
    if isinstance(op, ast.Is | ast.IsNot):
        return _is_null(name, isinstance(op, ast.Is))
    if isinstance(op, ast.In | ast.NotIn):
        return _is_in(name, wanted, isinstance(op, ast.In))
    decide = _COMPARE[type(op)]

    def test(value_of: Lookup) -> Truth:
        value = value_of(name)
        if value is None or value is UNKNOWN:
            return None
        try:
            return bool(decide(value, wanted))
        except TypeError:
            raise ValueError(
                f"column {name!r} must be comparable with {wanted!r}; got {value!r:.80}"
            ) from None

    return test


def _is_null(name: str, wanted: bool) -> Test:
    def test(value_of: Lookup) -> Truth:
        value = value_of(name)
        return None if value is UNKNOWN else (value is None) is wanted

    return test


def _is_in(name: str, values: tuple[Any, ...], wanted: bool) -> Test:
    def test(value_of: Lookup) -> Truth:
        value = value_of(name)
        return None if value is None or value is UNKNOWN else (value in values) is wanted

    return test


def _truth(name: str) -> Test:
    def test(value_of: Lookup) -> Truth:
        value = value_of(name)
        return None if value is None or value is UNKNOWN else bool(value)

    return test


def _not(inner: Test) -> Test:
    def test(value_of: Lookup) -> Truth:
        result = inner(value_of)
        return None if result is None else not result

    return test


def _all(tests: list[Test]) -> Test:
    def test(value_of: Lookup) -> Truth:
        result: Truth = True
        for one in tests:
            found = one(value_of)
            if found is False:
                return False
            result = None if found is None else result
        return result

    return test


def _any(tests: list[Test]) -> Test:
    negated = _all([_not(one) for one in tests])
    return _not(negated)


class _Arrow:
    """Turns a filter's tree into an Arrow expression."""

    def __init__(self, column: Callable[[str], Any], literal: Callable[[str, Any], Any]) -> None:
        self._column, self._literal = column, literal

    def convert(self, node: ast.expr) -> Any:
        if isinstance(node, ast.BoolOp):
            combine = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            first, *others = [self.convert(value) for value in node.values]
            for other in others:
                first = combine(first, other)
            return first
        if isinstance(node, ast.UnaryOp):
            return ~self.convert(node.operand)
        if isinstance(node, ast.Compare):
            return self._comparison(*comparison(node))
        return self._column(column_name(node))

    def _comparison(self, name: str, op: ast.cmpop, value: Any) -> Any:
        column = self._column(name)
        if isinstance(op, ast.Is | ast.IsNot):
            return column.is_null() if isinstance(op, ast.Is) else column.is_valid()
        if isinstance(op, ast.In | ast.NotIn):
            return self._membership(name, value, isinstance(op, ast.In))
        return _COMPARE[type(op)](column, self._literal(name, value))

    def _membership(self, name: str, values: tuple[Any, ...], wanted: bool) -> Any:
        column, result = self._column(name), None
        for value in values:
            equal = column == self._literal(name, value)
            result = equal if result is None else result | equal
        if result is None:  # in nothing
            result = column.is_null() & column.is_valid()
        return result if wanted else ~result
