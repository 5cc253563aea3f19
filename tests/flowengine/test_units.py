"""Durations, sizes, rates and secrets, as text and as pydantic types."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flowengine.errors import PropertyError
from flowengine.units import (
    DataSize,
    Duration,
    Rate,
    RateValue,
    Secret,
    format_duration,
    format_size,
    parse_duration,
    parse_rate,
    parse_size,
)

amounts = st.integers(min_value=0, max_value=2**62)


class Model(BaseModel):
    model_config = ConfigDict(validate_default=True, frozen=True)

    wait: Duration = Field(parse_duration("1 min"))
    size: DataSize = Field("1 MB", validate_default=True)
    rate: Rate = Field(RateValue(1, False))
    password: Secret = Secret("hunter2")
    limit: Duration | None = None


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("30 sec", 30_000_000),
        ("30s", 30_000_000),
        ("1 second", 1_000_000),
        ("100 ms", 100_000),
        ("25 millis", 25_000),
        ("7 us", 7),
        ("7 µs", 7),
        ("7 micros", 7),
        ("1000 nanos", 1),
        ("1 ns", 1),
        ("1.5 min", 90_000_000),
        ("2 HOURS", 7_200_000_000),
        ("1 day", 86_400_000_000),
        ("1 wk", 604_800_000_000),
        ("  0 sec ", 0),
    ],
)
def test_nifi_spellings_of_a_duration_are_microseconds(text, microseconds):
    assert parse_duration(text) == microseconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("1 B", 1), ("1 KB", 1024), ("50mb", 50 * 1024**2), ("0.5 GB", 2**29), ("2 TB", 2**41)],
)
def test_sizes_are_1024_based(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["fast", "30", "", "sec", "-1 sec", "1 fortnight", "1,5 sec", "1e3 sec", "٣ sec"]
)
def test_anything_else_is_no_duration(text):
    with pytest.raises(PropertyError) as caught:
        parse_duration(text)
    assert str(caught.value) == f"must be a duration such as '30 sec'; got {text!r}"


def test_a_duration_that_no_clock_can_count_is_refused():
    with pytest.raises(PropertyError, match=r"must be a duration such as '30 sec' and below 2\^63"):
        parse_duration("99999999999999 weeks")


def test_a_size_in_another_unit_is_refused():
    with pytest.raises(PropertyError) as caught:
        parse_size("1 MiB")
    assert str(caught.value) == "must be a data size such as '1 MB'; got '1 MiB'"


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (1, RateValue(1, False)),
        ("100", RateValue(100, False)),
        ("1 MB", RateValue(1048576, True)),
    ],
)
def test_a_rate_is_a_count_or_an_amount_of_data(value, rate):
    assert parse_rate(value) == rate


@pytest.mark.parametrize("value", ["fast", 0, -1, "0 B", 1.5, True])
def test_nothing_is_no_rate(value):
    with pytest.raises(PropertyError) as caught:
        parse_rate(value)
    assert str(caught.value) == f"must be a data rate such as '1 MB'; got {value!r}"


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (30_000_000, "30 sec"),
        (60_000_000, "1 min"),
        (90_000_000, "90 sec"),
        (100_000, "100 ms"),
        (3_600_000_000, "1 hour"),
        (7 * 86_400_000_000, "7 days"),
        (1, "1 us"),
        (0, "0 sec"),
    ],
)
def test_a_duration_is_written_in_the_largest_unit_without_a_fraction(microseconds, text):
    assert format_duration(microseconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1, "1 B"), (1536, "1536 B"), (1048576, "1 MB")]
)
def test_a_size_is_written_in_the_largest_unit_without_a_fraction(size, text):
    assert format_size(size) == text


@given(amounts)
def test_a_written_duration_reads_back_exactly(microseconds):
    assert parse_duration(format_duration(microseconds)) == microseconds


@given(amounts)
def test_a_written_size_reads_back_exactly(size):
    assert parse_size(format_size(size)) == size


def test_properties_are_numbers_and_their_dump_is_text():
    model = Model(wait="90 sec", size="2 GB", rate="5 KB")
    assert (model.wait, model.size, model.rate) == (90_000_000, 2**31, RateValue(5120, True))
    assert model.model_dump(exclude={"password"}) == {
        "wait": "90 sec",
        "size": "2 GB",
        "rate": "5 KB",
        "limit": None,
    }


def test_defaults_are_parsed_text_or_text():
    model = Model()
    assert (model.wait, model.size, model.rate.amount) == (60_000_000, 1048576, 1)
    assert type(model.wait) is int


@given(amounts, amounts)
def test_a_model_round_trips_through_json(wait, size):
    model = Model(wait=format_duration(wait), size=format_size(size))
    again = Model.model_validate_json(model.model_dump_json(exclude={"password"}))
    assert again == model


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("wait", "fast", "must be a duration such as '30 sec'; got 'fast'"),
        ("wait", 5, "must be a duration such as '30 sec'; got 5"),
        ("limit", "soon", "must be a duration such as '30 sec'; got 'soon'"),
        ("size", 1024, "must be a data size such as '1 MB'; got 1024"),
        ("rate", "fast", "must be a data rate such as '1 MB'; got 'fast'"),
        ("password", 12345, "must be text; got a value of type int"),
    ],
)
def test_a_wrong_property_names_its_rule(field, value, message):
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({field: value})
    assert [one["msg"] for one in caught.value.errors()] == [message]


def test_json_schema_has_formats_and_canonical_defaults():
    properties = Model.model_json_schema()["properties"]
    assert [(one.get("format"), one["default"]) for one in properties.values()] == [
        ("duration", "1 min"),
        ("data-size", "1 MB"),
        ("rate", 1),
        ("secret", "******"),
        (None, None),
    ]


def test_a_secret_shows_itself_only_when_asked():
    secret = Secret("hunter2")
    model = Model(password=secret)
    assert secret.reveal() == "hunter2"
    for shown in (secret, f"{secret}", repr(secret), model, model.model_dump_json()):
        assert "hunter2" not in str(shown)


def test_a_secret_equals_the_same_secret_and_no_text():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


def test_a_secret_is_copied_but_never_pickled():
    secret = Secret("a")
    assert copy.deepcopy(secret) is secret
    assert copy.copy(secret) is secret
    with pytest.raises(TypeError, match=r"^a secret must not be pickled$"):
        pickle.dumps(secret)
