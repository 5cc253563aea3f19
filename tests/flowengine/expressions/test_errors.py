# ruff: noqa: E501 - one case a line, its message whole
"""Every mistake a user can make, with its whole message."""

import pytest

from flowengine.errors import ExpressionError
from flowengine.expressions import Expression, Predicate
from flowengine.expressions.parsing import ExpressionSyntaxError
from flowengine.flowfile import FlowFile

BRACES = "write {{ '{%' }} for the characters themselves"
CONVERT = "convert the text with 'int' or 'float'"
COMPARE = "compare it, such as with == 'true'"

EXPRESSIONS = [
    ("{{ a | flaot }}", "must name a known filter; got 'flaot' at column 8", "did you mean 'float' or 'last'"),
    ("{{ a | toUpper }}", "must name a known filter; got 'toUpper' at column 8", "did you mean 'upper'"),
    ("{{ a is defind }}", "must name a known test; got 'defind' at column 6", "did you mean 'defined' or 'undefined'"),
    ("{{ noww() }}", "must name a known function; got 'noww' at column 4", "did you mean 'now'"),
    ("{{ upper(a) }}", "must name a known function; got 'upper' at column 4", "'upper' is a filter"),
    ("{{ a | now }}", "must name a known filter; got 'now' at column 8", "'now' is a function"),
    ("{{ a.upper() }}", "must use filters, not methods; got '.upper()' at column 4", "did you mean 'a | upper'"),
    ("{{ (a | lower).size }}", "must take parts of values with []; got '.size' at column 9", ""),
    ("{{ flowfile.sise }}", "must name a field of the FlowFile; got 'sise' at column 4", "did you mean 'size'"),
    ("{{ flowfile.x }}", "must name a field of the FlowFile; got 'x' at column 4", "it has size, uuid, entry_time"),
    ("{{ csv.0 }}", "must name parts; got '.0' at column 8", "write attribute('csv.0'), or [0] for a character or an item"),
    ("{% if a %}", "must have no statements; got '{%' at column 1", BRACES),
    ("x {% raw %}", "must have no statements; got '{%' at column 3", BRACES),
    ("{# a #}", "must have no comments; got '{#' at column 1", BRACES.replace("%", "#")),
    ("{{ a b }}", "must be valid Jinja2 syntax; got expected token 'end of print statement', got 'b' at column 6", ""),
    ("{{ 'a }}", "must be valid Jinja2 syntax; got unexpected char \"'\" at column 4", ""),
    ("x\r\n{{ b | x }}", "must name a known filter; got 'x' at line 2 column 8", ""),
    ("{{ a | replace('x') }}", "'replace' must be given (old, new, count=-1); got missing a required argument: 'new' at column 8", ""),
    ("{{ a | upper(*b) }}", "must name each argument; got * at column 8", ""),
    ("{{ now(1) }}", "'now' must be given (); got too many positional arguments at column 4", ""),
    ("{{ attribute(a) }}", "attribute() must be given its name in quotes; got something else at column 4", ""),
    ("{{ a | sort(attribute='x') }}", "filter 'sort' must take no attribute; got 'attribute' at column 8", ""),
    ("{{ a | map('flaot') }}", "'map' must name a known filter; got 'flaot' at column 8", "did you mean 'float' or 'last'"),
    ("{{ a | unique(1) }}", "filter 'unique' must be given at most 0 arguments; got 1 at column 8", ""),
    ("{{ a | hash('md4') }}", "filter 'hash' must hash with one of md5, sha1, sha224, sha256, sha384, sha512, blake2b, blake2s; got 'md4' at column 8", ""),
    ("{{ a | matches('(a+)+') }}", "filter 'matches' must not repeat what repeats, it may run for ever; got '(a+)+' at column 8", ""),
    ("{{ 1 | format_time('%Q') }}", "filter 'format_time' must use known time directives; got '%Q' in '%Q' at column 8", ""),
    ("{{ 1 | format_time('iso', 'Mars') }}", "filter 'format_time' must name a time zone such as 'Europe/Berlin'; got 'Mars' at column 8", ""),
    ("{{ 1 | round(1, 'up') }}", "filter 'round' must round 'common', 'ceil' or 'floor'; got 'up' at column 8", ""),
    ("{{ a | abs }}", "filter 'abs' must be given a number; got text at column 8", CONVERT),
    ("{{ a + 1 }}", "must calculate with numbers; got text and a number at column 4", CONVERT),
    ("{{ '%s' % a }}", "must calculate with numbers; got text and text at column 4", CONVERT),
    ("{{ -a }}", "must calculate with numbers; got - text at column 4", CONVERT),
    ("{{ a > 10 }}", "must compare what is of one kind; got text and a number at column 8", CONVERT),
    ("{{ a == true }}", "must compare what is of one kind; got text and true/false at column 9", "write 'true' or 'false' in quotes"),
    ("{{ a in 5 }}", "must look in text or a list; got a number at column 9", ""),
    ("{{ 5[0] }}", "must take parts of text or a list; got a number at column 5", ""),
    ("{{ a['x'] }}", "must take a part of text by its position; got text at column 6", ""),
    ("{{ 'x' if a else 'y' }}", "must be a condition; got text at column 11", COMPARE),
    ("{{ not a }}", "must be a condition; got text at column 8", COMPARE),
    ("{{ 'x' if a == 'y' }}", "must say what else; got an if without else at column 4", ""),
    ("{{ 5 is defined }}", "'is defined' must follow an attribute's name; got a value at column 4", ""),
]  # fmt: skip

