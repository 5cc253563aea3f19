"""Text → Jinja2's syntax tree, with the place of every node and errors a user can act on.

Jinja2 keeps line numbers only. It is given the position of each token in place of its line, so
that ``node.lineno - 1`` is where in the text the node begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from flowengine.errors import ExpressionError
from flowengine.expressions.values import shown

MAX_LENGTH: Final = 1 << 16  # characters of a text that is not literal
_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_REFUSED: Final = {
    "block_begin": ("statements", "{%"),
    "raw_begin": ("statements", "{%"),
    "comment_begin": ("comments", "{#"),
}
_environment: Final = Environment(keep_trailing_newline=True, autoescape=False)


class ExpressionSyntaxError(ExpressionError):
    """An expression that cannot be compiled.

    rule:   what is wrong, from the word ``must``, without naming the expression before it
    offset: where in the text, from 0
    """

    def __init__(self, subject: str, rule: str, offset: int) -> None:
        super().__init__(f"{subject} {rule}")
        self.rule = rule
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Source:
    """The text of an expression (``{{ … }}`` in text) or of a predicate (no braces)."""

    text: str
    is_predicate: bool

    @property
    def subject(self) -> str:
        """What error messages call it."""
        return "predicate" if self.is_predicate else "expression"

    def error(self, offset: int, rule: str, got: str, remedy: str = "") -> ExpressionSyntaxError:
        """``must <rule>; got <got> at column 7 of '…'; <remedy>``."""
        place = f"{_place(self.text, offset)} of {shown(self.text)}"
        hint = f"; {remedy}" if remedy else ""
        return ExpressionSyntaxError(self.subject, f"{rule}; got {got} at {place}{hint}", offset)


def parse(source: Source) -> list[nodes.Expr]:
    """The parts of an expression: TemplateData for text between braces; one part of a predicate.

    Raises ExpressionSyntaxError.
    """
    if len(source.text) > MAX_LENGTH:
        rule = f"must have at most {MAX_LENGTH} characters"
        raise source.error(MAX_LENGTH, rule, f"{len(source.text)}")
    if source.is_predicate and source.text.lstrip().startswith("{{"):
        raise source.error(0, "must be written without braces", "'{{'")
    try:
        return _parse_predicate(source) if source.is_predicate else _parse_template(source)
    except TemplateSyntaxError as error:
        rule = "must be valid Jinja2 syntax"
        raise source.error(error.lineno - 1, rule, _lowered(error.message)) from None
    except ValueError as error:  # a number with thousands of digits
        raise source.error(0, "must be valid Jinja2 syntax", _lowered(str(error))) from None


def chain(node: nodes.Node) -> str | None:
    """The dotted name that a node spells, or None. It is one attribute, never Python's."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        before = chain(node.node)
        return None if before is None else f"{before}.{node.attr}"
    return None


def chain_start(node: nodes.Node) -> int:
    """The offset of a dotted name's first letter."""
    while isinstance(node, nodes.Getattr | nodes.Call):
        node = node.node
    return node.lineno - 1


def _parse_template(source: Source) -> list[nodes.Expr]:
    output = _parser(source, None).parse().body
    return [part for one in output if isinstance(one, nodes.Output) for part in one.nodes]


def _parse_predicate(source: Source) -> list[nodes.Expr]:
    parser = _parser(source, "variable")
    expression = parser.parse_expression()
    if not parser.stream.eos:
        rest = parser.stream.current
        raise source.error(rest.lineno - 1, "must end after one expression", repr(rest.value))
    expression.set_environment(_environment)
    return [expression]


def _parser(source: Source, state: str | None) -> Parser:
    parser = Parser(_environment, "")
    tokens = _restore_data(_environment.lexer.wrap(_placed(source, state)), source.text)
    parser.stream = TokenStream(_refuse_numbered_names(source, tokens), None, None)
    return parser


def _placed(source: Source, state: str | None) -> Iterator[tuple[int, str, str]]:
    """Raw tokens with their position, from 1, where Jinja2 has the line."""
    text = _NEWLINE.sub("\n", source.text)
    position = 0
    try:
        for _, kind, value in _environment.lexer.tokeniter(text, None, state=state):
            position = text.index(value, position)
            if kind in _REFUSED:
                what, brace = _REFUSED[kind]
                remedy = f"write {{{{ '{brace}' }}}} for the characters themselves"
                raise source.error(position, f"must have no {what}", repr(brace), remedy)
            yield position + 1, kind, value
            position += len(value)
    except TemplateSyntaxError as error:
        # The lexer counts lines: this is where it stopped.
        rule = "must be valid Jinja2 syntax"
        raise source.error(position, rule, _lowered(error.message)) from None


def _restore_data(tokens: Iterable[Token], text: str) -> Iterator[Token]:
    r"""Text between braces as it was written: Jinja2 makes every ``\r\n`` a ``\n``."""
    if "\r" not in text:
        yield from tokens
        return
    starts = [m.start() for m in re.finditer(r"\r\n|[\s\S]", text)] + [len(text)]
    for token in tokens:
        if token.type == "data":
            start = token.lineno - 1
            value = text[starts[start] : starts[start + len(token.value)]]
            token = Token(token.lineno, token.type, value)
        yield token


def _refuse_numbered_names(source: Source, tokens: Iterable[Token]) -> Iterator[Token]:
    """``csv.0`` would be the first character of the attribute ``csv``."""
    after_dot = False
    for token in tokens:
        if after_dot and token.type in ("integer", "float"):
            remedy = "write attribute('csv.0'), or [0] for a character or an item"
            raise source.error(token.lineno - 1, "must name parts", f"'.{token.value}'", remedy)
        after_dot = token.type == "dot"
        yield token


def _place(text: str, offset: int) -> str:
    """``column 5``, or ``line 2 column 5`` in a text of several lines; both from 1."""
    text = _NEWLINE.sub("\n", text)  # as the lexer saw it
    before = text[:offset]
    column = offset - (before.rfind("\n") + 1) + 1
    line = before.count("\n") + 1
    return f"line {line} column {column}" if "\n" in text else f"column {column}"


def _lowered(message: str | None) -> str:
    text = re.sub(r" at \d+$", "", message or "something unreadable")
    return text[:1].lower() + text[1:].rstrip(".")
