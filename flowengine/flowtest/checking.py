"""Checking a test against its flow: every name in it must be one of the flow's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from flowengine.definition.flat import FlatProcessor, LoadedFlow
from flowengine.definition.source import JsonPath, show
from flowengine.findings import Finding
from flowengine.flowtest.model import EVERY, Given, Replacement, Step, Test
from flowengine.flowtest.reading import TestFile
from flowengine.flowtest.world import is_entry
from flowengine.registry import suggest
from flowengine.services import service_names


class Check:
    """One test and the flow that it runs."""

    def __init__(self, file: TestFile, number: int, flow: LoadedFlow) -> None:
        self.file = file
        self.flow = flow
        self.test: Test = file.model.tests[number]
        self.path: JsonPath = ("tests", number)
        self.replacements = file.model.replacements(self.test)
        entries = {flat.id for flat in flow.processors.values() if is_entry(flat, flow)}
        replaced = {n for n, r in self.replacements.items() if r.kind == "source"}
        self.sources = entries | replaced

    def findings(self) -> list[Finding]:
        """Everything that does not fit."""
        found = [finding for step in self._steps() for finding in step]
        return [*self._replaced(), *self._services(), *found]

    # -- replacements --------------------------------------------------------------------------

    def _place(self, name: str) -> JsonPath:
        """Where a replacement stands: in the test, or before all tests."""
        inside = self.test.replace
        return (*self.path, "replace", name) if name in inside else ("replace", name)

    def _replaced(self) -> Iterator[Finding]:
        for name, replacement in self.replacements.items():
            flat = self.flow.processors.get(name)
            if flat is None:
                yield self._unknown(self._place(name), "replace", name, self.flow.processors)
            else:
                yield from self._fitting(flat, replacement)

    def _fitting(self, flat: FlatProcessor, replacement: Replacement) -> Iterator[Finding]:
        place = self._place(flat.id)
        fed = any(connection.destination == flat.id for connection in self.flow.connections)
        if fed == (replacement.kind == "source"):
            rule = "no connection must lead to" if fed else "a connection must lead to"
            got = "one" if fed else "none"
            message = f"{rule} {show(flat.id)} for it to be a {replacement.kind}; got {got}"
            yield self.file.finding(place, message)
        for number, answer in enumerate(replacement.answers):
            relationship = "failure" if answer.fail is not None else answer.relationship
            yield from self._relationship((*place, "emit", number), flat, relationship)
        yield from self._given((*place, "source"), flat, replacement.given)

    def _given(
        self, place: JsonPath, flat: FlatProcessor, items: Iterable[Given]
    ) -> Iterator[Finding]:
        for number, item in enumerate(items):
            yield from self._relationship((*place, number), flat, item.relationship)

    def _relationship(self, place: JsonPath, flat: FlatProcessor, name: str) -> Iterator[Finding]:
        if name not in flat.relationships:
            yield self._unknown(place, f"relationship of {show(flat.id)}", name, flat.relationships)

    def _services(self) -> Iterator[Finding]:
        """What needs the world must be replaced: a test enables no service."""
        for flat in self.flow.processors.values():
            if flat.id in self.replacements or flat.disabled:
                continue
            for service in service_names(flat.properties):
                message = (
                    f"processor {show(flat.id)} ({flat.type}), which needs the service "
                    f"{show(service)}, must be replaced; got none"
                )
                kind = "source" if flat.cls.is_source() else "sink"
                remedy = f'add "replace": {{"{flat.id}": {{"{kind}": true}}}}'
                yield self.file.finding(self.path, message, remedy, key=False)

    # -- steps ---------------------------------------------------------------------------------

    def _steps(self) -> Iterator[Iterator[Finding]]:
        alive = True
        for number, step in enumerate(self.test.steps):
            place = (*self.path, "steps", number)
            if not alive and step.kind in ("in", "watermark", "eof", "queued", "counters", "kill"):
                message = f"{show(step.kind)} must stand before 'kill' or after 'restart'"
                yield iter([self.file.finding((*place, step.kind), f"{message}; got it between")])
            alive = step.kind == "restart" or (alive and step.kind != "kill")
            yield self._step(place, step)

    def _step(self, place: JsonPath, step: Step) -> Iterator[Finding]:
        place = (*place, step.kind)
        for name, items in (step.in_ or {}).items():
            yield from self._target((*place, name), name, items)
        for name in step.watermark or ():
            yield from self._source((*place, name), name)
        for name in step.eof or ():
            yield from self._source(place, name)
        for name in step.expect or ():
            if place_of(name, self.flow) is None:
                yield self._unknown((*place, name), "expect", name, places(self.flow))
        for name in step.queued or ():
            known = [connection.id for connection in self.flow.connections]
            if name not in known:
                yield self._unknown((*place, name), "queued", name, known)

    def _target(self, place: JsonPath, name: str, items: list[Given]) -> Iterator[Finding]:
        if name in self.sources:
            yield from self._given(place, self.flow.processors[name], items)
            return
        if any(connection.id == name for connection in self.flow.connections):
            return
        flat = self.flow.processors.get(name)
        if flat is None:
            known = [*(c.id for c in self.flow.connections), *self.flow.processors]
            yield self._unknown(place, "in", name, known)
        elif len(inputs := inputs_of(name, self.flow)) != 1:
            message = f"{show(name)} must have one input, or its connection must be named"
            if not inputs:
                message = f"{show(name)} must be replaced by a source to be given something"
            got = ", ".join(inputs) or "none"
            yield self.file.finding(place, f"{message}; got {got}")

    def _source(self, place: JsonPath, name: str) -> Iterator[Finding]:
        if name != EVERY and name not in self.sources:
            yield self._unknown(place, "source", name, self.sources)

    def _unknown(self, place: JsonPath, what: str, name: str, known: Iterable[str]) -> Finding:
        rules = {
            "replace": "'replace' must name a processor of the flow",
            "in": "'in' must name a processor or a connection of the flow",
            "expect": "'expect' must name a processor or processor/relationship of the flow",
            "queued": "'queued' must name a connection of the flow",
            "source": "a source that the test replaces must be named",
        }
        rule = rules.get(what, f"{what} must be one of its own")
        return self.file.finding(place, f"{rule}; got {show(name)}", suggest(name, known))


def place_of(name: str, flow: LoadedFlow) -> str | None:
    """The place that an expectation names: a processor or ``processor/relationship``."""
    if name in flow.processors:
        return name
    processor, _, relationship = name.rpartition("/")
    flat = flow.processors.get(processor)
    return name if flat is not None and relationship in flat.relationships else None


def places(flow: LoadedFlow) -> list[str]:
    """All that can be expected of."""
    processors: Mapping[str, FlatProcessor] = flow.processors
    inner = [f"{flat.id}/{name}" for flat in processors.values() for name in flat.relationships]
    return [*processors, *inner]


def inputs_of(name: str, flow: LoadedFlow) -> list[str]:
    """Ids of the connections that lead to a processor."""
    return [connection.id for connection in flow.connections if connection.destination == name]
