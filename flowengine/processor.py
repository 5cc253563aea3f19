"""Declaring a processor: the class is the specification.

From the class come validation, JSON Schema for forms, documentation, the linter and the palette, so
nothing is said twice. See ``docs/processors/writing.md`` for one written in 30 lines.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, model_validator

from flowengine.expressions.types import Expression, Predicate

if TYPE_CHECKING:
    from flowengine.context import ProcessContext
    from flowengine.session import ProcessSession

T = TypeVar("T")


class InputRequirement(StrEnum):
    """Whether a processor takes FlowFiles from connections."""

    REQUIRED = "required"
    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"


class Relationship(str):
    """One named outcome. As a class attribute its name is the attribute's name with spaces.

    failure: what goes here was not done; the ledger counts it as failed when auto-terminated
    """

    __slots__ = ("description", "failure")
    description: str
    failure: bool

    def __new__(
        cls, description: str = "", *, name: str = "", failure: bool = False
    ) -> Relationship:
        self = super().__new__(cls, name)
        self.description = description
        self.failure = failure
        return self

    def named(self, name: str) -> Relationship:
        """The same relationship under a name."""
        return Relationship(self.description, name=name, failure=self.failure)


class ProcessorProperties(BaseModel):
    """Base of every ``Properties`` model: unknown keys are errors, values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, validate_default=True
    )

    @model_validator(mode="after")
    def _place_expressions(self) -> Self:
        """An expression that has no value for some FlowFile names the property that holds it."""
        for name in type(self).model_fields:
            _place(getattr(self, name), name)
        return self


def _place(value: Any, place: str) -> None:
    if isinstance(value, Expression | Predicate):
        value.stand_at(place)
    elif isinstance(value, dict):
        for key, member in value.items():
            _place(member, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            _place(member, f"{place}.{index}")
    elif isinstance(value, ProcessorProperties):
        for name in type(value).model_fields:
            _place(getattr(value, name), f"{place}.{name}")


class Service:
    """Marks a property that names a controller service: ``Annotated[str, Service("Kafka…")]``.

    type: name of the service class that the reference must have
    """

    def __init__(self, type: str) -> None:
        self.type = type

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(core_schema), "format": "service", "service": self.type}


class When:
    """Marks a property that only counts with certain values of others, for forms:
    ``Annotated[str | None, When(output="demarcator")]``. Checking it stays the processor's own.

    values: property → its value, or several of which it must have one
    """

    def __init__(self, **values: str | bool | tuple[str | bool, ...]) -> None:
        self.values = {
            name: list(one) if isinstance(one, tuple) else [one] for name, one in values.items()
        }

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(core_schema), "x-depends-on": self.values}


class Topics:
    """Marks a property that names topics of Kafka, which forms can offer.

    connection: property with the connection to their cluster
    """

    def __init__(self, connection: str = "connection") -> None:
        self.connection = connection

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(core_schema), "x-topics": self.connection}


class NifiNote(msgspec.Struct, frozen=True):
    """What a NiFi user must know: NiFi's display names and where our default differs.

    processor: NiFi's class name
    names:     our property → NiFi's display name
    defaults:  our property → NiFi's default, where it is not ours
    """

    processor: str
    names: Mapping[str, str] = {}
    defaults: Mapping[str, str] = {}


class Given(msgspec.Struct, frozen=True):
    """A FlowFile that an example puts into the processor's queue."""

    content: bytes | str = b""
    attributes: Mapping[str, str] = {}


class Expected(msgspec.Struct, frozen=True):
    """A FlowFile that an example expects; None content and unnamed attributes are not looked at."""

    content: bytes | str | None = None
    attributes: Mapping[str, str] = {}


class Example(msgspec.Struct, frozen=True):
    """A documented use that runs as a test.

    expect: relationship → what arrives there, in order
    """

    title: str
    properties: Mapping[str, Any]
    given: tuple[Given, ...] = ()
    expect: Mapping[str, tuple[Expected, ...]] = {}
    description: str = ""


