"""What does not compile runs in Jinja2's immutable sandbox, with the same filters and meaning.

That is about a hundred times slower; only expressions with a filter of Jinja2's own come here. The
translator has accepted the expression before: the sandbox is the second wall, not the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from jinja2 import StrictUndefined, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from flowengine.expressions import values
from flowengine.expressions.filters import FILTERS, JINJA_FILTERS
from flowengine.expressions.functions import FUNCTIONS, TESTS
from flowengine.expressions.parsing import chain
from flowengine.flowfile import FlowFile

_FIELD: Final = "flowfile."
_REQUIRED: Final = "required"  # no expression can name it: it is not in the registry
_JINJA_TESTS: Final = ("defined", "undefined", "none", "eq", "ne", "lt", "le", "gt", "ge", "in")

BatchFunction = Callable[[list[FlowFile], int], list[Any]]


class MissingAttribute(UndefinedError):
    """An attribute was read that the FlowFile does not have. The message is its name."""


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "%", "**"})

    def __init__(self) -> None:
        super().__init__(optimized=False, undefined=StrictUndefined, finalize=values.to_text)
        self.binop_table = {
            **self.default_binop_table,
            "*": values.multiply,
            "%": values.modulo,
            "**": values.power,
        }
        builtin_filters, builtin_tests = self.filters, self.tests
        self.filters = {name: builtin_filters[name] for name in JINJA_FILTERS}
        self.filters |= FILTERS | {_REQUIRED: _required}
        self.tests = {name: builtin_tests[name] for name in _JINJA_TESTS} | TESTS
        self.globals = {
            name: function for name, (function, _) in FUNCTIONS.items() if name != "attribute"
        }

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A part of a value. Jinja2 would go on to Python's attributes, and end with undefined."""
        return obj[argument]


def sandboxed(parts: Sequence[nodes.Expr], is_predicate: bool) -> BatchFunction:
    """The function of one batch for an expression's parts, or a predicate's only part."""
    environment = _Environment()
    rewrite = _Rewrite()
    rewritten: list[nodes.Expr] = [rewrite.visit(part) for part in parts]
    value = rewritten[0] if is_predicate else nodes.Concat([_text(part) for part in rewritten])
    body = nodes.Assign(nodes.Name("result", "store"), value)
    tree = nodes.Template([body], lineno=1)
    tree.set_environment(environment)
    template = environment.from_string(tree)
    finish = values.to_truth if is_predicate else values.to_text

    def run(flowfiles: list[FlowFile], now: int) -> list[Any]:
        results = []
        for flowfile in flowfiles:
            names = rewrite.read(flowfile)
            context = template.new_context({**names, "now": lambda: now})
            for _ in template.root_render_func(context):
                pass
            results.append(finish(context.vars["result"]))
        return results

    return run


class _Rewrite(NodeTransformer):
    """Gives every attribute a name that Jinja2 can look up, and text the meaning it has here."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, bool], str] = {}  # (name, whether a field) → our name

    def read(self, flowfile: FlowFile) -> dict[str, Any]:
        """What the names stand for; those of missing attributes are left out."""
        present = ((name, _read(flowfile, *key)) for key, name in self._names.items())
        return {name: value for name, value in present if value is not None}

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - Jinja2's name
        return self._named(chain(node) or "")

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 - Jinja2's name
        name = chain(node) or ""
        return self._named(name.removeprefix(_FIELD), name.startswith(_FIELD))

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja2's name
        if chain(node.node) == "attribute":
            return self._named(node.args[0].as_const())
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - Jinja2's name
        rewritten = self.generic_visit(node)
        if not isinstance(rewritten, nodes.Filter) or rewritten.name != "default":
            return rewritten
        return _default(rewritten)

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802 - Jinja2's name
        rewritten = self.generic_visit(node)
        if isinstance(rewritten, nodes.Test) and rewritten.name in ("defined", "undefined"):
            rewritten.node = _optional(rewritten.node)
        return rewritten

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja2's name
        return nodes.Concat([_text(self.visit(part)) for part in node.nodes])

    def _named(self, key: str, is_field: bool = False) -> nodes.Filter:
        name = self._names.setdefault((key, is_field), f"attribute_{len(self._names)}")
        arguments: list[nodes.Expr] = [nodes.Const(key)]
        return nodes.Filter(nodes.Name(name, "load"), _REQUIRED, arguments, [], None, None)


def _text(node: nodes.Expr) -> nodes.Expr:
    if isinstance(node, nodes.TemplateData):
        return nodes.Const(node.data)
    return nodes.Filter(node, "string", [], [], None, None)


def _default(node: nodes.Filter) -> nodes.Expr:
    """The filter as the choice that it is compiled to: one side is evaluated, never both."""
    value = subject = node.node or nodes.Const("")
    named = {pair.key: pair.value for pair in node.kwargs if isinstance(pair, nodes.Keyword)}
    given = dict(zip(("replacement", "empty"), node.args, strict=False)) | named
    other = given["replacement"]
    if "empty" in given:
        value = nodes.CondExpr(given["empty"], nodes.Or(value, other), value)
    bare = _optional(subject)
    if bare is subject:
        return value
    return nodes.CondExpr(nodes.Test(bare, "defined", [], [], None, None), value, other)


def _optional(node: nodes.Expr) -> nodes.Expr:
    """An attribute's name without the demand that it exists; anything else as it is."""
    required = isinstance(node, nodes.Filter) and node.name == _REQUIRED
    return node.node or node if required else node  # type: ignore[attr-defined]


def _read(flowfile: FlowFile, name: str, is_field: bool) -> Any:
    return getattr(flowfile, name) if is_field else flowfile.attributes.get(name)


def _required(value: Any, name: str) -> Any:
    """An attribute's value, read even where Jinja2 would put off the error, as in a list."""
    if isinstance(value, StrictUndefined):
        raise MissingAttribute(name)
    return value
