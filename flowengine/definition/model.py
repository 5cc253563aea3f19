"""The flow definition, format 1, as pydantic models.

The models say what each key may hold, one document at a time; what needs the types, other files or
the graph is checked when a flow is loaded. The order of the fields is the canonical order of the
keys, and their defaults are what canonical text leaves out. Durations and sizes stay the text that
the user wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    StrictInt,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from flowengine.errors import PropertyError
from flowengine.units import parse_duration, parse_size

FORMAT = 1
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
PARAMETER_NAME = re.compile(r"[A-Za-z0-9._-]+(?: [A-Za-z0-9._-]+)*")
SLUG_RULE = "must be a slug: 1 to 64 of a-z, 0-9, '-' and '_', with a letter or digit at both ends"


def slugify(text: str) -> str:
    """The nearest slug to a text; empty when nothing is left."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:64].strip("-_")


def _slug(text: str) -> str:
    if not SLUG.fullmatch(text):
        near = slugify(text)
        remedy = f"write {near!r}" if near else ""
        raise PydanticCustomError("slug", "{rule}", {"rule": SLUG_RULE, "remedy": remedy})
    return text


def _parameter_name(text: str) -> str:
    if not PARAMETER_NAME.fullmatch(text):
        rule = "must be a parameter name: letters, digits, '.', '_', '-' and single spaces"
        raise PydanticCustomError("parameter_name", "{rule}", {"rule": rule})
    return text


def _position(value: Any) -> Any:
    numbers = [] if not isinstance(value, list | tuple) else list(value)
    if len(numbers) != 2 or any(type(number) not in (int, float) for number in numbers):
        raise PydanticCustomError("position", "must be a position: two numbers, [x, y]")
    return numbers


def _measured(parse: Callable[[str], int]) -> Callable[[str], str]:
    """A check that keeps the text and leaves the message to the parser."""

    def check(text: str) -> str:
        try:
            parse(text)
        except PropertyError as error:
            raise PydanticCustomError("unit", "{message}", {"message": str(error)}) from error
        return text

    return check


def _schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **schema})


Slug: TypeAlias = Annotated[str, AfterValidator(_slug), _schema(pattern=f"^{SLUG.pattern}$")]
ParameterName: TypeAlias = Annotated[
    str, AfterValidator(_parameter_name), _schema(pattern=f"^{PARAMETER_NAME.pattern}$")
]
DurationText: TypeAlias = Annotated[
    str,
    AfterValidator(_measured(parse_duration)),
    _schema(format="duration"),
]
SizeText: TypeAlias = Annotated[
    str,
    AfterValidator(_measured(parse_size)),
    _schema(format="data-size"),
]
Count: TypeAlias = Annotated[StrictInt, Field(ge=0)]
Positive: TypeAlias = Annotated[StrictInt, Field(ge=1)]
Scalar: TypeAlias = str | StrictBool | StrictInt | StrictFloat
Position: TypeAlias = Annotated[
    list[int | float],
    PlainValidator(_position),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]


