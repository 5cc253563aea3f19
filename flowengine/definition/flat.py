"""What the engine runs: a flow with its groups flattened, its parameters and types resolved.

Ids of components inside groups are prefixed with their groups: ``group/inner``. Ports and funnels
are processors of the built-in types ``InputPort``, ``OutputPort`` and ``Funnel``. All durations are
integer microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from flowengine.findings import Finding
from flowengine.processor import (
    ControllerService,
    Processor,
    Relationship,
)

if TYPE_CHECKING:
    import networkx as nx

    from flowengine.definition.model import FlowDefinition

ProcessorClass: TypeAlias = type[Processor]
ServiceClass: TypeAlias = type[ControllerService]
SECOND = 1_000_000
MEBIBYTE = 1 << 20


class Backoff(StrEnum):
    """Who waits before a retry (E9)."""

    PENALIZE = "penalize"
    YIELD = "yield"


class Strategy(StrEnum):
    """When a processor is triggered."""

    CONTINUOUS = "as fast as possible"
    EVERY = "every"
    CRON = "cron"
    ONCE = "once"


class BulletinLevel(StrEnum):
    """The lowest level of a log entry that becomes a bulletin."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how slowly one relationship is tried again.

    count:       retries before the FlowFile takes the relationship; None is for ever, which
                 handles the relationship
    backoff:     penalize: this FlowFile waits, others pass it; yield: the processor waits (E9)
    maximum_us:  the wait doubles with each attempt up to this
    """

    count: int | None = None
    backoff: Backoff = Backoff.PENALIZE
    maximum_us: int = 600 * SECOND


@dataclass(frozen=True, slots=True)
class Scheduling:
    """When and how often a processor is triggered.

    every_us:         fixed delay between triggers, with ``EVERY``
    cron:             expression of five or six fields, with ``CRON``
    concurrent_tasks: tasks of this processor at the same time (E25)
    batch_size:       most FlowFiles per trigger; None lets the engine choose
    run_duration_us:  how long one session may go on collecting triggers; 0 is one trigger
    """

    strategy: Strategy = Strategy.CONTINUOUS
    every_us: int = 0
    cron: str | None = None
    concurrent_tasks: int = 1
    batch_size: int | None = None
    run_duration_us: int = 0


@dataclass(frozen=True, slots=True)
class FlatProcessor:
    """One processor, port or funnel, ready to be made: ``flat.cls(flat.properties)``.

    id:            ``group/…/slug``
    name:          for people; the slug unless one was given
    group:         ids of the groups around it, outermost first
    properties:    instance of ``cls.Properties``
    relationships: those that exist with these properties
    values:        the properties as written, parameters substituted; secrets hide themselves
    """

    id: str
    type: str
    cls: ProcessorClass
    name: str
    properties: Any
    relationships: Mapping[str, Relationship]
    auto_terminate: frozenset[str] = frozenset()
    retry: Mapping[str, RetryPolicy] = field(default_factory=dict)
    scheduling: Scheduling = Scheduling()
    penalty_us: int = 30 * SECOND
    yield_us: int = SECOND
    bulletin_level: BulletinLevel = BulletinLevel.WARNING
    disabled: bool = False
    comments: str = ""
    group: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlatConnection:
    """One queue between two processors.

    id:            ``from-to`` or explicit (E8)
    objects:       count at which it is full; 0 disables the check
    bytes:         size at which it is full; 0 disables the check
    expiration_us: age since entry at which a FlowFile is dropped; 0 is never
    prioritizers:  names out of ``flowengine.prioritizers``, strongest first
    """

    id: str
    source: str
    relationships: tuple[str, ...]
    destination: str
    objects: int = 10_000
    bytes: int = 100 * MEBIBYTE
    expiration_us: int = 0
    prioritizers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlatService:
    """One controller service, ready to be made: ``flat.cls(flat.properties)``."""

    id: str
    type: str
    cls: ServiceClass
    name: str
    properties: Any
    comments: str = ""
    group: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadedFlow:
    """A flow that passed every check; ``findings`` holds the warnings that are left.

    text:       canonical text of the definition
    revision:   hash of that text
    path:       file it came from; None for a flow built in code
    graph:      nodes are processor ids; an edge's ``connections`` lists its FlatConnection ids
    services:   ids as processors' properties name them after flattening
    parameters: values of the parameters that are not sensitive
    files:      every file that was read, the flow's own first
    """

    name: str
    definition: FlowDefinition
    text: str
    revision: str
    processors: Mapping[str, FlatProcessor]
    connections: Sequence[FlatConnection]
    services: Mapping[str, FlatService]
    graph: nx.DiGraph[str]
    findings: Sequence[Finding] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    files: Sequence[Path] = ()
