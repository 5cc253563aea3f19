"""Operators of the expression language → Python's, with the mistakes that kinds reveal."""

from __future__ import annotations

import ast
from typing import NoReturn

from jinja2 import nodes

from flowengine.expressions.code import Typed, arithmetic_kind, item, joined, operation
from flowengine.expressions.filters import NUMBERS, Kind
from flowengine.expressions.parsing import Source, chain_start

_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "eq": ast.Eq,
    "ne": ast.NotEq,
    "lt": ast.Lt,
    "lteq": ast.LtE,
    "gt": ast.Gt,
    "gteq": ast.GtE,
    "in": ast.In,
    "notin": ast.NotIn,
}
CONVERT = "convert the text with 'int' or 'float'"


class Operators:
    """The part of the translator that knows operators. Every method takes a node of Jinja2's."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def translate(self, node: nodes.Node) -> Typed:
        """Code of any node."""
        raise NotImplementedError

    def _fail(self, node: nodes.Node, rule: str, got: str, remedy: str = "") -> NoReturn:
        raise self.source.error(chain_start(node), rule, got, remedy)

    def concat(self, node: nodes.Concat) -> Typed:
        return Typed(joined([self.translate(part) for part in node.nodes]), "text")

    def arithmetic(self, node: nodes.BinExpr) -> Typed:
        left, right = self.translate(node.left), self.translate(node.right)
        kinds = {left.kind, right.kind}
        repeats = node.operator == "*" and "real" not in kinds and kinds != {"text"}
        joins = node.operator == "+" and kinds == {"text"}
        if "text" in kinds and kinds != {"text", "any"} and not repeats and not joins:
            self._fail(node, "must calculate with numbers", _kinds(left, right), CONVERT)
        texts = joins or (repeats and kinds == {"text", "whole"})
        kind: Kind = "text" if texts else arithmetic_kind(node.operator, kinds)
        return Typed(operation(node.operator, left, right, kinds <= NUMBERS), kind)

    def sign(self, node: nodes.Neg | nodes.Pos) -> Typed:
        operand = self.translate(node.node)
        if operand.kind == "text":
            self._fail(node, "must calculate with numbers", f"{node.operator} text", CONVERT)
        operator = ast.USub() if isinstance(node, nodes.Neg) else ast.UAdd()
        kind = operand.kind if operand.kind in NUMBERS else "any"
        return Typed(ast.UnaryOp(operator, operand.code), kind)

    def compare(self, node: nodes.Compare) -> Typed:
        left = self.translate(node.expr)
        operators: list[ast.cmpop] = []
        codes: list[ast.expr] = []
        before = left
        for operand in node.ops:
            after = self.translate(operand.expr)
            self._check_comparison(operand.expr, operand.op, before, after)
            operators.append(_COMPARISONS[operand.op]())
            codes.append(after.code)
            before = after
        return Typed(ast.Compare(left.code, operators, codes), "truth")

    def _check_comparison(self, node: nodes.Node, operator: str, left: Typed, right: Typed) -> None:
        """Refuse what Python would answer with false, or an error, for every FlowFile."""
        if "any" in (left.kind, right.kind):
            return
        contains = operator in ("in", "notin")
        if contains and right.kind != "text":
            self._fail(node, "must look in text or a list", _article(right.kind))
        if (left.kind == "text") is (right.kind == "text"):
            return
        truth = "truth" in (left.kind, right.kind)
        remedy = "write 'true' or 'false' in quotes" if truth else CONVERT
        self._fail(node, "must compare what is of one kind", _kinds(left, right), remedy)

    def logic(self, node: nodes.And | nodes.Or) -> Typed:
        operands = [(one, self.translate(one)) for one in _operands(node)]
        kinds = {typed.kind for _, typed in operands}
        if "text" in kinds and not (isinstance(node, nodes.Or) and kinds == {"text"}):
            self._refuse_text_condition(
                next(one for one, typed in operands if typed.kind == "text")
            )
        operator = ast.And() if isinstance(node, nodes.And) else ast.Or()
        kind = kinds.pop() if len(kinds) == 1 else "any"
        return Typed(ast.BoolOp(operator, [typed.code for _, typed in operands]), kind)

    def negation(self, node: nodes.Not) -> Typed:
        operand = self._condition(node.node)
        return Typed(ast.UnaryOp(ast.Not(), operand.code), "truth")

    def choice(self, node: nodes.CondExpr) -> Typed:
        if node.expr2 is None:
            self._fail(node, "must say what else", "an if without else")
        test = self._condition(node.test)
        one, other = self.translate(node.expr1), self.translate(node.expr2)
        kind = one.kind if one.kind == other.kind else "any"
        return Typed(ast.IfExp(test.code, one.code, other.code), kind)

    def _condition(self, node: nodes.Expr) -> Typed:
        typed = self.translate(node)
        if typed.kind == "text":
            self._refuse_text_condition(node)
        return typed

    def _refuse_text_condition(self, node: nodes.Expr) -> NoReturn:
        # The text 'false' would count as true.
        self._fail(node, "must be a condition", "text", "compare it, such as with == 'true'")

    def subscript(self, node: nodes.Getitem) -> Typed:
        value = self.translate(node.node)
        if value.kind not in ("text", "any"):
            self._fail(node, "must take parts of text or a list", _article(value.kind))
        key = self._slice(node.arg) if isinstance(node.arg, nodes.Slice) else self._key(node, value)
        return Typed(item(value.code, key), value.kind)

    def _key(self, node: nodes.Getitem, value: Typed) -> ast.expr:
        key = self.translate(node.arg)
        if value.kind == "text" and key.kind not in ("whole", "any"):
            rule = "must take a part of text by its position"
            self._fail(node.arg, rule, _article(key.kind))
        return key.code

    def _slice(self, node: nodes.Slice) -> ast.expr:
        bounds = (node.start, node.stop, node.step)
        return ast.Slice(*(None if one is None else self.translate(one).code for one in bounds))


def _kinds(left: Typed, right: Typed) -> str:
    return f"{_article(left.kind)} and {_article(right.kind)}"


def _article(kind: Kind) -> str:
    names = {"text": "text", "whole": "a number", "real": "a number", "truth": "true/false"}
    return names.get(kind, "a value")


def _operands(node: nodes.And | nodes.Or) -> list[nodes.Expr]:
    """``a or b or c`` in one list: Jinja2 nests it, as deep as it is long."""
    right: list[nodes.Expr] = []
    left: nodes.Expr = node
    while isinstance(left, type(node)):
        right.append(left.right)
        left = left.left
    return [left, *reversed(right)]
