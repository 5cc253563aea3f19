"""What comes out of a window: folds, SQL, installed folds; saved windows under new parameters."""

import math
import re
import statistics
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flowengine.errors import DefinitionError
from flowengine.testing import ProcessorRunner
from processors.windows import TumblingWindow
from processors.windows.plan import fold_plan
from tests.processors.windows.feeding import Feed

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e12, 1e12)
ALL = {
    "n": "count",
    "with_v": {"count": "v"},
    "sum": {"sum": "v"},
    "mean": {"mean": "v"},
    "variance": {"variance": "v"},
    "stddev": {"stddev": "v"},
    "min": {"min": "v"},
    "max": {"max": "v"},
    "first": {"first": "v"},
    "last": {"last": "v"},
    "all": {"collect": "v"},
    "different": {"distinct": "v"},
    "median": {"median": "v"},
    "p90": {"quantile": "v", "q": 0.9},
}


def window(**properties) -> Feed:
    return Feed(TumblingWindow, size="1 sec", **properties)


def folded(values: list, order: list[int] | None = None, size: int = 3) -> dict:
    """All folds of values at times 0, 1, …, that arrive in an order, some at a time."""
    records = [{"t": t, "v": v} for t, v in enumerate(values)]
    arriving = [records[i] for i in order] if order else records
    with window(folds=ALL) as feed:
        for start in range(0, len(arriving), size):
            feed.batch(*arriving[start : start + size]).restart()
        [result] = feed.reach(math.inf).contents()
        return result


def test_folds_have_their_usual_meaning():
    values = [4, 1.5, None, 4, 10]
    known = [4, 1.5, 4, 10]
    assert folded(values) == {
        "n": 5,
        "with_v": 4,
        "sum": 19.5,
        "mean": 4.875,
        "variance": statistics.variance(known),
        "stddev": pytest.approx(statistics.stdev(known)),
        "min": 1.5,
        "max": 10,
        "first": 4,
        "last": 10,
        "all": known,
        "different": 3,
        "median": 4.0,
        "p90": pytest.approx(8.2),
    }


def test_folds_of_nothing_have_no_value():
    found = folded([None])
    assert {name for name, value in found.items() if value is None} == {
        "sum", "mean", "variance", "stddev", "min", "max", "first", "last", "median", "p90",
    }  # fmt: skip


@given(st.lists(NUMBERS, min_size=1, max_size=8).flatmap(
    lambda v: st.tuples(st.just(v), st.permutations(range(len(v))), st.integers(1, 4))
))  # fmt: skip
def test_no_fold_depends_on_order_or_batches(case):
    values, order, size = case
    assert folded(values, order, size) == folded(values)


def test_integers_of_any_size_are_added_exactly():
    with window(folds={"s": {"sum": "v"}}) as feed:
        feed.batch(*({"t": 1, "v": 2**62} for _ in range(9)))
        assert feed.reach(math.inf).contents() == [{"s": 9 * 2**62}]


def test_sums_beyond_the_greatest_float_are_no_crash():
    with window(folds={"s": {"sum": "v"}, "m": {"mean": "v"}}) as feed:
        feed.batch({"t": 1, "v": 1e308}, {"t": 1, "v": 1e308}).batch({"t": 1, "v": 1e308})
        assert feed.reach(math.inf).contents()[0].keys() == {"s", "m"}


@pytest.mark.parametrize(
    ("folds", "rule"),
    [
        ({"x": "average"}, "'x' must name one of collect, count, distinct, first"),
        ({"x": "sum"}, "'x' must name a field, as {'sum': 'speed'}; got 'sum'"),
        ({"x": {"quantile": "v"}}, "'x' must have 'q' with 'quantile' only"),
        ({"x": {"quantile": "v", "q": 2}}, "'x' must have a 'q' from 0 to 1; got 2"),
    ],
)
def test_a_wrong_fold_is_named(folds, rule):
    with pytest.raises(ValueError, match=re.escape(rule)):
        fold_plan(folds)
    with pytest.raises(ValidationError, match="folds"):
        TumblingWindow.Properties.model_validate({"size": "1 sec", "folds": folds})