class _Part(BaseModel):
    """Base of all parts: unknown keys are errors, parts do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=False)


class Parameter(_Part):
    """A value that properties take by ``#{name}``; without any source it must be set from outside.

    A sensitive one never stands in the file.
    """

    value: Scalar | None = Field(None, description="The value, unless it is set from outside.")
    sensitive: StrictBool = Field(False, description="Whether it is a secret.")
    env: str = Field("", description="Name of the environment variable that holds it.")
    file: str = Field("", description="File that holds it; one line end at its end is left out.")
    store: str = Field("", description="Name under which the encrypted store holds it.")
    description: str = Field("", description="What it means.")


class Retry(_Part):
    """What happens before a FlowFile takes the relationship."""

    count: Count | None = Field(None, description="Retries; for ever when left out.")
    backoff: Literal["penalize", "yield"] = Field(
        "penalize", description="Who waits: this FlowFile, or the processor (which keeps order)."
    )
    maximum: DurationText = Field("10 min", description="The wait doubles up to this.")


class SchedulingOptions(_Part):
    """When a processor is triggered: as fast as possible, unless one of the first three says."""

    every: DurationText = Field("", validate_default=False, description="Delay between triggers.")
    cron: str = Field("", description="Cron expression of five or six (with seconds) fields.")
    once: StrictBool = Field(False, description="Trigger once after each start.")
    concurrent_tasks: Positive = Field(1, description="Tasks at the same time.")
    batch_size: Positive | None = Field(None, description="Most FlowFiles per trigger.")
    run_duration: DurationText = Field("0 ms", description="How long a session collects triggers.")


class ServiceDefinition(_Part):
    """A controller service that processors of the same group, or of groups inside it, may name."""

    type: str = Field(description="Type of the service.")
    name: str = Field("", description="Name for people; the id when left out.")
    properties: dict[str, Any] = Field({}, description="Properties of the type.")
    comments: str = Field("", description="Notes for people.")


class ProcessorDefinition(_Part):
    """One processor."""

    type: str = Field(description="Type of the processor.")
    name: str = Field("", description="Name for people; the id when left out.")
    properties: dict[str, Any] = Field({}, description="Properties of the type.")
    auto_terminate: list[str] = Field([], description="Relationships that end here.")
    retry: dict[str, Retry] = Field({}, description="Relationship → retry policy.")
    scheduling: SchedulingOptions = Field(SchedulingOptions(), description="When it runs.")
    disabled: StrictBool = Field(False, description="Whether it is left out when a flow starts.")
    penalty: DurationText = Field("30 sec", description="How long a penalized FlowFile waits.")
    yield_: DurationText = Field(
        "1 sec", alias="yield", description="How long the processor waits after it yields."
    )
    bulletin_level: Literal["debug", "info", "warning", "error", "none"] = Field(
        "warning", description="Lowest log level that becomes a bulletin."
    )
    comments: str = Field("", description="Notes for people.")


class Port(_Part):
    """An input or output of a group."""

    name: str = Field("", description="Name for people; the id when left out.")
    comments: str = Field("", description="Notes for people.")


class Funnel(_Part):
    """Joins connections into one."""

    comments: str = Field("", description="Notes for people.")


class Label(_Part):
    """Text on the canvas."""

    text: str = Field(description="What it says.")
    width: Positive = Field(200, description="Width in pixels.")
    height: Positive = Field(100, description="Height in pixels.")
    colour: str = Field("", description="Background, such as '#fff7d1'.")


class BackPressure(_Part):
    """When a connection counts as full; 0 switches a bound off."""

    objects: Count = Field(10_000, description="FlowFiles.")
    bytes: SizeText = Field("100 MB", description="Sum of their contents.")


class ConnectionDefinition(_Part):
    """A queue. Ends inside a group are ports, written ``group/port``."""

    id: Slug = Field(
        "", validate_default=False, description="Needed where several join the same two."
    )
    name: str = Field("", description="Name for people; the id when left out.")
    source: str = Field(alias="from", description="Where FlowFiles come from.")
    relationships: list[str] = Field(
        [], description="Outcomes that it takes; left out for ports and funnels."
    )
    destination: str = Field(alias="to", description="Where FlowFiles go.")
    back_pressure: BackPressure = Field(BackPressure(), description="When it is full.")
    expiration: DurationText = Field("0 sec", description="Age at which FlowFiles go; 0 is never.")
    prioritizers: list[str] = Field([], description="Order of the queue, strongest first.")


class GroupReference(_Part):
    """A group that is another flow file; that flow's inputs and outputs are its ports."""

    name: str = Field("", description="Name for people; the id when left out.")
    flow: str = Field(description="Path of the flow file, relative to this one.")
    parameters: dict[str, Scalar] = Field({}, description="Values for that flow's parameters.")
    comments: str = Field("", description="Notes for people.")


class _Body(_Part):
    """What flows and groups have in common, in canonical order."""

    services: dict[Slug, ServiceDefinition] = Field({}, description="Controller services by id.")
    inputs: dict[Slug, Port] = Field({}, description="Input ports by id.")
    outputs: dict[Slug, Port] = Field({}, description="Output ports by id.")
    processors: dict[Slug, ProcessorDefinition] = Field({}, description="Processors by id.")
    funnels: dict[Slug, Funnel] = Field({}, description="Funnels by id.")
    groups: dict[Slug, GroupEntry] = Field({}, description="Process groups by id.")
    connections: list[ConnectionDefinition] = Field([], description="Queues.")
    labels: dict[Slug, Label] = Field({}, description="Texts on the canvas by id.")


class Group(_Body):
    """A process group written in place; sees the parameters and services around it."""

    name: str = Field("", description="Name for people; the id when left out.")
    comments: str = Field("", description="Notes for people.")


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "reference" if "flow" in value else "group"
    return "reference" if isinstance(value, GroupReference) else "group"


GROUP_TAGS = ("group", "reference")
GroupEntry: TypeAlias = Annotated[
    Annotated[Group, Tag("group")] | Annotated[GroupReference, Tag("reference")],
    Discriminator(_kind),
]


class FlowDefinition(_Body):
    """A whole flow: the content of one file under ``flows/``."""

    format: Literal[1] = Field(description="Version of the format.")
    name: Slug = Field(description="Name of the flow.")
    description: str = Field("", description="What it is for.")
    parameters: dict[ParameterName, Parameter] = Field({}, description="Parameters by name.")
    layout: dict[str, Position] = Field({}, description="Position of each component: [x, y].")


Group.model_rebuild()
FlowDefinition.model_rebuild()
