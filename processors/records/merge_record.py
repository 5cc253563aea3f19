"""Gather records of many FlowFiles into one. Source: NiFi ``MergeRecord``.

What a bin waits for stays in the queue (``session.keep``), so a crash loses and doubles nothing and
no content lies in the state; the state holds only when each open bin began. Each trigger puts the
bins together again from the queue, which is a look at each FlowFile, without reading it again.

Rejected: contents in the state. They would be stored twice, and count against no queue.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from pydantic import Field, model_validator

from flowengine.context import ProcessContext
from flowengine.errors import ExpressionError
from flowengine.expressions import Expression
from flowengine.flowfile import FlowFile
from flowengine.processor import (
    Example,
    Expected,
    Given,
    NifiNote,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import ProcessSession
from flowengine.units import DataSize, Duration, parse_duration, parse_size
from processors.records._core.bins import Bin, Bins, Reason, merged
from processors.records._core.formats import RecordError
from processors.records._core.fragments import (
    Fragments,
    identifier,
    incomplete,
    whole_attributes,
)
from processors.records._core.processor import WRITES, RecordProcessor, child
from processors.records._core.properties import WriteProperties

_LOOK: Final = 20_000  # µs until the queue is looked at again, and so many more per FlowFile
_LOOK_EACH: Final = 20
_POLLS: Final = 64
_SINCE: Final = "since"


class Strategy(StrEnum):
    """What belongs together."""

    BINS = "bin packing"
    DEFRAGMENT = "defragment"


class MergeRecord(RecordProcessor):
    """Put the records of several FlowFiles into one, by number, size, age and key.

    A bin is handed on when it has reached both minima, when it is full, or when it is too old. With
    `defragment`, what SplitRecord cut is put together again, in order: all `fragment.count` parts
    with the same `fragment.identifier`, or none, which go to `failure` when they are too old.
    """

    tags = ("record", "merge", "batch", "bin", "combine", "aggregate")
    after_cut = True
    serial = True
    writes = {
        **WRITES,
        "merge.count": "Number of FlowFiles that were merged.",
        "merge.reason": "Why: `full`, `minimum reached`, `maximum age`, `too many bins`, "
        "`too many waiting`, `all fragments`.",
        "filename": "What `segment.original.filename` said, with `defragment`.",
        "merge.bin.age": "How long the bin waited, in ms.",
        "merge.uuid": "The uuid of the merged FlowFile; in original.",
    }
    nifi = NifiNote(
        "MergeRecord",
        {
            "input_format": "Record Reader",
            "output_format": "Record Writer",
            "strategy": "Merge Strategy",
            "key": "Correlation Attribute Name",
            "minimum_records": "Minimum Number of Records",
            "maximum_records": "Maximum Number of Records",
            "minimum_size": "Minimum Bin Size",
            "maximum_size": "Maximum Bin Size",
            "maximum_age": "Max Bin Age",
            "maximum_bins": "Maximum Number of Bins",
        },
        {"maximum_age": "none", "maximum_size": "none"},
    )

    class Properties(WriteProperties):
        strategy: Strategy = Field(
            Strategy.BINS,
            description="`bin packing`: by key, number, size and age. `defragment`: by the "
            "attributes `fragment.identifier`, `fragment.index` and `fragment.count`.",
        )
        key: Expression | None = Field(
            None, description="Only FlowFiles with the same text are merged, as `{{ country }}`."
        )
        minimum_records: int = Field(1, ge=1, description="Records that a bin waits for.")
        maximum_records: int = Field(1000, ge=1, description="Most records in a bin.")
        minimum_size: DataSize = Field(parse_size("0 B"), description="Content it waits for.")
        maximum_size: DataSize = Field(parse_size("16 MB"), description="Most content in a bin.")
        maximum_age: Duration = Field(
            parse_duration("1 min"), description="A bin that is as old is handed on as it is."
        )
        maximum_bins: int = Field(
            100, ge=1, description="Most bins that wait; the oldest ones go first."
        )
        maximum_waiting: int = Field(
            5000,
            ge=1,
            description="Most FlowFiles that wait. Less than the connection before it holds, "
            "for they wait there.",
        )

        @model_validator(mode="after")
        def _check(self) -> MergeRecord.Properties:
            for name in ("records", "size"):
                least, most = (getattr(self, f"{end}_{name}") for end in ("minimum", "maximum"))
                if least > most:
                    raise ValueError(
                        f"property 'minimum_{name}' must not be above 'maximum_{name}'; "
                        f"got {least} and {most}"
                    )
            return self

    properties: Properties
    merged = Relationship("The new FlowFiles, with the attributes that all members share.")
    original = Relationship("The FlowFiles that were merged.")

    examples = (
        Example(
            "One FlowFile per country",
            properties={"key": "{{ country }}", "minimum_records": 2},
            given=(
                Given('{"id":1}', {"country": "NL", "by": "a"}),
                Given('{"id":2}', {"country": "DE"}),
                Given('{"id":3}', {"country": "NL", "by": "b"}),
            ),
            expect={
                "merged": (
                    Expected(
                        '{"id":1}\n{"id":3}',
                        {
                            "country": "NL",
                            "merge.count": "2",
                            "merge.reason": "minimum reached",
                        },
                    ),
                ),
                "original": (Expected('{"id":1}'), Expected('{"id":3}')),
            },
        ),
        Example(
            "What was split is whole again",
            properties={"strategy": "defragment"},
            given=tuple(
                Given(
                    f'{{"n":{index}}}',
                    {
                        "fragment.identifier": "a",
                        "fragment.index": str(index),
                        "fragment.count": "2",
                        "segment.original.filename": "all.json",
                    },
                )
                for index in (1, 0)
            ),
            expect={
                "merged": (
                    Expected(
                        '{"n":0}\n{"n":1}',
                        {"filename": "all.json", "merge.reason": "all fragments"},
                    ),
                ),
            },
        ),
    )

    def __init__(self, properties: ProcessorProperties) -> None:
        super().__init__(properties)
        self._counts: dict[int, int] = {}

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        since = dict(session.state.get(_SINCE, {}))
        fragments = self.properties.strategy is Strategy.DEFRAGMENT
        bins = (Fragments if fragments else Bins)(self.properties, since, session.now)
        for flowfile in self._poll(session):
            try:
                key, count = self._key(flowfile, session), self._count(flowfile, session)
                bins.add(key, flowfile, count)
            except (RecordError, ExpressionError) as error:
                self.refuse(context, session, flowfile, error)
        bins.close_due()
        for hopeless in bins.given_up if isinstance(bins, Fragments) else ():
            for flowfile in hopeless.flowfiles:
                self.refuse(context, session, flowfile, incomplete(hopeless))
        for full in bins.closed:
            if session.room:
                self._hand_on(context, session, full)
            else:
                bins.reopen(full)
        self._wait(context, session, bins)

    def _poll(self, session: ProcessSession) -> list[FlowFile]:
        """The whole queue, as far as it may be held."""
        found: list[FlowFile] = []
        for _ in range(_POLLS):
            more = session.get_batch(self.properties.maximum_waiting + 1)
            found += more
            if not more or len(found) > self.properties.maximum_waiting:
                break
        return found

    def _key(self, flowfile: FlowFile, session: ProcessSession) -> str:
        key = self.properties.key
        if self.properties.strategy is Strategy.DEFRAGMENT:
            return identifier(flowfile)
        return "" if key is None else key.evaluate(flowfile, now=session.now)

    def _count(self, flowfile: FlowFile, session: ProcessSession) -> int:
        """Number of its records, which are read once to know it."""
        known = self._counts.get(flowfile.id)
        if known is None:
            known = self._counts[flowfile.id] = len(self.read(session, flowfile)[0])
        return known

    def _hand_on(self, context: ProcessContext, session: ProcessSession, full: Bin) -> None:
        parts = [self.read(session, flowfile) for flowfile in full.flowfiles]
        kind = parts[0][1]
        encoded, members, odd = merged(
            [records for records, _ in parts], full.flowfiles, lambda one: self.encode(one, kind)
        )
        defragment = self.properties.strategy is Strategy.DEFRAGMENT
        if defragment and odd:  # not without one of them
            odd, encoded = [(flowfile, odd[0][1]) for flowfile in full.flowfiles], None
        for flowfile, error in odd:
            self.refuse(context, session, flowfile, error)
        if encoded is None:
            return
        made = child(session, members[0], encoded)
        attributes = {**full.common(members), **encoded.attributes, **full.facts(members)}
        if defragment:
            attributes |= whole_attributes(full)
        session.transfer(full.timed(made.replacing(attributes), members), self.merged)
        uuid = {"merge.uuid": made.uuid}
        session.transfer([f.with_attributes(uuid) for f in members], self.original)

    def _wait(self, context: ProcessContext, session: ProcessSession, bins: Bins) -> None:
        """Leave in the queue what is not ready, and come again in time."""
        waiting = bins.waiting
        session.keep(waiting)
        self._counts = {f.id: self._counts[f.id] for f in waiting}
        since: dict[str, Any] = bins.since
        if since != session.state.get(_SINCE, {}):
            session.state[_SINCE] = since
        due = min(since.values(), default=None)
        session.set_clock_timer(None if due is None else due + self.properties.maximum_age)
        if waiting and not bins.closed:
            left = max(0, (due or 0) + self.properties.maximum_age - session.now)
            context.yield_(min(left, _LOOK + _LOOK_EACH * len(waiting)))


__all__ = ["MergeRecord", "Reason"]
