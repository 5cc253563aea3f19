"""Each filter, alike whether it is compiled or run in the sandbox."""

import pytest

from flowengine.expressions import Expression
from flowengine.expressions.filters import FILTERS, JINJA_FILTERS
from flowengine.expressions.program import compile_text
from flowengine.flowfile import FlowFile

# The attribute `a` holds the text; the filter stands behind it.
CASES = [
    ("-1.5", "float | abs", "1.5"),
    ("-7", "int | abs", "7"),
    ("hé", "base64", "aMOp"),
    ("aMOp", "base64_decode", "hé"),
    ("TRUE", "bool", "true"),
    ("users.json", "contains('s.j')", "true"),
    ("1.5 KB", "data_size", "1536"),
    ("x", "default('y')", "x"),
    ("1 min", "duration", "60000000"),
    ("users.json", "ends_with('.json')", "true"),
    ('a "b"\n', "escape_json", 'a \\"b\\"\\n'),
    ("<a & 'b'>", "escape_xml", "&lt;a &amp; &#x27;b&#x27;&gt;"),
    ("id=42;", "extract('id=([0-9]+)')", "42"),
    ("id=42;", "extract('(?P<n>[0-9]+)', 'n')", "42"),
    ("id=42;", "find('[0-9]')", "true"),
    ("xyz", "first", "x"),
    ("12.5", "float", "12.5"),
    ("x", "float(0)", "0"),
    ("1700000000123456", "format_time", "2023-11-14T22:13:20.123456Z"),
    ("1700000000123", "format_time('%d.%m.%Y %H:%M', 'Europe/Berlin', 'ms')", "14.11.2023 23:13"),
    ("1700000000", "format_time(unit='s')", "2023-11-14T22:13:20Z"),
    ("[1, {}]", "from_json | first", "1"),
    ("x", "hash('md5')", "9dd4e461268c8034f5c8564e155c67a6"),
    ("12", "int", "12"),
    ("x", "int(-1)", "-1"),
    ("a b", "split | join('+')", "a+b"),
    ("xyz", "last", "z"),
    ("xyz", "length", "3"),
    ("XyZ", "lower", "xyz"),
    ("in.txt", "matches('[a-z]+[.]txt')", "true"),
    ("in.txt!", "matches('[a-z]+[.]txt')", "false"),
    ("7", "pad_left(3, '0')", "007"),
    ("7", "pad_right(3)", "7  "),
    ("2023-11-14T23:13:20+01:00", "parse_time", "1700000000000000"),
    ("14.11.2023 23:13", "parse_time('%d.%m.%Y %H:%M', 'Europe/Berlin')", "1699999980000000"),
    ("a.b.c", "replace('.', '')", "abc"),
    ("a.b.c", "replace('.', '-', 1)", "a-b.c"),
    ("2023-11", "replace_regex('([0-9]+)-([0-9]+)', '\\\\2/\\\\1')", "11/2023"),
    ("2.567", "float | round(2)", "2.57"),
    ("2.1", "float | round(method='ceil') | int", "3"),
    ("x", "sha256", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
    ("a, b", "split(', ') | length", "2"),
    ("xyz", "starts_with('xy')", "true"),
    ("1.50", "float | string", "1.5"),
    ("users.json", "substring(1, 3)", "se"),
    ("users.json", "substring(6)", "json"),
    ("a.b.c", "substring_after('.')", "b.c"),
    ("a.b.c", "substring_after_last('.')", "c"),
    ("a.b.c", "substring_before('.')", "a"),
    ("a.b.c", "substring_before_last('.')", "a.b"),
    ("abc", "substring_before('.')", "abc"),
    ("abc", "substring_before_last('.')", "abc"),
    ("abc", "substring_after('.')", "abc"),
    ("abc", "substring_after_last('.')", "abc"),
    ("é", "to_json", '"é"'),
    ("  x ", "trim", "x"),
    ("--x-", "trim('-')", "x"),
    ("xyz", "upper", "XYZ"),
    ("a%20b%2F", "urldecode", "a b/"),
    ("a b/&", "urlencode", "a%20b/%26"),
]  # fmt: skip

JINJA_CASES = [
    ("xy Z", "capitalize", "Xy z"),
    ("2048", "int | filesizeformat(true)", "2.0 KiB"),
    ("xy", "list | join('-')", "x-y"),
    ("1,2", "split(',') | map('int') | map('pad_left', 2, '0') | join(' ')", "01 02"),
    ("1,3", "split(',') | max", "3"),
    ("1,3", "split(',') | min", "1"),
    ("1,3", "split(',') | reject('eq', '1') | join", "3"),
    ("xy", "reverse", "yx"),
    ("1,3", "split(',') | map('int') | select('gt', 1) | join", "3"),
    ("b,a", "split(',') | sort | join", "ab"),
    ("b,a,c", "split(',') | sort(reverse=true) | join", "cba"),
    ("1,3", "split(',') | map('int') | sum", "4"),
    ("xy z", "title", "Xy Z"),
    ("a long text", "truncate(5, false, '...', 0)", "a..."),
    ("a,a", "split(',') | unique | join", "a"),
    ("a b", "wordcount", "2"),
]  # fmt: skip


def evaluate(text: str, value: str) -> str:
    return Expression(text).evaluate(FlowFile(1, {"a": value}, b"", 0, 0, 0, 0))


@pytest.mark.parametrize(("value", "filters", "expected"), CASES)
def test_a_filter_gives_the_same_compiled_and_in_the_sandbox(value, filters, expected):
    compiled, sandboxed = f"{{{{ a | {filters} }}}}", f"{{{{ a | {filters} }}}}{{{{ '' | title }}}}"
    assert compile_text(compiled, False).generated is not None
    assert compile_text(sandboxed, False).generated is None
    assert (evaluate(compiled, value), evaluate(sandboxed, value)) == (expected, expected)


@pytest.mark.parametrize(("value", "filters", "expected"), JINJA_CASES)
def test_a_filter_of_jinja2_runs_in_its_sandbox(value, filters, expected):
    text = f"{{{{ a | {filters} }}}}"
    assert compile_text(text, False).generated is None
    assert evaluate(text, value) == expected


def test_every_filter_has_a_case():
    tried = {part.split("(")[0].strip() for _, text, _ in CASES for part in text.split("|")}
    assert set(FILTERS) - tried == set()
    tried = {part.split("(")[0].strip() for _, text, _ in JINJA_CASES for part in text.split("|")}
    assert set(JINJA_FILTERS) - tried == set()


def test_text_filters_take_numbers_too():
    assert evaluate("{{ 7 | pad_left(3, '0') }}{{ true | upper }}", "") == "007TRUE"