class Processor:
    """Base of every processor. One instance serves all tasks of one processor of one flow.

    ``on_trigger`` takes FlowFiles from the session, makes new ones and transfers each one; the
    scheduler commits when it returns and rolls back when it raises. A plain method only computes
    and is called on the engine's loop; an ``async`` one may await I/O and runs as a task.

    blocking:   ``on_trigger`` waits or computes for long: it runs on a worker thread
    serial:     never more than one task at a time
    event_time: it asks for the watermark, so everything above it is tracked
    after_cut:  what it puts out is shown only once the cut that holds it is on disk (E22)
    provenance: SEND or RECEIVE for one that exchanges FlowFiles with the world (E27)
    """

    tags: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[Mapping[str, str]] = {}
    writes: ClassVar[Mapping[str, str]] = {}
    input: ClassVar[InputRequirement] = InputRequirement.REQUIRED
    blocking: ClassVar[bool] = False
    serial: ClassVar[bool] = False
    event_time: ClassVar[bool] = False
    after_cut: ClassVar[bool] = False
    provenance: ClassVar[str] = ""
    nifi: ClassVar[NifiNote | None] = None
    examples: ClassVar[tuple[Example, ...]] = ()
    relationships: ClassVar[Mapping[str, Relationship]] = {}

    Properties: ClassVar[type[ProcessorProperties]] = ProcessorProperties
    properties: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = dict(cls.relationships)
        for key, value in list(vars(cls).items()):
            if isinstance(value, Relationship):
                named = value.named(str(value) or key.replace("_", " "))
                setattr(cls, key, named)
                own[str(named)] = named
        cls.relationships = own

    def __init__(self, properties: ProcessorProperties) -> None:
        self.properties = properties

    @classmethod
    def relationships_for(cls, properties: Any) -> Mapping[str, Relationship]:
        """Relationships that exist with these properties; by default the declared ones."""
        return cls.relationships

    @asynccontextmanager
    async def on_scheduled(self, context: ProcessContext) -> AsyncIterator[None]:
        """Open what the processor needs while it runs; closed when it stops."""
        yield

    def reconfigure(self, properties: ProcessorProperties) -> bool:
        """Take new properties while running. False, the default, asks for a restart instead."""
        return False

    def on_trigger(
        self, context: ProcessContext, session: ProcessSession
    ) -> Awaitable[None] | None:
        """Do one unit of work."""
        raise NotImplementedError

    def on_stopped(self, context: ProcessContext, session: ProcessSession) -> bool:
        """A person stopped it: a last session after the last trigger, and another one if True.

        It takes no input. When the whole flow stops it is not called.
        """
        return False

    def status(self, context: ProcessContext) -> Mapping[str, Any]:
        """Figures of its own, asked for on the engine's loop when somebody looks.

        They stand in ``reported`` of its status; ``windows`` is what
        :class:`flowengine.window_status.WindowsStatus` says.
        """
        return {}

    @classmethod
    def is_async(cls) -> bool:
        """Whether ``on_trigger`` is a coroutine function."""
        return inspect.iscoroutinefunction(cls.on_trigger)

    @classmethod
    def is_source(cls) -> bool:
        """Whether it makes FlowFiles from nothing the flow gave it."""
        return cls.input is InputRequirement.FORBIDDEN


class ControllerService:
    """Something that several processors share, such as a connection to a Kafka cluster.

    Opened before the processors that name it start, closed after the last of them stopped.
    """

    tags: ClassVar[tuple[str, ...]] = ()

    Properties: ClassVar[type[ProcessorProperties]] = ProcessorProperties
    properties: Any

    def __init__(self, properties: ProcessorProperties) -> None:
        self.properties = properties

    @asynccontextmanager
    async def on_enabled(self, context: ServiceContext) -> AsyncIterator[None]:
        """Check the configuration against the world; open what is shared."""
        yield

    async def verify(self, context: ServiceContext) -> AsyncIterator[VerifyStep]:
        """Check the configuration step by step; yields one result per step."""
        return
        yield


class VerifyStep(msgspec.Struct, frozen=True):
    """One step of a verification: what was tried, whether it worked, and why not."""

    name: str
    ok: bool
    message: str = ""


class ServiceContext(msgspec.Struct):
    """What a controller service may use: its id, and the loop for network clients."""

    id: str
    io: Any


def describe_class(cls: type) -> str:
    """The first line of a class's docstring."""
    return (inspect.getdoc(cls) or "").partition("\n")[0]