PREDICATES = [
    ("{{ a }} == 1", "must be written without braces; got '{{' at column 1", ""),
    ("flag", "must give true or false; got text at column 1", COMPARE),
    ("5", "must give true or false; got a number at column 1", COMPARE),
    ("a == 'x' b", "must end after one expression; got 'b' at column 10", ""),
    ("a and b == 'x'", "must be a condition; got text at column 1", COMPARE),
    ("a }} {{ b", "must end after one expression; got '}}' at column 3", ""),
    ("", "must be valid Jinja2 syntax; got unexpected 'end of template' at column 1", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "text", "rule", "remedy"),
    [(Expression, *one) for one in EXPRESSIONS] + [(Predicate, *one) for one in PREDICATES],
)
def test_a_mistake_is_found_at_validation_with_its_place(type_, text, rule, remedy):
    with pytest.raises(ExpressionSyntaxError) as caught:
        type_(text)
    message = f"{rule} of {text!r}" + (f"; {remedy}" if remedy else "")
    assert str(caught.value) == f"{type_.__name__.lower()} {message}"
    assert caught.value.rule == message


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{{ prcie }}", "must read attributes that the FlowFile has; got no 'prcie'; did you mean 'price'"),
        ("{{ zzz }}", "must read attributes that the FlowFile has; got no 'zzz'; 'default' replaces a missing one"),
        ("{{ zzz | title }}", "must read attributes that the FlowFile has; got no 'zzz'; 'default' replaces a missing one"),
        ("{{ price | replace(zzz, 'x') ~ ('a' | title) }}", "must read attributes that the FlowFile has; got no 'zzz'; 'default' replaces a missing one"),
        ("{{ name | float }}", "must be given a number; got 'abc'"),
        ("{{ name | int + 1 }}", "must be given a whole number; got 'abc'"),
        ("{{ price | int }}", "must be given a whole number; got '12.5'"),
        ("{{ name | bool }}", "must be given true or false; got 'abc'"),
        ("{{ name | split('b') }}", "must give text, a number or true/false; got a list; 'join' makes text of a list"),
        ("{{ none }}", "must give text, a number or true/false; got none"),
        ("{{ name | from_json }}", "must be given JSON; got 'abc'"),
        ("{{ name | base64_decode }}", "must be given UTF-8 text in base64; got 'abc'"),
        ("{{ name | extract('(x)') }}", "must find '(x)'; got 'abc'"),
        ("{{ name | parse_time }}", "must be given a time like 'iso'; got 'abc'"),
        ("{{ name | duration }}", "must be a duration such as '30 sec'; got 'abc'"),
        ("{{ name | join('-') }}", "must join a list; got text 'abc'; 'split' makes one"),
        ("{{ {'x': 1}[name] }}", "must be computable; got KeyError: 'abc'"),
        ("{{ 1 // (name | length - 3) }}", "must be computable; got ZeroDivisionError: integer division or modulo by zero"),
        ("{{ name[5] }}", "must be computable; got IndexError: string index out of range"),
    ],
)  # fmt: skip
def test_what_one_flowfile_cannot_give_names_the_expression_and_the_value(text, rule):
    flowfile = FlowFile(1, {"name": "abc", "price": "12.5"}, b"", 0, 0, 0, 0)
    with pytest.raises(ExpressionError) as caught:
        Expression(text).evaluate(flowfile)
    assert str(caught.value) == f"expression {text!r} {rule}"


def test_a_predicate_must_not_give_text():
    flowfile = FlowFile(1, {"json": '"x"'}, b"", 0, 0, 0, 0)
    with pytest.raises(ExpressionError) as caught:
        Predicate("json | from_json").matches(flowfile)
    assert str(caught.value) == (
        "predicate 'json | from_json' must give true or false; got 'x'; compare it with something"
    )


def test_a_long_expression_is_shortened_in_messages():
    with pytest.raises(ExpressionSyntaxError) as caught:
        Expression("{{ x | y }}" + "z" * 1000)
    assert len(str(caught.value)) < 200
