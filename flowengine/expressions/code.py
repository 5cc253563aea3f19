"""Python code as ``ast`` nodes: the only way in which the compiler writes any.

Identifiers are the fixed names below and names from the registries: ``f`` is the FlowFile, ``a``
its attributes, ``now`` the time.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, NamedTuple

from flowengine.expressions.filters import NUMBERS, Filter, Kind

_OPERATORS: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "%": ast.Mod,
    "**": ast.Pow,
}
_GUARDED = {"*": "multiply", "%": "modulo", "**": "power"}


class Typed(NamedTuple):
    """Python code, and the kind of what it gives."""

    code: ast.expr
    kind: Kind


def load(name: str) -> ast.expr:
    """The value of a fixed name."""
    return ast.Name(name, ast.Load())


def item(value: ast.expr, key: ast.expr) -> ast.expr:
    """``value[key]``."""
    return ast.Subscript(value, key, ast.Load())


def attributes() -> ast.expr:
    """``f.attributes``, which :func:`batch_function` binds once where it is read more often."""
    return ast.Attribute(load("f"), "attributes", ast.Load())


def has(name: str) -> ast.expr:
    """Whether the FlowFile has an attribute."""
    return ast.Compare(ast.Constant(name), [ast.In()], [attributes()])


def call(name: str, *arguments: ast.expr, named: dict[str, ast.expr] | None = None) -> ast.expr:
    """A call of a function of the namespace."""
    keywords = [ast.keyword(key, value) for key, value in (named or {}).items()]
    return ast.Call(load(name), list(arguments), keywords)


def joined(parts: Sequence[Typed]) -> ast.expr:
    """The text of all parts, as an f-string."""
    return ast.JoinedStr([_piece(part) for part in parts])


def _piece(part: Typed) -> ast.expr:
    if isinstance(part.code, ast.Constant) and isinstance(part.code.value, str):
        return part.code
    return ast.FormattedValue(_as_text(part), -1)


def _as_text(typed: Typed) -> ast.expr:
    """Code whose f-string form is the text of a value: numbers already are."""
    if typed.kind == "truth":
        return ast.IfExp(typed.code, ast.Constant("true"), ast.Constant("false"))
    return call("to_text", typed.code) if typed.kind == "any" else typed.code


def operation(operator: str, left: Typed, right: Typed, native: bool) -> ast.expr:
    """Arithmetic; ``native`` when the result cannot be larger than the operands together."""
    if operator in _GUARDED and not (native and operator != "**"):
        return call(_GUARDED[operator], left.code, right.code)
    return ast.BinOp(left.code, _OPERATORS[operator](), right.code)


def arithmetic_kind(operator: str, kinds: set[Kind]) -> Kind:
    """Kind of the result of numbers; ``any`` when an operand may be something else."""
    if not kinds <= NUMBERS or operator == "**":
        return "any"
    return "real" if operator == "/" or "real" in kinds else "whole"


def filtered(
    name: str, spec: Filter, value: Typed, arguments: list[Typed], named: dict[str, Typed]
) -> ast.expr:
    """A filter applied: a method of text, a builtin, or the registered function."""
    codes = [one.code for one in arguments]
    if spec.method and value.kind == "text" and not named:
        return ast.Call(ast.Attribute(value.code, spec.method, ast.Load()), codes, [])
    if spec.quick is not None and not arguments and not named:
        return call(f"quick_{name}", value.code)
    subject = value.code
    if spec.takes == "text" and value.kind != "text":
        subject = call("to_text", subject)
    return call(f"filter_{name}", subject, *codes, named={k: v.code for k, v in named.items()})


def kind_of(value: Any) -> Kind:
    """Kind of a constant."""
    if isinstance(value, bool):
        return "truth"
    kinds: dict[type, Kind] = {str: "text", int: "whole", float: "real"}
    return kinds.get(type(value), "any")


def batch_function(value: ast.expr) -> ast.Expression:
    """``lambda flowfiles, now: [value for f in flowfiles]``, with ``a`` bound where it pays."""
    loops = [_loop("f", load("flowfiles"))]
    if sum(_is_attributes(node) for node in ast.walk(value)) > 1:
        value = _Bind().visit(value)
        loops.append(_loop("a", ast.Tuple([attributes()], ast.Load())))
    names = [ast.arg("flowfiles"), ast.arg("now")]
    parameters = ast.arguments(
        posonlyargs=[], args=names, kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    function = ast.Expression(ast.Lambda(parameters, ast.ListComp(value, loops)))
    return ast.fix_missing_locations(function)


class _Bind(ast.NodeTransformer):
    """Puts the bound name where the attributes of the FlowFile are read."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return load("a") if _is_attributes(node) else self.generic_visit(node)


def _is_attributes(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "attributes"
        and isinstance(node.value, ast.Name)
    )


def _loop(name: str, over: ast.expr) -> ast.comprehension:
    return ast.comprehension(ast.Name(name, ast.Store()), over, [], is_async=0)