def test_sql_sees_the_records_of_one_window():
    sql = 'select k, sum(v) as total from "window" group by k order by k'
    with window(sql=sql) as feed:
        feed.batch(
            {"t": 1, "k": "a", "v": 1}, {"t": 2, "k": "b", "v": 5}, {"t": 3, "k": "a", "v": 2}
        )
        assert feed.reach(math.inf).contents() == [[{"k": "a", "total": 3}, {"k": "b", "total": 5}]]


@pytest.mark.parametrize("function", ["read_text('/etc/passwd')", "glob('/*')"])
def test_sql_reaches_no_file(function):
    with window(sql=f"select * from {function}") as feed:
        feed.batch({"t": 1}).reach(math.inf)
        [failed] = feed.out("invalid")
        assert "sql must have a result for each window" in failed.attributes["error.message"]
        assert feed.runner.content(failed) == b'{"t": 1}'


@pytest.mark.parametrize("sql", ["drop table x", "select 1; select 2", "set threads = 4", "selec"])
def test_sql_is_one_select(sql):
    with pytest.raises(ValidationError, match="must be"):
        TumblingWindow.Properties.model_validate({"size": "1 sec", "sql": sql})


def test_a_fold_may_come_from_an_installed_package(tmp_path, monkeypatch):
    (tmp_path / "spread.py").write_text(
        "def spread(records):\n    v = [r['v'] for r in records]\n    return max(v) - min(v)\n"
    )
    information = tmp_path / "spread-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: spread\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[flowengine.folds]\nspread = spread:spread\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with window(fold="spread") as feed:
        feed.batch({"t": 1, "v": 7}, {"t": 2, "v": 3}, {"t": 1500, "x": 1}).reach(math.inf)
        assert feed.contents() == [4]
        [failed] = feed.out("invalid")
        assert failed.attributes["error.message"] == (
            "fold 'spread' must have a result for each window; got KeyError: 'v'"
        )


def test_a_fold_that_is_not_installed_is_named():
    properties = TumblingWindow.Properties.model_validate({"size": "1 sec", "fold": "nothing"})
    with pytest.raises(DefinitionError) as caught:
        TumblingWindow(properties)
    assert str(caught.value) == "fold must be an installed one (none); got 'nothing'"


# Saved windows under new parameters (E18)


def reopened(feed: Feed, **properties) -> ProcessorRunner:
    """The runner after a deploy of other parameters."""
    runner = feed.runner
    model = TumblingWindow.Properties.model_validate({"time_field": "t", **properties})
    runner.flat = replace(runner.flat, properties=model)
    runner.restart()
    return runner


def test_new_parameters_over_open_windows_are_refused():
    with window() as feed:
        feed.record({"t": 1})
        runner = reopened(feed, size="2 sec")
        with pytest.raises(DefinitionError) as caught:
            runner.start()
        assert str(caught.value) == (
            "processor 'processor' (TumblingWindow) must keep the parameters of its open windows; "
            "they were saved with size '1 sec'. Set them back, or set `saved_windows` to 'emit' "
            "or 'drop'"
        )


@pytest.mark.parametrize(("choice", "panes"), [("emit", [[1]]), ("drop", [])])
def test_or_they_are_emitted_or_dropped_with_a_count(choice, panes):
    with window() as feed:
        feed.record({"t": 1})
        reopened(feed, size="2 sec", saved_windows=choice)
        feed.record({"t": 1900})
        assert feed.times() == panes
        assert feed.reach(math.inf).times() == [[1900]]
        dropped = feed.runner.counters.get("records_dropped_total.processor", 0)
        assert dropped == (choice == "drop")


def test_what_does_not_shape_the_windows_may_change():
    with window() as feed:
        feed.record({"t": 1})
        reopened(feed, size="1 sec", allowed_lateness="1 min")
        assert feed.reach(1000).times() == [[1]]
