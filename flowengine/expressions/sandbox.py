"""What does not compile runs in Jinja2's immutable sandbox, with the same filters and meaning.

That is about fifty times slower; only expressions with a filter of Jinja2's own come here. The
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
_JINJA_TESTS: Final = ("defined", "undefined", "none", "eq", "ne", "lt", "le", "gt", "ge", "in")

BatchFunction = Callable[[list[FlowFile], int], list[Any]]


class MissingAttribute(UndefinedError):
    """An attribute was read that the FlowFile does not have. The message is its name."""


class _Missing(StrictUndefined):
    """Stands for an attribute that the FlowFile does not have; any use of it raises."""

    @property
    def _undefined_message(self) -> str:
        return str(self._undefined_name)


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "%", "**"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, finalize=_guarded(values.to_text))
        self.binop_table = {
            **self.default_binop_table,
            "*": values.multiply,
            "%": values.modulo,
            "**": values.power,
        }
        builtin_filters, builtin_tests = self.filters, self.tests
        self.filters = {name: builtin_filters[name] for name in JINJA_FILTERS}
        self.filters |= {name: _guarded(one) for name, one in FILTERS.items()}
        self.filters["default"] = builtin_filters["default"]
        self.tests = {name: builtin_tests[name] for name in _JINJA_TESTS} | TESTS
        self.globals = {
            name: function for name, (function, _) in FUNCTIONS.items() if name != "attribute"
        }


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
    finish = _guarded(values.to_truth if is_predicate else values.to_text)

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
        self._names: dict[str, str] = {}

    def read(self, flowfile: FlowFile) -> dict[str, Any]:
        """What the names stand for; a missing attribute raises when it is used."""
        return {name: _read(flowfile, key) for key, name in self._names.items()}

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - Jinja2's name
        return self._named(chain(node) or "")

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 - Jinja2's name
        return self._named(chain(node) or "")

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja2's name
        if chain(node.node) == "attribute":
            return self._named(node.args[0].as_const())
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja2's name
        return nodes.Concat([_text(self.visit(part)) for part in node.nodes])

    def _named(self, key: str) -> nodes.Name:
        name = self._names.setdefault(key, f"attribute_{len(self._names)}")
        return nodes.Name(name, "load")


def _text(node: nodes.Expr) -> nodes.Expr:
    if isinstance(node, nodes.TemplateData):
        return nodes.Const(node.data)
    return nodes.Filter(node, "string", [], [], None, None)


def _read(flowfile: FlowFile, key: str) -> Any:
    if key.startswith(_FIELD):
        return getattr(flowfile, key.removeprefix(_FIELD))
    if key not in flowfile.attributes:
        return _Missing(name=key, exc=MissingAttribute)
    return flowfile.attributes[key]


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which a missing attribute never enters: it raises instead."""

    def call(*arguments: Any, **named: Any) -> Any:
        for one in (*arguments, *named.values()):
            if isinstance(one, StrictUndefined):
                str(one)
        return function(*arguments, **named)

    return call
