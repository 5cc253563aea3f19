"""Ports and funnels: processors that only hand on. They keep groups and queues as drawn."""

from __future__ import annotations

from flowengine.context import ProcessContext
from flowengine.processor import InputRequirement, Processor, Relationship
from flowengine.session import ProcessSession


class Funnel(Processor):
    """Bring several connections together into one, so that one prioritizer sees all."""

    tags = ("funnel", "merge", "route")
    success = Relationship("Everything that came in.")

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        session.transfer(session.get_batch(), self.success)


class InputPort(Funnel):
    """Where FlowFiles enter a process group."""

    tags = ("port", "group", "input")
    input = InputRequirement.ALLOWED


class OutputPort(Funnel):
    """Where FlowFiles leave a process group."""

    tags = ("port", "group", "output")
