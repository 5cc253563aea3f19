"""Limit how fast FlowFiles go on. Source: NiFi ``ControlRate``, with exact times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from flowengine.context import ProcessContext
from flowengine.flowfile import FlowFile
from flowengine.processor import (
    Example,
    Expected,
    Given,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import ProcessSession
from processors.control_rate.gates import Gate, Gates
from processors.control_rate.properties import Criteria, Exceeded, RateProperties

MOST: Final = 1000  # FlowFiles per session
LOOK_AGAIN: Final = 1_000_000  # µs until a live change of the maximum is noticed while all wait
PARKED: Final = 10_000_000  # µs, the same for FlowFiles of a group that waits
SWEEP: Final = 60_000_000  # µs between two searches for groups that are idle

_NUMBER: Final = re.compile(r"0*[1-9][0-9]{0,14}", re.ASCII)


class ControlRate(Processor):
    """Limit how fast FlowFiles go on: by number, by size, or by a number in an attribute.

    While less than the maximum has passed in the last period, the next FlowFile passes whole; one
    that goes over the maximum is paid for by a longer wait. Held FlowFiles keep their order. The
    budget is part of the flow's state: a restart neither renews nor loses it.
    """

    tags = ("rate", "throttle", "limit", "flow control", "group")
    serial = True
    nifi = NifiNote(
        "ControlRate",
        names={
            "criteria": "Rate Control Criteria",
            "maximum_flowfile_rate": "Maximum FlowFile Rate",
        },
    )

    Properties = RateProperties

    success = Relationship("FlowFiles that passed within the rate.")
    failure = Relationship(
        "FlowFiles whose `rate_controlled_attribute` is missing or no whole number of at least 1.",
        failure=True,
    )
    rate_exceeded = Relationship(
        "FlowFiles that exceeded the rate; only with the strategy 'route'."
    )

    examples = (
        Example(
            "One FlowFile a minute",
            description="The others wait in the queue, in order.",
            properties={"criteria": "flowfile count", "maximum_rate": 1, "time_duration": "1 min"},
            given=(Given("a"), Given("b"), Given("c")),
            expect={"success": (Expected("a"),)},
        ),
        Example(
            "Shed the load of each customer above two requests per second",
            properties={
                "criteria": "flowfile count",
                "maximum_rate": 2,
                "time_duration": "1 sec",
                "grouping_attribute": "customer",
                "rate_exceeded_strategy": "route to 'rate exceeded'",
            },
            given=(
                Given("1", {"customer": "a"}),
                Given("2", {"customer": "a"}),
                Given("3", {"customer": "a"}),
                Given("4", {"customer": "b"}),
            ),
            expect={
                "success": (Expected("1"), Expected("2"), Expected("4")),
                "rate exceeded": (Expected("3"),),
            },
        ),
    )

    def __init__(self, properties: RateProperties) -> None:
        super().__init__(properties)
        self._swept: int | None = None
        self._mean: float | None = None

    @classmethod
    def relationships_for(cls, properties: RateProperties) -> Mapping[str, Relationship]:
        """``rate exceeded`` exists with the strategy 'route' only."""
        routes = properties.rate_exceeded_strategy is Exceeded.ROUTE
        return {
            name: relationship
            for name, relationship in cls.relationships.items()
            if routes or name != cls.rate_exceeded
        }

    def reconfigure(self, properties: ProcessorProperties) -> bool:
        """Take new maxima while running; what has passed still counts. Else ask for a restart."""
        maxima = dict.fromkeys(("maximum_rate", "maximum_data_rate", "maximum_flowfile_rate"))
        if properties.model_copy(update=maxima) != self.properties.model_copy(update=maxima):
            return False
        self.properties = properties
        return True

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        properties = self.properties
        gates = Gates(session.state, properties.maxima, properties.time_duration, session.now)
        gates.configured(properties.configuration)
        self._sweep(context, session, gates)
        if properties.rate_exceeded_strategy is Exceeded.ROUTE:
            self._route(session, gates)
        elif properties.grouping_attribute:
            self._release_groups(session, gates)
        else:
            self._release(context, session, gates.of(None))
        gates.store()

    def _sweep(self, context: ProcessContext, session: ProcessSession, gates: Gates) -> None:
        """Forget groups that are idle, now and then."""
        now = context.clock.monotonic()
        if self._swept is None or now >= self._swept + SWEEP:
            self._swept = now
            gates.free_idle(list(context.state))

    def _release(self, context: ProcessContext, session: ProcessSession, gate: Gate) -> None:
        """Poll only what may pass, as far as sizes can be foreseen, and put the rest back."""
        if not gate.open:
            context.yield_(min(gate.free_at - session.now, LOOK_AGAIN))
            return
        if self.properties.criteria is Criteria.COUNT:
            [window] = gate.windows
            passed = session.get_batch(min(window.remaining, MOST))
            if passed:
                gate.admit([len(passed)])
                session.transfer(passed, self.success)
            return
        left = MOST
        while gate.open and left > 0:
            batch = session.get_batch(min(self._foreseen(gate), left))
            if not batch:
                return
            left -= len(batch)
            session.keep(self._pass_on(batch, gate, session))

    def _foreseen(self, gate: Gate) -> int:
        """How many FlowFiles as large as the last ones may pass; one when none is known."""
        remaining = [window.remaining for window in gate.windows]
        if self._mean is None:
            return 1
        by_amount = int(remaining[0] / self._mean) if self._mean else MOST
        return max(1, min(by_amount, MOST, *remaining[1:]))

    def _pass_on(
        self, batch: list[FlowFile], gate: Gate, session: ProcessSession
    ) -> list[FlowFile]:
        """Let pass while the gate is open; what is left over is returned."""
        if self._pass_together(batch, gate):
            session.transfer(batch, self.success)
            return []
        passed: list[FlowFile] = []
        total, taken = 0, 0
        for flowfile in batch:
            if not gate.open:
                break
            taken += 1
            amounts = self._amounts(flowfile, session)
            if amounts:
                gate.admit(amounts)
                total += amounts[0]
                passed.append(flowfile)
        if passed:
            self._mean = total / len(passed)
            session.transfer(passed, self.success)
        return batch[taken:]

    def _pass_together(self, batch: list[FlowFile], gate: Gate) -> bool:
        """Count a whole batch at once, if all of it may pass."""
        if self.properties.criteria is Criteria.ATTRIBUTE:
            return False
        size = sum([f.size for f in batch])
        totals = (size, len(batch))[: len(gate.windows)]
        if not gate.has_room(totals):
            return False
        gate.admit(totals)
        self._mean = size / len(batch)
        return True

    def _release_groups(self, session: ProcessSession, gates: Gates) -> None:
        """Let pass what may; the rest is parked at its place until its group may go on.

        Parked FlowFiles do not stand before those of other groups, whenever these come.
        """
        attribute = self.properties.grouping_attribute
        passed, parked = [], []
        for flowfile in session.get_batch(MOST):
            gate = gates.of(flowfile.attributes.get(attribute))
            if not gate.open:
                until = min(gate.free_at, session.now + PARKED)
                parked.append(msgspec.structs.replace(flowfile, penalty_until=until))
            elif amounts := self._amounts(flowfile, session):
                gate.admit(amounts)
                passed.append(flowfile)
        session.keep(parked)
        session.transfer(passed, self.success)

    def _route(self, session: ProcessSession, gates: Gates) -> None:
        attribute = self.properties.grouping_attribute
        passed, exceeded = [], []
        for flowfile in session.get_batch(MOST):
            amounts = self._amounts(flowfile, session)
            if not amounts:
                continue
            gate = gates.of(flowfile.attributes.get(attribute) if attribute else None)
            if gate.open:
                gate.admit(amounts)
                passed.append(flowfile)
            else:
                exceeded.append(flowfile)
        session.transfer(passed, self.success)
        session.transfer(exceeded, self.rate_exceeded)

    def _amounts(self, flowfile: FlowFile, session: ProcessSession) -> tuple[int, ...]:
        """What a FlowFile counts in each window; none when it has failed."""
        criteria = self.properties.criteria
        if criteria is Criteria.COUNT:
            return (1,)
        if criteria is Criteria.DATA:
            return (flowfile.size,)
        if criteria is Criteria.BOTH:
            return (flowfile.size, 1)
        name = self.properties.rate_controlled_attribute
        value = flowfile.attributes.get(name)
        if value is None or not _NUMBER.fullmatch(value):
            got = "none" if value is None else f"{value!r:.80}"
            rule = "must be a whole number from 1 to 10^15 - 1"
            session.fail(flowfile, ValueError(f"attribute {name!r} {rule}; got {got}"))
            return ()
        return (int(value),)
