"""Why a cluster did not answer: the step that fails, in a sentence, and in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from flowengine.inspection import InspectionError, Refusal
from processors.kafka.verification import Probe, StepFailed, describe, steps_of

if TYPE_CHECKING:
    from processors.kafka.connection import KafkaConnection

SHORT: Final = 2.0  # s for one try of one step
PATIENCE: Final = 5.0  # s for all of it; what asked has waited for four already


async def unreachable(
    connection: KafkaConnection, step: str, error: BaseException
) -> InspectionError:
    """The refusal that names the first step of reaching the cluster that fails now."""
    found = await _failed_step(connection) if step == "find the cluster" else None
    name, message = found or (step, f"{describe(error)}; {_remedy(error)}")
    bootstrap = connection.properties.bootstrap_servers
    return InspectionError(
        Refusal.UNREACHABLE, f"kafka at {bootstrap!r} must pass the step {name!r}; got {message}"
    )


async def _failed_step(connection: KafkaConnection) -> tuple[str, str] | None:
    begun = asyncio.get_running_loop().time()
    for name, step in steps_of(Probe(connection, SHORT)):
        try:
            async with asyncio.timeout_at(begun + PATIENCE):
                await step()
        except StepFailed as failure:
            return name, str(failure)
        except TimeoutError:
            return name, f"no answer within {PATIENCE:g} s"
    return None


def _remedy(error: BaseException) -> str:
    if "Authorization" in type(error).__name__:
        return "the user of this connection may not do that; an administrator of Kafka grants it"
    return "a broker may be down, or advertise an address that cannot be reached from here"
