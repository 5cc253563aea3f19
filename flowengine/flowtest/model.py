"""The format of a flow test, as pydantic models; ``docs/flow-tests.md`` explains it to people."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from flowengine.definition.source import show
from flowengine.flowtest.moments import Instant, Moment, parse_moment
from flowengine.units import Duration

DEFAULT_CLOCK = Moment(1_704_067_200_000_000)
EVERY = "*"

Progress = dict[str, dict[str, Moment | None]]


class Part(BaseModel):
    """Base of all parts: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Content(Part):
    """What a FlowFile holds: text, one JSON value, or several as NDJSON."""

    content: str | None = None
    record: Any = None
    records: list[Any] | None = None

    @model_validator(mode="after")
    def _one_content(self) -> Content:
        given = self.model_fields_set & {"content", "record", "records"}
        if len(given) > 1:
            raise ValueError(
                "must have at most one of 'content', 'record' and 'records'; got "
                + " and ".join(sorted(given))
            )
        return self

    @property
    def kind(self) -> str:
        """``content``, ``record`` or ``records``; empty when none was given."""
        names = ("content", "record", "records")
        return next((name for name in names if name in self.model_fields_set), "")

    @property
    def data(self) -> bytes:
        """The bytes."""
        if self.kind == "record":
            return orjson.dumps(self.record)
        if self.records is not None:
            return b"".join(orjson.dumps(record) + b"\n" for record in self.records)
        return (self.content or "").encode()


class Given(Content):
    """A FlowFile that a test puts into the flow.

    partition:    of the source, for its progress of event time
    relationship: through which a replaced source hands it on
    count:        how many of it
    """

    attributes: dict[str, str] = {}
    event_time: Instant | None = None
    ingest_time: Instant | None = None
    partition: str = "0"
    relationship: str = "success"
    count: int = Field(1, ge=1, le=1_000_000)


class Expected(Content):
    """A FlowFile that a test expects; what it does not name is not compared.

    attributes: by name; null is one that must be missing
    """

    attributes: dict[str, str | None] = {}
    event_time: Instant | None = None


class Emit(Content):
    """What a replaced processor does with one FlowFile.

    attributes: added, or removed when null
    record:     keys that are put into the FlowFile's JSON object
    fail:       the message of an error: the FlowFile goes to ``failure`` with ``error.*``
    """

    attributes: dict[str, str | None] = {}
    relationship: str = "success"
    fail: str | None = None


def _count_or_list(value: Any) -> str:
    return "list" if isinstance(value, list) else "count"


def _flag_or_list(value: Any) -> str:
    return "list" if isinstance(value, list) else "flag"


def _one_or_list(value: Any) -> str:
    return "list" if isinstance(value, list) else "one"


def _yes(value: Any) -> Any:
    if value is not True:
        raise ValueError(f"must be true; got {show(value)}")
    return value


Yes = Annotated[Literal[True], BeforeValidator(_yes)]
Count = Annotated[int, Field(strict=True, ge=0)]
Wanted = Annotated[
    Annotated[Count, Tag("count")] | Annotated[list[Expected], Tag("list")],
    Discriminator(_count_or_list),
]
Records = Annotated[
    Annotated[Yes, Tag("flag")] | Annotated[list[Given], Tag("list")],
    Discriminator(_flag_or_list),
]
Emits = Annotated[
    Annotated[Emit, Tag("one")] | Annotated[list[Emit], Field(min_length=1), Tag("list")],
    Discriminator(_one_or_list),
]


class Replacement(Part):
    """What stands for a processor during a test: a source, a sink, or something that answers.

    out_of_orderness: of a source that reports its own progress of event time
    """

    source: Records | None = None
    sink: Yes | None = None
    emit: Emits | None = None
    out_of_orderness: Duration | None = None

    KINDS: ClassVar = ("source", "sink", "emit")

    @model_validator(mode="after")
    def _one_kind(self) -> Replacement:
        _exactly_one(self, self.KINDS)
        return self

    @property
    def kind(self) -> str:
        """``source``, ``sink`` or ``emit``."""
        return next(name for name in self.KINDS if getattr(self, name) is not None)

    @property
    def given(self) -> list[Given]:
        """What a source hands on at the start."""
        return self.source if isinstance(self.source, list) else []

    @property
    def answers(self) -> list[Emit]:
        """What ``emit`` does with the first, the second … FlowFile; the last is for all others."""
        if self.emit is None:
            return []
        return self.emit if isinstance(self.emit, list) else [self.emit]


