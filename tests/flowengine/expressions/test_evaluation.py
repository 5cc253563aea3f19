# ruff: noqa: E501 - one case a line, its message whole
"""What expressions and predicates give."""

import pytest

from flowengine.errors import ExpressionError
from flowengine.expressions import Expression, Predicate
from flowengine.flowfile import FlowFile

ATTRIBUTES = {
    "a": "x",
    "price": "12.50",
    "filename": "in.users.json",
    "kafka.offset": "42",
    "kafka": "no parent of kafka.offset",
    "country": "NL",
    "flag": "false",
    "empty": "",
    "tags": "b, a,c",
    "json": '{"user": {"ids": [7, 8]}}',
    "Content-Type": "text/plain",
}


def flowfile(**attributes: str) -> FlowFile:
    return FlowFile(
        1, ATTRIBUTES | attributes, b"12345", 5, 1_700_000_000_000_000, 0, 1_700_000_000_000_000
    )


def evaluate(text: str, **attributes: str) -> str:
    return Expression(text).evaluate(flowfile(**attributes), now=1_000_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ a }}", "x"),
        ("{{ a }}-{{ kafka.offset }}", "x-42"),
        ("{{kafka}}", "no parent of kafka.offset"),
        ("{{ attribute('Content-Type') }}", "text/plain"),
        ("{{ flowfile.size }}", "5"),
        ("{{ flowfile.uuid }}", "00000000-0000-8000-8000-000000000001"),
        ("{{ flowfile.entry_time }}", "1700000000000000"),
        ("{{ a ~ 1 ~ true ~ 1.5 }}", "x1true1.5"),
        ("{{ true }}{{ false }}", "truefalse"),
        ("{{ price | float > 10 }}", "true"),
        ("{{ 1 < 2 < 3 }}", "true"),
        ("{{ kafka.offset | int + 1 }}", "43"),
        ("{{ 7 // 2 }} {{ 7 / 2 }} {{ 7 % 2 }} {{ 2 ** 3 }} {{ -7 }} {{ 2 * 3.5 }}", "3 3.5 1 8 -7 7.0"),
        ("{{ a * 3 }}", "xxx"),
        ("{{ a + country }}", "xNL"),
        ("{{ 'yes' if country == 'NL' else 'no' }}", "yes"),
        ("{{ 'u' in filename }} {{ 'z' not in filename }}", "true true"),
        ("{{ country in ['NL', 'BE'] }}", "true"),
        ("{{ filename[0] }}{{ filename[-4:] }}{{ filename[::2][:2] }}", "ijsoni."),
        ("{{ {'NL': 'Nederland'}[country] }}", "Nederland"),
        ("{{ (json | from_json)['user']['ids'][1] }}", "8"),
        ("{{ missing | default('none') }}", "none"),
        ("{{ a | default('none') }}", "x"),
        ("{{ empty | default('none') }}", ""),
        ("{{ empty | default('none', true) }}", "none"),
        ("{{ attribute('x-y') | default(a) }}", "x"),
        ("{{ missing is defined }} {{ a is defined }} {{ a is not defined }}", "false true false"),
        ("{{ missing is undefined }} {{ attribute('x-y') is defined }}", "true false"),
        ("{{ a is none }} {{ a is string }} {{ 1 is number }} {{ 3 is odd }}", "false true true true"),
        ("{{ a is eq 'x' }} {{ a is in ['x'] }} {{ empty is empty }}", "true true true"),
        ("{{ empty or 'anonymous' }}", "anonymous"),
        ("{{ now() }}", "1000000"),
        ("{{ tags | split(',') | map('trim') | sort | join('+') }}", "a+b+c"),
        ("{{ tags | split(',') | map('trim') | select('in', ['a']) | join }}", "a"),
        ("{{ missing | default('x') ~ (a | title) }}", "xX"),
        ("{\"a\": {\"b\": {{ a | to_json }}}}", '{"a": {"b": "x"}}'),
        ("a\r\n{{ a }}\r\n", "a\r\nx\r\n"),
        ("  {{- a -}}  |", "x|"),
        ("{{ '{%' }}{{ '}}' }}", "{%}}"),
    ],
)  # fmt: skip
def test_an_expression_gives(text, expected):
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("country == 'NL'", True),
        ("country != 'NL'", False),
        ("price | float > 10 and country == 'NL'", True),
        ("flag | bool", False),
        ("not (flag | bool) or missing == 'x'", True),
        ("missing is defined and missing == 'x'", False),
        ("filename | ends_with('.json')", True),
        ("flowfile.size >= 5", True),
        ("tags | split(',') | map('trim') | list == ['b', 'a', 'c']", True),
        (" or ".join(f"a == '{number}'" for number in range(400)) + " or a == 'x'", True),
    ],
)
def test_a_predicate_holds_or_not(text, expected):
    assert Predicate(text).matches(flowfile()) is expected


