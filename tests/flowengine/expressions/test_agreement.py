"""The law of the compiler: it gives what Jinja2's sandbox gives, or both refuse."""

from typing import Any

from hypothesis import given, settings

from flowengine.expressions import Expression, Predicate
from flowengine.expressions.parsing import Source, parse
from flowengine.expressions.program import FAULTS, compile_text
from flowengine.expressions.sandbox import sandboxed
from flowengine.flowfile import FlowFile
from tests.flowengine.expressions.strategies import ATTRIBUTES, TEMPLATES, TRUTHS

FLOWFILE = FlowFile(1, ATTRIBUTES, b"12345", 5, 0, 0, 0)
REFUSED = object()


def in_sandbox(text: str, is_predicate: bool) -> Any:
    function = sandboxed(parse(Source(text, is_predicate)), is_predicate)
    try:
        return function([FLOWFILE], 0)[0]
    except FAULTS:
        return REFUSED


def compiled(text: str, is_predicate: bool) -> Any:
    assert compile_text(text, is_predicate).generated is not None
    batch = [FLOWFILE, FLOWFILE]
    run: Any = Predicate(text).matches_batch if is_predicate else Expression(text).evaluate_batch
    results, errors = run(batch)
    assert results[0] == results[1]
    return REFUSED if errors else results[0]


@settings(max_examples=300)
@given(TEMPLATES)
def test_an_expression_gives_what_the_sandbox_gives(text):
    assert compiled(text, False) == in_sandbox(text, False)


@settings(max_examples=300)
@given(TRUTHS)
def test_a_predicate_gives_what_the_sandbox_gives(text):
    assert compiled(text, True) == in_sandbox(text, True)