def _progress(value: Any) -> Progress:
    """A watermark for all sources, per source, or per source and partition."""
    if not isinstance(value, dict):
        return {EVERY: {EVERY: parse_moment(value)}}
    return {
        str(source): _partitions(inner) if isinstance(inner, dict) else {EVERY: _time(inner)}
        for source, inner in value.items()
    }


def _partitions(value: dict[str, Any]) -> dict[str, Moment | None]:
    return {partition: _time(time) for partition, time in value.items()}


def _time(value: Any) -> Moment | None:
    return None if value is None else parse_moment(value)


def _names(value: Any) -> list[str]:
    """One name or several."""
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"must be the name of a source, or an array of names; got {show(value)}")
    return names


class Step(Part):
    """One thing that happens, or one that must be so."""

    in_: dict[str, list[Given]] | None = Field(None, alias="in")
    advance: Duration | None = None
    watermark: Annotated[Progress, BeforeValidator(_progress)] | None = None
    eof: Annotated[list[str], BeforeValidator(_names)] | None = None
    expect: dict[str, Wanted] | None = None
    ordered: bool = False
    queued: dict[str, Count] | None = None
    counters: dict[str, int] | None = None
    kill: Yes | None = None
    restart: Yes | None = None

    KINDS: ClassVar = (
        "in",
        "advance",
        "watermark",
        "eof",
        "expect",
        "queued",
        "counters",
        "kill",
        "restart",
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Step:
        _exactly_one(self, self.KINDS)
        if self.ordered and self.expect is None:
            raise ValueError("must have 'ordered' beside 'expect' only; got it alone")
        return self

    @property
    def kind(self) -> str:
        """The key that says what the step does."""
        return _present(self, self.KINDS)[0]


def _present(part: BaseModel, kinds: tuple[str, ...]) -> list[str]:
    return [kind for kind in kinds if getattr(part, "in_" if kind == "in" else kind) is not None]


def _exactly_one(part: BaseModel, kinds: tuple[str, ...]) -> None:
    present = _present(part, kinds)
    if len(present) != 1:
        allowed = ", ".join(repr(kind) for kind in kinds[:-1])
        got = " and ".join(repr(kind) for kind in present) or "none"
        raise ValueError(f"must have exactly one of {allowed} and {kinds[-1]!r}; got {got}")


class Surroundings(Part):
    """What may be said once for a file, and again for a test, whose words win."""

    clock: Instant | None = None
    parameters: dict[str, str | int | float | bool] = {}
    replace: dict[str, Replacement] = {}


class Test(Surroundings):
    """One run of the flow."""

    __test__: ClassVar = False  # the name is ours, not pytest's

    name: str = Field(min_length=1)
    steps: list[Step] = Field(min_length=1)


class FlowTest(Surroundings):
    """A file of tests of one flow. ``flow`` is relative to the file."""

    flow: str = Field(min_length=1)
    tests: list[Test] = Field(min_length=1)

    def replacements(self, test: Test) -> dict[str, Replacement]:
        """All of a test."""
        return {**self.replace, **test.replace}

    def values(self, test: Test) -> dict[str, str]:
        """Values of the flow's parameters in a test."""
        values = {**self.parameters, **test.parameters}
        return {name: _text(value) for name, value in values.items()}

    def start(self, test: Test) -> int:
        """The clock with which a test starts, in µs."""
        clock = test.clock or self.clock or DEFAULT_CLOCK
        return clock.at(DEFAULT_CLOCK.microseconds)


def _text(value: str | float | bool) -> str:
    return orjson.dumps(value).decode() if isinstance(value, bool) else str(value)