def test_a_dotted_chain_is_one_attribute_and_never_a_part_of_one():
    with pytest.raises(ExpressionError, match=r"got no 'kafka\.topic'; did you mean 'kafka'"):
        evaluate("{{ kafka.topic }}")


@pytest.mark.parametrize("sandbox", ["", "{{ '' | title }}"])
def test_a_field_of_the_flowfile_is_no_attribute_of_that_name(sandbox):
    text = "{{ flowfile.size }} {{ attribute('flowfile.size') }}" + sandbox
    assert evaluate(text, **{"flowfile.size": "mine"}) == "5 mine"


def test_text_without_braces_is_literal():
    expression = Expression("50 % } off | upper")
    assert expression.is_literal
    assert expression.evaluate(flowfile()) == "50 % } off | upper"
    assert expression.evaluate_batch([flowfile()] * 2) == (["50 % } off | upper"] * 2, {})


def test_a_batch_gives_one_text_each():
    batch = [flowfile(a=str(number)) for number in range(3)]
    assert Expression("{{ a }}!").evaluate_batch(batch) == (["0!", "1!", "2!"], {})
    assert Predicate("a == '1'").matches_batch(batch) == ([False, True, False], {})


def test_an_empty_batch_gives_nothing():
    assert Expression("{{ a }}").evaluate_batch([]) == ([], {})


@pytest.mark.parametrize("text", ["{{ a | int }}", "{{ [a] | map('int') | first }}"])
def test_a_batch_maps_only_the_failed_ones_to_their_errors(text):
    batch = [flowfile(a="1"), flowfile(a="one"), flowfile(a="3")]
    values, errors = Expression(text).evaluate_batch(batch)
    assert values == ["1", None, "3"]
    assert list(errors) == [1]
    assert str(errors[1]) == f"expression {text!r} must be given a whole number; got 'one'"


def test_a_predicate_that_fails_counts_as_false_beside_its_error():
    batch = [flowfile(), FlowFile(2, {}, b"", 0, 0, 0, 0)]
    results, errors = Predicate("country == 'NL'").matches_batch(batch)
    assert (results, list(errors)) == ([True, False], [1])


def test_now_is_one_time_for_a_batch():
    values, _ = Expression("{{ now() | format_time }}").evaluate_batch([flowfile()] * 2, now=0)
    assert values == ["1970-01-01T00:00:00Z"] * 2


def test_now_is_the_wall_clock_unless_it_is_given():
    assert int(Expression("{{ now() }}").evaluate(flowfile())) > 1_700_000_000_000_000


def test_each_flowfile_gets_a_uuid_and_a_random_number_of_its_own():
    values, _ = Expression("{{ uuid() }} {{ random() }}").evaluate_batch([flowfile()] * 2)
    assert values[0] != values[1]
    assert 0 <= float(str(values[0]).split()[1]) < 1


def test_hostname_names_this_machine():
    assert evaluate("{{ hostname() }}")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("literal", set()),
        ("{{ a }}-{{ kafka.offset | default(b.c) }}", {"a", "kafka.offset", "b.c"}),
        ("{{ attribute('x-y') }}{{ z is defined }}{{ flowfile.size }}", {"x-y", "z"}),
        ("{{ tags | split(',') | sort | join(other) }}", {"tags", "other"}),
    ],
)
def test_attributes_are_the_names_that_may_be_read(text, names):
    assert Expression(text).attributes == names
