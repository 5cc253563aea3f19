"""GenerateRecords: seeded records, at a rate, going on exactly where they stopped."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flowengine.definition.flat import Scheduling
from flowengine.testing import FakeClock, ProcessorRunner, check_processor
from processors.generate_records import GenerateRecords
from processors.generate_records.providers import QUICK, mix, numbers, quick

SECOND = 1_000_000


def generate(times: int = 100, batch: int = 256, **properties: Any) -> ProcessorRunner:
    """A runner that has been triggered."""
    scheduling = Scheduling(batch_size=batch)
    runner = ProcessorRunner(GenerateRecords, scheduling=scheduling, **properties)
    runner.run(times)
    return runner


def contents(runner: ProcessorRunner) -> list[bytes]:
    return [runner.content(f) for f in runner.transferred("success")]


def records(runner: ProcessorRunner) -> list[Any]:
    return [json.loads(content) for content in contents(runner)]


def values(definition: Any, count: int = 200, seed: int = 0) -> list[Any]:
    with generate(schema={"v": definition}, count=count, seed=seed) as runner:
        return [record["v"] for record in records(runner)]


def refusal(**properties: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        GenerateRecords.Properties.model_validate(properties)
    return str(caught.value.errors()[0]["msg"])


def test_it_keeps_the_contract_of_every_processor():
    check_processor(GenerateRecords)


def test_it_completes_after_the_count():
    with generate(schema={"n": "sequence"}, count=600) as runner:
        assert records(runner) == [{"n": n} for n in range(1, 601)]
        assert runner.node.completed
        last = runner.transferred("success")[-1]
        assert last.attributes == {"record.number": "599", "mime.type": "application/json"}


def test_a_restart_goes_on_with_the_same_records():
    schema = {"id": "uuid", "n": "random_int", "name": "first_name", "day": "date"}
    with generate(schema=schema, count=50, seed=7) as whole:
        expected = contents(whole)
    with generate(times=1, batch=3, schema=schema, count=50, seed=7) as runner:
        while not runner.node.completed:
            runner.restart()
            runner.trigger()
        assert contents(runner) == expected
        assert len(set(expected)) == 50


def test_another_seed_makes_other_records():
    assert values("random_int", seed=1) == values("random_int", seed=1)
    assert values("random_int", seed=1) != values("random_int", seed=2)


def test_a_field_keeps_its_values_when_others_are_added():
    with generate(schema={"x": "uuid", "v": "random_int"}, count=200) as runner:
        assert [record["v"] for record in records(runner)] == values("random_int")


@pytest.mark.parametrize(
    ("definition", "first"),
    [
        ("sequence", [1, 2, 3]),
        ({"provider": "sequence", "start": 10, "step": -5}, [10, 5, 0]),
        ({"provider": "constant", "value": {"a": [1]}}, [{"a": [1]}] * 3),
        (
            {"provider": "timestamp", "start": "2026-01-01T00:00:00+01:00", "step": "1 min"},
            ["2025-12-31T23:00:00Z", "2025-12-31T23:01:00Z", "2025-12-31T23:02:00Z"],
        ),
        (
            {"provider": "timestamp", "step": "500 ms", "format": "ms"},
            [1767225600000, 1767225600500, 1767225601000],
        ),
    ],
)
def test_providers_that_follow_a_rule(definition, first):
    assert values(definition)[:3] == first


def test_random_providers_stay_within_their_bounds_and_reach_them():
    assert set(values({"provider": "random_int", "min": -1, "max": 2})) == {-1, 0, 1, 2}
    assert set(values({"provider": "choice", "values": ["a", 1, None]})) == {"a", 1, None}
    floats = values({"provider": "random_float", "min": 2, "max": 3})
    assert 2 <= min(floats) < max(floats) < 3
    assert max(floats) - min(floats) > 0.9
    version4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(version4.fullmatch(text) for text in values("uuid"))


def test_weights_decide_how_often_a_value_comes():
    chosen = values(
        {"provider": "choice", "values": ["often", "rare", "never"], "weights": [9, 1, 0]}, 2000
    )
    assert 1700 < chosen.count("often") < 1900
    assert chosen.count("never") == 0


def test_jitter_makes_times_earlier_only():
    step, jitter = 1_000_000, 5_000_000
    definition = {"provider": "timestamp", "jitter": "5 sec", "format": "us"}
    times = values(definition)
    late = [1_767_225_600_000_000 + n * step - time for n, time in enumerate(times)]
    assert min(late) >= 0
    assert 4_000_000 < max(late) <= jitter


def test_now_is_the_clock():
    with generate(schema={"t": {"provider": "now", "format": "us"}}, count=1) as runner:
        assert records(runner) == [{"t": runner.clock.wall()}]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32))
def test_mix_is_a_function_of_64_bits(seed: int, n: int):
    assert mix(seed + n) == mix((seed + n) % 2**64)
    assert 0 <= mix(seed + n) < 2**64


@given(st.integers(0, 2**64 - 1), st.integers(0, 300), st.integers(0, 300))
def test_numbers_do_not_depend_on_where_one_starts(seed: int, first: int, count: int):
    whole = numbers(seed, 0, 600)
    assert numbers(seed, first, first + count) == whole[first : first + count]
    assert len(set(whole)) == 600


@pytest.mark.parametrize("name", sorted(set(QUICK) - {"now"}))
def test_a_record_does_not_depend_on_those_before(name):
    needed: dict[str, Any] = {"constant": {"value": 1}, "choice": {"values": [1, 2, 3]}}
    provider = quick({"provider": name, **needed.get(name, {})})
    assert provider is not None
    column = provider.column(5, lambda: 0)
    assert [column(n, n + 1)[0] for n in range(20)] == column(0, 20)
    assert column(15, 20) == column(0, 20)[15:]


# -- Faker -----------------------------------------------------------------------------------------


def test_fields_of_faker_take_arguments_and_a_locale():
    schema = {
        "name": "name",
        "word": {"provider": "pystr", "min_chars": 3, "max_chars": 3},
        "price": "pydecimal",
    }
    with generate(schema=schema, count=3, locale="nl_NL") as runner:
        assert [list(record) for record in records(runner)] == [["name", "word", "price"]] * 3
        assert all(len(record["word"]) == 3 for record in records(runner))


def test_faker_makes_few_records_per_trigger_so_that_the_loop_stays_free():
    with generate(times=1, schema={"name": "name"}) as runner:
        assert len(records(runner)) == 20


def test_faker_is_imported_only_when_a_field_needs_it():
    code = (
        "import sys\n"
        "from flowengine.testing import ProcessorRunner\n"
        "from processors.generate_records import GenerateRecords\n"
        "with ProcessorRunner(GenerateRecords, schema={'a': 'uuid'}, count=1) as runner:\n"
        "    runner.run()\n"
        "assert 'faker' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- contents, attributes, times -------------------------------------------------------------------


def test_ndjson_puts_several_records_into_a_flowfile():
    with generate(
        schema={"n": "sequence"}, count=5, format="ndjson", records_per_flowfile=2
    ) as runner:
        assert contents(runner) == [b'{"n":1}\n{"n":2}\n', b'{"n":3}\n{"n":4}\n', b'{"n":5}\n']
        attributes = [f.attributes for f in runner.transferred("success")]
        assert attributes[2] == {
            "record.number": "4",
            "record.count": "1",
            "mime.type": "application/x-ndjson",
        }


def test_attributes_take_fields_as_text():
    schema = {"n": "sequence", "c": {"provider": "constant", "value": {"a": True}}}
    with generate(schema=schema, count=1, attributes={"key": "n", "c": "c"}) as runner:
        attributes = runner.transferred("success")[0].attributes
        assert (attributes["key"], attributes["c"]) == ("1", '{"a":true}')


def test_contents_are_filled_up_to_a_size():
    with generate(schema={"n": "sequence"}, count=1, content_size="100 B") as runner:
        assert len(contents(runner)[0]) == 100
        assert records(runner) == [{"n": 1}]
    with generate(count=2, content_size="5 B") as runner:
        assert contents(runner) == [b"xxxxx"] * 2
    with generate(count=2) as runner:
        assert contents(runner) == [b""] * 2


def test_big_contents_are_bounded_per_trigger_and_lie_in_files():
    with generate(times=1, content_size="5 MB") as runner:
        assert [f.size for f in runner.transferred("success")] == [5 << 20] * 3


def test_event_times_and_progress():
    schema = {"t": {"provider": "timestamp", "step": "1 sec"}}
    with generate(
        times=1, batch=2, schema=schema, event_time="t", out_of_orderness="3 sec"
    ) as runner:
        start = 1_767_225_600_000_000
        assert [f.event_time for f in runner.transferred("success")] == [start, start + SECOND]
        assert runner.node.progress == {"generated": start + SECOND - 3 * SECOND - 1}


# -- rate ------------------------------------------------------------------------------------------


def drive(runner: ProcessorRunner, clock: FakeClock, seconds: float, step: int = 10_000) -> None:
    for _ in range(int(seconds * SECOND / step)):
        runner.run(10)
        clock.advance(step)


@pytest.mark.parametrize(
    ("rate", "seconds", "made"), [("10/s", 2, 20), ("600/min", 1, 10), ("3/2 sec", 4, 6)]
)
def test_records_come_at_their_rate(rate, seconds, made):
    clock = FakeClock()
    with ProcessorRunner(GenerateRecords, clock=clock, count=0, rate=rate) as runner:
        drive(runner, clock, seconds)
        assert len(runner.transferred("success")) == made


def test_the_first_record_comes_at_once_and_the_next_when_it_is_due():
    clock = FakeClock()
    with ProcessorRunner(GenerateRecords, clock=clock, rate="4/s") as runner:
        runner.run(10)
        assert len(runner.transferred("success")) == 1
        assert runner.node.yield_until == SECOND // 4
        clock.advance(SECOND // 4)
        runner.run(10)
        assert len(runner.transferred("success")) == 2


def test_a_long_pause_is_made_up_for_by_one_second_only():
    clock = FakeClock()
    with ProcessorRunner(GenerateRecords, clock=clock, rate="100/s") as runner:
        runner.run(10)
        clock.advance(3600 * SECOND)
        runner.run(10)
        assert len(runner.transferred("success")) == 101


def test_a_flowfile_of_several_records_waits_until_all_are_due():
    clock = FakeClock()
    with ProcessorRunner(
        GenerateRecords,
        clock=clock,
        schema={"n": "sequence"},
        format="ndjson",
        records_per_flowfile=10,
        rate="10/s",
    ) as runner:
        drive(runner, clock, 2.95)
        assert len(runner.transferred("success")) == 3


def test_a_rate_above_the_batch_size_is_reached_in_several_triggers():
    clock = FakeClock()
    with ProcessorRunner(GenerateRecords, clock=clock, rate="100000/s") as runner:
        drive(runner, clock, 0.1)
        assert len(runner.transferred("success")) in range(9_000, 10_300)


# -- what is refused -------------------------------------------------------------------------------


def test_a_schema_that_makes_no_sense_is_refused_with_the_field():
    names = "sequence, constant, uuid, random_int, random_float, choice, timestamp, now"
    assert refusal(schema={"a": "nmae"}) == (
        f"must be made right: field 'a' provider must be {names} or one of Faker's; got 'nmae'"
    )
    assert refusal(schema={"a": "seed_instance"}).endswith("got 'seed_instance'")
    assert refusal(schema={"a": {"min": 1}}) == (
        "must be made right: field 'a' must name a 'provider'"
    )
    assert refusal(schema={"a": {"provider": "random_int", "least": 1}}) == (
        "must be made right: field 'a' argument least: Extra inputs are not permitted"
    )
    assert refusal(schema={"a": {"provider": "random_int", "min": 3, "max": 1}}) == (
        "must be made right: field 'a' min must not be above max; got 3 and 1"
    )
    assert refusal(schema={"a": "name"}, locale="xx_XX") == (
        "must be made right: field 'a' locale must be one of Faker's; got 'xx_XX'"
    )
    assert refusal(schema={"a": {"provider": "name", "oops": 1}}).startswith(
        "must be made right: field 'a' "
    )


def test_other_properties_that_do_not_fit_are_refused():
    assert refusal(attributes={"a": "b"}) == "must name fields of the schema; got 'b'"
    assert refusal(schema={"a": "uuid"}, event_time="a") == (
        "must name a field made by timestamp or now; got 'a'"
    )
    assert refusal(records_per_flowfile=2) == ("must be 1 with format 'json'; got 2. Use 'ndjson'")
    for rate in ("fast", "0/s", "10", "10/x", 5):
        assert refusal(rate=rate).startswith("must be records per time such as '10/s'; got ") or (
            "duration" in refusal(rate=rate)
        )


def test_properties_are_written_back_as_they_were():
    given = {"schema": {"a": "uuid"}, "rate": "10/s", "content_size": "1 KB"}
    model = GenerateRecords.Properties.model_validate(given)
    assert model.model_dump(mode="json", exclude_unset=True) == given
    assert "schema" in GenerateRecords.Properties.model_json_schema()["properties"]
