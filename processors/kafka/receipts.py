"""What became of the FlowFiles of one PublishKafka session, and where each one goes."""

from __future__ import annotations

from collections import Counter

from flowengine.expressions import Expression
from flowengine.flowfile import FlowFile
from flowengine.session import ProcessSession
from processors.kafka._core import (
    LAST_OFFSET,
    MESSAGE_COUNT,
    OFFSET,
    PARTITION,
    TIMESTAMP,
    TOPIC,
)
from processors.kafka.outbox import Outbox, Problem, Report


class Receipts:
    """Collects reports and settles the session by them.

    problems: index of a FlowFile → why it fails
    """

    def __init__(self, flowfiles: list[FlowFile]) -> None:
        self._flowfiles = flowfiles
        self.problems: dict[int, Problem] = {}
        self._attributes: dict[int, dict[str, str]] = {}
        self._sent: dict[str, int] = {}
        self._plain: tuple[Outbox, Report] | None = None

    def evaluate(self, expression: Expression) -> list[str | None]:
        """The expression's text for each FlowFile; where it has none, the FlowFile fails."""
        texts, errors = expression.evaluate_batch(self._flowfiles)
        for index, error in errors.items():
            self.problems.setdefault(index, Problem("ExpressionError", str(error), permanent=True))
        return texts

    def refuse(self, index: int, kind: str, message: str) -> None:
        """A FlowFile fails by its own fault."""
        self.problems.setdefault(index, Problem(kind, message, permanent=True))

    def take(self, outbox: Outbox, report: Report) -> None:
        """Add what became of the messages of one outbox."""
        if outbox.plain and not report.problems and not self.problems:
            self._plain = outbox, report
            return
        for index, problem in report.problems.items():
            self.problems.setdefault(outbox.owners[index], problem)
        attributes, problems = self._attributes, self.problems
        rows = zip(
            outbox.owners,
            outbox.topics,
            report.partitions,
            report.offsets,
            report.timestamps,
            strict=True,
        )
        for owner, topic, partition, offset, timestamp in rows:
            if owner in attributes:
                _merge(attributes[owner], partition, offset)
            elif owner not in problems:
                written = {TOPIC: topic, PARTITION: str(partition)}
                if offset >= 0:
                    written[OFFSET] = str(offset)
                written[TIMESTAMP] = str(timestamp)
                written[MESSAGE_COUNT] = "1"
                attributes[owner] = written

    def settle(self, session: ProcessSession) -> None:
        """Transfer each FlowFile: to success with where it went, else to failure with why."""
        if self._plain is not None:
            self._settle_plain(session, *self._plain)
            return
        attributes, problems = self._attributes, self.problems
        delivered: list[FlowFile] = []
        for index, flowfile in enumerate(self._flowfiles):
            problem = problems.get(index)
            if problem is not None:
                session.fail(flowfile, problem.message, error_class=problem.kind)
                continue
            written = attributes.get(index) or {MESSAGE_COUNT: "0"}
            delivered.append(flowfile.with_attributes(written))
            if TOPIC in written:
                count = int(written[MESSAGE_COUNT])
                self._sent[written[TOPIC]] = self._sent.get(written[TOPIC], 0) + count
        session.transfer(delivered, "success")
        self._count(session)

    def _settle_plain(self, session: ProcessSession, outbox: Outbox, report: Report) -> None:
        """The quick way for the usual case: one message per FlowFile, and all were delivered."""
        rows = zip(
            self._flowfiles,
            outbox.topics,
            map(str, report.partitions),
            report.offsets,
            map(str, report.timestamps),
            strict=True,
        )
        if min(report.offsets) >= 0:
            delivered = [
                flowfile.replacing(
                    {
                        **flowfile.attributes,
                        TOPIC: topic,
                        PARTITION: partition,
                        OFFSET: str(offset),
                        TIMESTAMP: timestamp,
                        MESSAGE_COUNT: "1",
                    }
                )
                for flowfile, topic, partition, offset, timestamp in rows
            ]
        else:
            delivered = [
                flowfile.with_attributes(
                    {
                        TOPIC: topic,
                        PARTITION: partition,
                        TIMESTAMP: timestamp,
                        MESSAGE_COUNT: "1",
                    }
                )
                for flowfile, topic, partition, _, timestamp in rows
            ]
        session.transfer(delivered, "success")
        self._sent = dict(Counter(outbox.topics))
        self._count(session)

    def _count(self, session: ProcessSession) -> None:
        for topic, count in self._sent.items():
            session.adjust_counter("Messages Sent", count)
            session.adjust_counter(f"Messages Sent to {topic}", count)


def _merge(written: dict[str, str], partition: int, offset: int) -> None:
    """One more message of a FlowFile. Offsets stand there only for a single partition."""
    written[MESSAGE_COUNT] = str(int(written[MESSAGE_COUNT]) + 1)
    if written.get(PARTITION) != str(partition):
        for name in (PARTITION, OFFSET, LAST_OFFSET):
            written.pop(name, None)
    elif offset >= 0:
        written[LAST_OFFSET] = str(offset)
