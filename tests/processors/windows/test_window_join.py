"""WindowJoin: pairs of two inputs in one window, whichever was faster."""

import json
import math

import pytest
from pydantic import ValidationError

from flowengine.errors import DefinitionError
from flowengine.testing import ProcessorRunner, check_processor
from processors.windows import WindowJoin


class Joining:
    """A join of clicks (left) and views (right) in windows of 10 ms."""

    def __init__(self, **properties):
        given = {"left": "clicks", "size": "10 ms", "key_fields": ["k"], "time_field": "t"}
        self.runner = ProcessorRunner(WindowJoin, **{**given, **properties})
        self.runner.queue.source = "views"
        self.clicks = self.runner.add_input("from-clicks", "clicks")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.runner.close()

    def click(self, **record):
        self.runner.enqueue(json.dumps(record), queue=self.clicks)
        self.runner.run(5)

    def view(self, **record):
        self.runner.enqueue(json.dumps(record))
        self.runner.run(5)

    def close(self):
        self.runner.node.watermark = math.inf
        self.runner.run(100)

    def rows(self, relationship="window"):
        found = self.runner.transferred(relationship)
        lines = [line for f in found for line in self.runner.content(f).splitlines()]
        return [json.loads(line) for line in lines]


def test_it_keeps_the_contract_of_a_processor():
    check_processor(WindowJoin)


def test_records_of_one_key_and_window_make_pairs():
    with Joining() as join:
        join.view(k="a", t=9, page=1)
        join.click(k="a", t=1, x=5)
        join.view(k="a", t=3, page=2)
        join.view(k="b", t=3, page=3)
        join.close()
        assert [(row["left"]["t"], row["right"]["page"]) for row in join.rows()] == [(1, 2), (1, 1)]
        [flowfile] = join.runner.transferred("window")
        names = ("window.start", "window.end", "window.key", "join.left", "join.right")
        assert [flowfile.attributes[name] for name in names] == [
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00.01Z",
            "a",
            "1",
            "2",
        ]
        assert flowfile.event_time == 9_999


@pytest.mark.parametrize(
    ("kind", "rows", "unmatched"),
    [
        ("inner", [("a", "a")], ["b", "c"]),
        ("left", [("a", "a"), ("b", None)], ["c"]),
        ("outer", [("a", "a"), ("b", None), (None, "c")], None),
    ],
)
def test_the_kind_of_join_says_what_comes_out_alone(kind, rows, unmatched):
    def key(side):
        return side and side["k"]

    with Joining(join=kind) as join:
        join.click(k="a", t=1)
        join.click(k="b", t=1)
        join.view(k="a", t=2)
        join.view(k="c", t=2)
        join.close()
        assert [(key(r["left"]), key(r["right"])) for r in join.rows()] == rows
        if unmatched is not None:
            assert [row["k"] for row in join.rows("unmatched")] == unmatched


def test_records_of_different_windows_do_not_meet():
    with Joining() as join:
        join.click(k="a", t=9)
        join.view(k="a", t=10)
        join.close()
        assert join.rows() == []
        assert len(join.rows("unmatched")) == 2


def test_the_sides_may_name_their_fields_differently():
    with Joining(right_key_fields=["user"], right_time_field="at") as join:
        join.click(k="a", t=1)
        join.view(user="a", at=2)
        join.close()
        assert join.rows() == [{"left": {"k": "a", "t": 1}, "right": {"user": "a", "at": 2}}]


def test_a_late_record_of_either_side_goes_to_late():
    with Joining() as join:
        join.runner.node.watermark = 50_000
        join.view(k="a", t=1)
        [late] = join.runner.transferred("late")
        assert late.attributes["window.key"] == "a"


def test_the_left_input_must_exist():
    with Joining(left="nobody") as join, pytest.raises(DefinitionError) as caught:
        join.click(k="a", t=1)
    assert str(caught.value) == (
        "property 'left' must name one of the inputs (clicks, views); got 'nobody'"
    )


def test_a_join_needs_a_key():
    with pytest.raises(ValidationError, match="must have a key or key_fields to join on; got none"):
        WindowJoin.Properties.model_validate({"left": "a", "size": "1 sec"})
