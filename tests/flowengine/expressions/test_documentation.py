"""docs/expressions.md names everything there is, as it is."""

import inspect
import re
from pathlib import Path

import pytest

from flowengine.expressions import Expression, Predicate
from flowengine.expressions.filters import FILTERS, JINJA_FILTERS
from flowengine.expressions.functions import (
    COMPARING_TESTS,
    FIELDS,
    FUNCTIONS,
    OTHER_TESTS,
    TESTS,
)

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text(encoding="utf-8")


def row(name: str) -> str:
    """How the table of filters begins a filter's row: its arguments and its docstring."""
    spec = FILTERS[name]
    bare = [one.replace(annotation=one.empty) for one in spec.parameters.parameters.values()]
    arguments = str(inspect.Signature(bare)) if bare else ""
    first_line = (inspect.getdoc(spec.function) or "").splitlines()[0].replace("``", "`")
    return f"| `{name}{arguments}` | {first_line} |"


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_documented_with_its_arguments(name):
    assert row(name) in PAGE


@pytest.mark.parametrize(
    "name", [*JINJA_FILTERS, *TESTS, *COMPARING_TESTS, *OTHER_TESTS, *FUNCTIONS, *FIELDS]
)
def test_everything_else_is_documented(name):
    assert re.search(rf"`[^`]*\b{name}\b[^`]*`", PAGE)


@pytest.mark.parametrize("text", sorted(set(re.findall(r"`(\{\{ [^`]+ \}\})`", PAGE))))
def test_each_example_in_braces_compiles(text):
    assert Expression(text).text == text


def test_the_predicate_of_the_page_compiles():
    line = next(line for line in PAGE.splitlines() if line.endswith("a predicate"))
    assert Predicate(line.removesuffix("a predicate").strip()).attributes == {"price", "country"}
