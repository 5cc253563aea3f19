"""What is outside of the flow during a test: the stand-ins for replaced processors.

It outlives the flow: what a sink got stays got when the flow is killed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from flowengine.builtin import InputPort
from flowengine.context import ProcessContext
from flowengine.definition.flat import FlatProcessor, LoadedFlow, Scheduling
from flowengine.flowfile import FlowFile
from flowengine.flowtest.model import EVERY, Emit, Given, Replacement
from flowengine.flowtest.moments import resolved
from flowengine.processor import InputRequirement, Processor, ProcessorProperties
from flowengine.session import ProcessSession

SUCCESS = "success"
FOREVER = 1 << 60  # µs: until somebody gives the source more


@dataclass(frozen=True, slots=True)
class Report:
    """A source says how far event time has come in some partitions; None takes one out."""

    times: Mapping[str, int | None]


class End:
    """A source has handed on everything."""


@dataclass(slots=True)
class Feed:
    """What a replaced source has still to do, in order.

    start:            the test's first clock, for relative times
    out_of_orderness: µs behind the greatest event time; None when the test itself tells progress
    """

    start: int
    out_of_orderness: int | None = None
    actions: deque[Given | Report | End] = field(default_factory=deque)
    greatest: dict[str, int] = field(default_factory=dict)

    def give(self, items: list[Given]) -> None:
        """Hand these on, one per trigger, so that back pressure is as it would be."""
        for item in items:
            self.actions.extend([item] * item.count)

    def progress_after(self, item: Given, event_time: int) -> int | None:
        """What to report after an item, if anything."""
        if self.out_of_orderness is None:
            return None
        greatest = max(event_time, self.greatest.get(item.partition, event_time))
        self.greatest[item.partition] = greatest
        return greatest - self.out_of_orderness - 1


class Source(Processor):
    """Hands on what the test gives."""

    input = InputRequirement.FORBIDDEN

    class Properties(ProcessorProperties):
        feed: Any

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        feed: Feed = self.properties.feed
        if not feed.actions:
            context.yield_(FOREVER)
            return
        action = feed.actions.popleft()
        if isinstance(action, Given):
            self._give(feed, action, session)
        elif isinstance(action, Report):
            for partition, time in action.times.items():
                self._report(context, session, partition, time)
        else:
            context.complete()

    def _give(self, feed: Feed, item: Given, session: ProcessSession) -> None:
        event_time = resolved(item.event_time, feed.start)
        ingest_time = resolved(item.ingest_time, feed.start)
        made = session.create(
            item.data, item.attributes, event_time=event_time, ingest_time=ingest_time
        )
        session.transfer(made, item.relationship)
        if event_time is not None:
            progress = feed.progress_after(item, event_time)
            if progress is not None:
                session.report_progress(item.partition, progress)

    def _report(
        self, context: ProcessContext, session: ProcessSession, partition: str, time: int | None
    ) -> None:
        known = session.state.get("partitions", ())
        names = known or ("0",) if partition == EVERY else (partition,)
        for name in names:
            session.report_progress(name, time)
        session.state["partitions"] = tuple(dict.fromkeys((*known, *names)))


class Sink(Processor):
    """Takes everything, and says that it is done where the processor has a way to say so."""

    class Properties(ProcessorProperties):
        says: bool

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        flowfiles = session.get_batch()
        if self.properties.says:
            session.transfer(flowfiles, SUCCESS)
        else:
            session.remove(flowfiles)


class Answering(Processor):
    """Does with each FlowFile what the test says."""

    class Properties(ProcessorProperties):
        answers: Any

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        flowfile = session.get()
        if flowfile is None:
            return
        answers: deque[Emit] = self.properties.answers
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if answer.fail is not None:
            session.fail(flowfile, answer.fail)
            return
        session.transfer(_answered(flowfile, answer, session), answer.relationship)


def _answered(flowfile: FlowFile, answer: Emit, session: ProcessSession) -> FlowFile:
    removed = [name for name, value in answer.attributes.items() if value is None]
    added = {name: value for name, value in answer.attributes.items() if value is not None}
    flowfile = flowfile.without_attributes(removed).with_attributes(added)
    if answer.kind == "record" and isinstance(answer.record, dict):
        known = orjson.loads(session.read(flowfile) or b"{}")
        return session.write(flowfile, orjson.dumps({**known, **answer.record}))
    return session.write(flowfile, answer.data) if answer.kind else flowfile


class World:
    """The stand-ins of one test."""

    def __init__(self, start: int, replacements: Mapping[str, Replacement]) -> None:
        self.start = start
        self.feeds: dict[str, Feed] = {}
        self._answers: dict[str, deque[Emit]] = {}
        self._replacements = replacements
        for name, replacement in replacements.items():
            if replacement.kind == "source":
                self.feeds[name] = Feed(start, replacement.out_of_orderness)
                self.feeds[name].give(replacement.given)
            self._answers[name] = deque(replacement.answers)

    def around(self, flow: LoadedFlow) -> LoadedFlow:
        """The flow with its stand-ins, and without services."""
        processors = {name: self._stand_in(flat, flow) for name, flat in flow.processors.items()}
        return replace(flow, processors=processors, services={})

    def _stand_in(self, flat: FlatProcessor, flow: LoadedFlow) -> FlatProcessor:
        replacement = self._replacements.get(flat.id)
        if replacement is None:
            return self._port(flat) if is_entry(flat, flow) else flat
        if replacement.kind == "source":
            return self._source(flat)
        if replacement.kind == "sink":
            says = SUCCESS in flat.relationships
            return replace(flat, cls=Sink, properties=Sink.Properties(says=says))
        properties = Answering.Properties(answers=self._answers[flat.id])
        return replace(flat, cls=Answering, properties=properties)

    def _port(self, flat: FlatProcessor) -> FlatProcessor:
        self.feeds.setdefault(flat.id, Feed(self.start))
        return self._source(flat)

    def _source(self, flat: FlatProcessor) -> FlatProcessor:
        properties = Source.Properties(feed=self.feeds[flat.id])
        return replace(flat, cls=Source, properties=properties, scheduling=Scheduling())


def is_entry(flat: FlatProcessor, flow: LoadedFlow) -> bool:
    """Whether it is an input port of the flow itself: the test stands for what is outside."""
    fed = any(connection.destination == flat.id for connection in flow.connections)
    return flat.cls is InputPort and not fed
