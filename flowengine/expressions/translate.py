"""Jinja2's syntax tree → Python's: what compiles, and everything that is refused.

The compiled form is built from nodes of Python's ``ast`` alone. A user's text becomes a constant or
the key of a subscript, never source text or an identifier. What is not handled here is refused, so
there is no way to a Python attribute, a method, or a function that is not in the registries.

Kinds are known where they can be: an attribute is text, ``float`` gives a real number. They find
mistakes that would otherwise be silent, such as comparing the text ``10`` with the number, and let
builtins work in place of checked functions.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn

from jinja2 import nodes

from flowengine.expressions.code import (
    Typed,
    attributes,
    call,
    filtered,
    has,
    item,
    joined,
    kind_of,
    load,
)
from flowengine.expressions.filters import (
    FILTERS,
    JINJA_FILTERS,
    NUMBERS,
    Filter,
    Kind,
    without_value,
)
from flowengine.expressions.functions import (
    COMPARING_TESTS,
    FIELDS,
    FUNCTIONS,
    OTHER_TESTS,
    TESTS,
)
from flowengine.expressions.operators import CONVERT, Operators
from flowengine.expressions.parsing import Source, chain
from flowengine.expressions.suggestions import did_you_mean

MAX_DEPTH = 100


class Translator(Operators):
    """Translates one expression and notes what it reads.

    attributes: names of attributes it may read
    sandboxed:  whether it has something that only Jinja2 can run
    uses_now:   whether it asks for the time
    """

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.attributes: set[str] = set()
        self.sandboxed = False
        self.uses_now = False
        self._depth = 0

    def text(self, parts: Sequence[nodes.Expr]) -> ast.expr:
        """Code that gives the text of all parts together."""
        typed = [self.translate(part) for part in parts]
        if len(typed) == 1 and typed[0].kind == "text":
            return typed[0].code
        return joined(typed)

    def truth(self, node: nodes.Expr) -> ast.expr:
        """Code that gives true or false."""
        typed = self.translate(node)
        if typed.kind == "truth":
            return typed.code
        if typed.kind != "any":
            got = "text" if typed.kind == "text" else "a number"
            self._fail(node, "must give true or false", got, "compare it, such as with == 'true'")
        return call("to_truth", typed.code)

    def translate(self, node: nodes.Node) -> Typed:
        """Code of any node."""
        handler = self._HANDLERS.get(type(node))
        if handler is None:
            self._fail(node, "must use known syntax", repr(type(node).__name__.lower()))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(node, f"must be nested at most {MAX_DEPTH} deep", "more")
        typed = handler(self, node)
        self._depth -= 1
        return typed

    # Names and constants

    def _name(self, node: nodes.Name | nodes.Getattr) -> Typed:
        name = chain(node)
        if name is None:
            self._fail(node, "must take parts of values with []", f"'.{node.attr}'")  # type: ignore[union-attr]
        field = name.removeprefix("flowfile.")
        if field == name:
            return self._attribute(name)
        if field not in FIELDS:
            remedy = did_you_mean(field, FIELDS) or f"it has {', '.join(FIELDS)}"
            self._fail(node, "must name a field of the FlowFile", repr(field), remedy)
        return Typed(ast.Attribute(load("f"), field, ast.Load()), FIELDS[field])

    def _attribute(self, name: str) -> Typed:
        self.attributes.add(name)
        return Typed(item(attributes(), ast.Constant(name)), "text")

    def _constant(self, node: nodes.Const) -> Typed:
        return Typed(ast.Constant(node.value), kind_of(node.value))

    def _data(self, node: nodes.TemplateData) -> Typed:
        return Typed(ast.Constant(node.data), "text")

    def _list(self, node: nodes.List | nodes.Tuple) -> Typed:
        items = [self.translate(item).code for item in node.items]
        return Typed(ast.List(items, ast.Load()), "any")

    def _dict(self, node: nodes.Dict) -> Typed:
        keys = [self.translate(pair.key).code for pair in node.items]
        values = [self.translate(pair.value) for pair in node.items]
        return Typed(ast.Dict(list(keys), [value.code for value in values]), "any")

    # Filters, tests and functions

    def _filter(self, node: nodes.Filter) -> Typed:
        if node.name in JINJA_FILTERS:
            return self._jinja_filter(node)
        spec = FILTERS.get(node.name)
        if spec is None or node.node is None:
            self._unknown(node, "filter", node.name, [*FILTERS, *JINJA_FILTERS])
        arguments, named = self._arguments(node, spec.parameters)
        self._check_constants(node, spec)
        if node.name == "default":
            return self._default(node.node, arguments, named)
        value = self.translate(node.node)
        if spec.takes == "number" and value.kind == "text":
            rule = f"filter '{node.name}' must be given a number"
            self._fail(node, rule, "text", CONVERT)
        return Typed(
            filtered(node.name, spec, value, arguments, named), _result(node.name, spec, value)
        )

    def _default(
        self, subject: nodes.Expr, arguments: list[Typed], named: dict[str, Typed]
    ) -> Typed:
        given = dict(zip(("replacement", "empty"), arguments, strict=False)) | named
        other = given["replacement"]
        value = self.translate(subject)
        kind = value.kind if value.kind == other.kind else "any"
        code = value.code
        if "empty" in given:
            # An ``or``, not a call: the replacement is evaluated only where it is needed.
            either = ast.BoolOp(ast.Or(), [code, other.code])
            code = ast.IfExp(given["empty"].code, either, code)
        name = self._attribute_name(subject)
        if name is not None:
            code = ast.IfExp(has(name), code, other.code)
        return Typed(code, kind)

    def _jinja_filter(self, node: nodes.Filter) -> Typed:
        self.sandboxed = True
        self._refuse_unpacking(node)
        given = [*node.args, *(pair.value for pair in node.kwargs)]
        most = JINJA_FILTERS[node.name]
        if len(given) > most:
            rule = f"filter '{node.name}' must be given at most {most} arguments"
            self._fail(node, rule, str(len(given)))
        if any(pair.key == "attribute" for pair in _keywords(node)):
            self._fail(node, f"filter '{node.name}' must take no attribute", "'attribute'")
        if node.name in ("map", "select", "reject"):
            self._check_mapped(node)
        for one in (node.node, *given):
            if one is not None:
                self.translate(one)
        return Typed(ast.Constant(None), "any")

    def _check_mapped(self, node: nodes.Filter) -> None:
        """A filter or test must come first: Jinja2 could also name a Python attribute there."""
        known = [*FILTERS, *JINJA_FILTERS] if node.name == "map" else [*TESTS, *COMPARING_TESTS]
        first = node.args[0] if node.args else None
        name = first.value if isinstance(first, nodes.Const) else None
        if node.kwargs or name not in known or name == "default":
            what = "filter" if node.name == "map" else "test"
            remedy = did_you_mean(str(name), known)
            got = repr(name) if isinstance(name, str) else "something else"
            self._fail(node, f"'{node.name}' must name a known {what}", got, remedy)

    def _test(self, node: nodes.Test) -> Typed:
        name = node.name
        self._refuse_unpacking(node)
        if name in COMPARING_TESTS and len(node.args) == 1 and not node.kwargs:
            operand = nodes.Operand(COMPARING_TESTS[name], node.args[0], lineno=node.lineno)
            return self.compare(nodes.Compare(node.node, [operand], lineno=node.lineno))
        if name in ("defined", "undefined", "none"):
            self._arguments(node, inspect.Signature())
            return self._presence(node)
        if name not in TESTS:
            self._unknown(node, "test", name, [*TESTS, *COMPARING_TESTS, *OTHER_TESTS])
        signature = inspect.signature(TESTS[name])
        arguments, _ = self._arguments(node, without_value(signature))
        value = self.translate(node.node)
        codes = [value.code, *(one.code for one in arguments)]
        return Typed(call(f"test_{name}", *codes), "truth")

    def _presence(self, node: nodes.Test) -> Typed:
        if node.name == "none":
            value = self.translate(node.node)
            return Typed(ast.Compare(value.code, [ast.Is()], [ast.Constant(None)]), "truth")
        name = self._attribute_name(node.node)
        if name is None:
            self._fail(node.node, f"'is {node.name}' must follow an attribute's name", "a value")
        self.attributes.add(name)
        present = has(name)
        code = present if node.name == "defined" else ast.UnaryOp(ast.Not(), present)
        return Typed(code, "truth")

    def _function(self, node: nodes.Call) -> Typed:
        name = chain(node.node)
        if name is None or name not in FUNCTIONS:
            self._unknown_function(node, name)
        function, kind = FUNCTIONS[name]
        arguments, _ = self._arguments(node, inspect.signature(function))
        if name == "attribute":
            return self._attribute(self._constant_name(node))
        if name == "now":
            self.uses_now = True
            return Typed(load("now"), kind)
        return Typed(call(f"function_{name}", *(one.code for one in arguments)), kind)

    def _constant_name(self, node: nodes.Call) -> str:
        argument = node.args[0] if node.args else None
        if not isinstance(argument, nodes.Const) or not isinstance(argument.value, str):
            self._fail(node, "attribute() must be given its name in quotes", "something else")
        return argument.value

    def _attribute_name(self, node: nodes.Node | None) -> str | None:
        """The attribute that a node names, dotted or by ``attribute('…')``."""
        if isinstance(node, nodes.Call) and chain(node.node) == "attribute":
            self._function(node)
            return self._constant_name(node)
        name = chain(node) if node is not None else None
        return None if name is None or name.startswith("flowfile.") else name

    def _unknown_function(self, node: nodes.Call, name: str | None) -> NoReturn:
        if isinstance(node.node, nodes.Getattr):
            method = node.node.attr
            value = (name or "").rpartition(".")[0] or "…"
            remedy = f"did you mean {f'{value} | {method}'!r}" if method in FILTERS else ""
            self._fail(node, "must use filters, not methods", f"'.{method}()'", remedy)
        self._unknown(node, "function", name or "a value called", list(FUNCTIONS))

    def _unknown(self, node: nodes.Node, what: str, name: str, known: list[str]) -> NoReturn:
        remedy = did_you_mean(name, known)
        elsewhere = FILTERS if what == "function" else FUNCTIONS
        if not remedy and name in elsewhere:
            remedy = f"'{name}' is a {'filter' if what == 'function' else 'function'}"
        self._fail(node, f"must name a known {what}", repr(name), remedy)

    def _arguments(
        self, node: nodes.Filter | nodes.Test | nodes.Call, signature: inspect.Signature
    ) -> tuple[list[Typed], dict[str, Typed]]:
        """The translated arguments, which must fit the signature."""
        self._refuse_unpacking(node)
        arguments = [self.translate(one) for one in node.args]
        named = {pair.key: self.translate(pair.value) for pair in _keywords(node)}
        try:
            signature.bind(*arguments, **named)
        except TypeError as error:
            name = chain(node.node) if isinstance(node, nodes.Call) else node.name
            self._fail(node, f"{name!r} must be given {_shape(signature)}", str(error))
        return arguments, named

    def _refuse_unpacking(self, node: nodes.Filter | nodes.Test | nodes.Call) -> None:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self._fail(node, "must name each argument", "*")

    def _check_constants(self, node: nodes.Filter, spec: Filter) -> None:
        given = [*node.args, *(pair.value for pair in _keywords(node))]
        if spec.check is None or not all(isinstance(one, nodes.Const) for one in given):
            return
        named = {pair.key: pair.value.as_const() for pair in _keywords(node)}
        try:
            spec.check(*(one.as_const() for one in node.args), **named)
        except (ValueError, TypeError) as error:
            rule, _, got = str(error).partition("; got ")
            self._fail(node, f"filter '{node.name}' {rule}", got)

    _HANDLERS: ClassVar[dict[type[nodes.Node], Callable[[Any, Any], Typed]]] = {
        nodes.Name: _name,
        nodes.Getattr: _name,
        nodes.Const: _constant,
        nodes.TemplateData: _data,
        nodes.List: _list,
        nodes.Tuple: _list,
        nodes.Dict: _dict,
        nodes.Concat: Operators.concat,
        nodes.Add: Operators.arithmetic,
        nodes.Sub: Operators.arithmetic,
        nodes.Mul: Operators.arithmetic,
        nodes.Div: Operators.arithmetic,
        nodes.FloorDiv: Operators.arithmetic,
        nodes.Mod: Operators.arithmetic,
        nodes.Pow: Operators.arithmetic,
        nodes.Neg: Operators.sign,
        nodes.Pos: Operators.sign,
        nodes.Compare: Operators.compare,
        nodes.And: Operators.logic,
        nodes.Or: Operators.logic,
        nodes.Not: Operators.negation,
        nodes.CondExpr: Operators.choice,
        nodes.Getitem: Operators.subscript,
        nodes.Filter: _filter,
        nodes.Test: _test,
        nodes.Call: _function,
    }


def _keywords(node: nodes.Filter | nodes.Test | nodes.Call) -> list[nodes.Keyword]:
    """The named arguments, which Jinja2 types more loosely than its parser makes them."""
    return [pair for pair in node.kwargs if isinstance(pair, nodes.Keyword)]


def _shape(signature: inspect.Signature) -> str:
    """``(old, new, count=-1)``."""
    bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def _result(name: str, spec: Filter, value: Typed) -> Kind:
    """Kind of what a filter gives; ``abs`` leaves it as it is."""
    return value.kind if name == "abs" and value.kind in NUMBERS else spec.result
