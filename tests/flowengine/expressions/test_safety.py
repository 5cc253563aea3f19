"""No expression reaches Python's objects, runs for ever or takes all memory."""

import ast
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowengine.errors import ExpressionError
from flowengine.expressions import Expression, Predicate, code
from flowengine.expressions.code import batch_function
from flowengine.expressions.parsing import ExpressionSyntaxError, Source, parse
from flowengine.expressions.program import compile_text
from flowengine.expressions.regexes import MAX_SUBJECT, safe_pattern
from flowengine.expressions.sandbox import sandboxed
from flowengine.expressions.translate import Translator
from flowengine.flowfile import FlowFile

FLOWFILE = FlowFile(1, {"a": "x", "long": "x" * 1_000_000}, b"", 0, 0, 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ a.__class__.__init__.__globals__() }}",
        "{{ (a | string).__class__ }}",
        "{{ [].append(1) }}",
        "{{ '{0.__class__}'.format(a) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%s' % a }}",
        "{{ a | format(1) }}",
        "{{ a | attr('__class__') }}",
        "{{ [a] | map('attr', '__class__') }}",
        "{{ [a] | map(attribute='__class__') | list }}",
        "{{ [a] | sort(attribute='__class__') }}",
        "{{ [a] | groupby('__class__') }}",
        "{{ a | xmlattr }}",
        "{{ range(999999999) }}",
        "{{ cycler.__init__() }}",
        "{{ lipsum() }}",
        "{{ namespace() }}",
        "{{ self() }}",
        "{{ eval('1') }}",
        "{{ open('/etc/passwd') }}",
        "{{ flowfile.attributes }}",
        "{{ flowfile.content }}",
        "{{ flowfile.__class__ }}",
        "{{ " + "(" * 5000 + "a" + ")" * 5000 + " }}",
        "{{ " + "-" * 5000 + "1 }}",
        "{{ a" + " | upper" * 5000 + " }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ a | matches('(a*)*b') }}",
        "{{ a | matches('(a|a)*b') }}",
        "{{ a | matches('([a-z]+)*b') }}",
        "{{ a | matches('" + "a" * 2000 + "') }}",
        "x" * 70_000 + "{{ a }}",
    ],
)
def test_it_is_refused_at_validation(text):
    with pytest.raises(ExpressionError):
        Expression(text)


@pytest.mark.parametrize("sandbox", ["", "{{ 'x' | title }}"])
@pytest.mark.parametrize(
    "text",
    [
        "{{ 'x' * 999999999 }}",
        "{{ 999999999 * a }}",
        "{{ [a] * 999999999 }}",
        "{{ 9 ** 999999999 }}",
        "{{ (9 ** 999) ** 999 }}",
        "{{ a | pad_left(999999999) }}",
        "{{ long | replace('x', long) }}",
        "{{ [long, long] | join(long) }}",
        "{{ long | matches('x*') }}",
        "{{ a.__class__ }}",
        "{{ self.__init__ }}",
        "{{ ('%' ~ '999999999d') | first % 1 }}",
    ],
)
def test_it_is_an_error_of_the_flowfile_compiled_and_in_the_sandbox(text, sandbox):
    with pytest.raises(ExpressionError):
        Expression(text + sandbox).evaluate(FLOWFILE)


def test_a_dunder_chain_is_only_ever_an_attribute_name():
    flowfile = FlowFile(1, {"a.__class__": "mine"}, b"", 0, 0, 0, 0)
    assert Expression("{{ a.__class__ }}").evaluate(flowfile) == "mine"
    assert Expression("{{ a.__class__ | title }}").evaluate(flowfile) == "Mine"


def test_the_sandbox_is_a_second_wall():
    tree = parse(Source("{{ [a] | map(attribute='__class__') | first | string }}", False))
    with pytest.raises(TypeError, match="string indices must be integers"):
        sandboxed(tree, False)([FLOWFILE], 0)


@pytest.mark.parametrize(
    "pattern", ["[a-z]+", "(foo|bar)*", "(?:ab)+", "a{2,5}", "^x.*y$", "(a{3})+"]
)
def test_ordinary_patterns_are_allowed(pattern):
    assert safe_pattern(pattern)


def test_a_text_that_is_too_long_is_not_searched():
    flowfile = FlowFile(1, {"a": "x" * (MAX_SUBJECT + 1)}, b"", 0, 0, 0, 0)
    with pytest.raises(ExpressionError, match="must search at most 10000 characters; got 10001"):
        Predicate("a | find('y')").matches(flowfile)


SOURCES = [
    "{{ a }}-{{ kafka.offset | int + 1 }}",
    '{{ attribute("]);__import__(\'os\')") | default(\'"""\') }}',
    "{{ a | split(',') | join('-') if price | float > 10 else uuid() }}",
]


@pytest.mark.parametrize("text", SOURCES)
def test_generated_code_has_only_fixed_identifiers(text):
    source = Source(text, False)
    tree = batch_function(Translator(source).text(parse(source)))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    prefixes = ("filter_", "quick_", "function_", "test_")
    fixed = {"f", "a", "flowfiles", "now", "to_text", "to_truth", "multiply", "modulo", "power"}
    assert {name for name in names if not name.startswith(prefixes)} <= fixed


def test_generated_code_never_comes_from_source_text():
    assert "parse(" not in inspect.getsource(code)
    assert compile_text("{{ a }}", False).generated is not None


def offset_of_mistake(type_: type[Expression] | type[Predicate], text: str) -> int | None:
    try:
        type_(text)
    except ExpressionSyntaxError as error:
        return error.offset
    return None


@given(st.text(alphabet="{}%#|.()[]'\"\\ \n\rabc019_-+*/~,=<>!é", max_size=40))
def test_any_text_is_an_expression_or_an_error_with_a_place(text):
    for type_ in (Expression, Predicate):
        offset = offset_of_mistake(type_, text)
        assert offset is None or 0 <= offset <= len(text)
