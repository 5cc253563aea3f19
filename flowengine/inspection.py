"""Looking at what a flow reaches outside of itself, also while the flow is stopped.

A controller service that can be asked is :class:`Inspectable`: while somebody looks it opens an
:class:`Inspector`, in a process that runs no flow. A processor that is :class:`Using` something by
a service says what, so that one can go from there to the flows that use it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import msgspec

from flowengine.errors import EnvironmentFault


class Refusal(StrEnum):
    """Why a question has no answer, as the one who asks sees it."""

    UNKNOWN = "unknown"  # what is asked about is not there
    CONFLICT = "conflict"  # it is in use just now
    INVALID = "invalid"  # the question itself is wrong
    UNREACHABLE = "unreachable"  # the other side does not answer, or refuses us


class InspectionError(EnvironmentFault):
    """A question that has no answer, and why."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


class Inspector(Protocol):
    """Answers questions about what one service reaches. Several may be asked at the same time."""

    async def answer(self, question: str, arguments: Mapping[str, Any]) -> Any:
        """Plain JSON data. Raises InspectionError within ten seconds where there is no answer."""

    def follow(
        self, question: str, arguments: Mapping[str, Any]
    ) -> AsyncGenerator[tuple[str, Mapping[str, Any]]]:
        """What happens from now on, as kind and JSON data; the first, ``opened``, comes once it
        is sure that there will be more. Closing the iterator ends it."""


@runtime_checkable
class Inspectable(Protocol):
    """A controller service that can be asked about what it reaches."""

    def inspector(self) -> AbstractAsyncContextManager[Inspector]:
        """Open for questions. Reaches nothing before the first question."""

    def places(self) -> frozenset[str]:
        """Names of what it reaches: two services that share one reach the same."""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A thing behind a service that a processor uses by name.

    service: id of the service as the processor's properties name it
    pattern: the name is a regular expression that whole names match
    role:    as whom it reads, where that matters: a consumer group
    """

    service: str
    name: str
    reads: bool = False
    writes: bool = False
    pattern: bool = False
    role: str = ""


@runtime_checkable
class Using(Protocol):
    """A processor class that can tell from properties what it uses behind its services."""

    @staticmethod
    def uses(properties: Any) -> Iterable[Use]:
        """What these properties name literally; what depends on a FlowFile is left out."""
