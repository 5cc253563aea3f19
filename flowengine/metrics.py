"""Prometheus metrics of one runner, made from a status snapshot when somebody scrapes.

Nothing is counted twice: a custom collector turns the engine's own totals into samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector

from flowengine.status import ConnectionStatus, FlowStatus, ProcessorStatus
from flowengine.window_status import WindowsStatus

__all__ = ["CONTENT_TYPE", "FlowCollector", "exposition"]

_TOTALS: tuple[tuple[str, str, Callable[[ProcessorStatus], float]], ...] = (
    ("flowfiles_in", "FlowFiles taken", lambda p: p.total.flowfiles_in),
    ("bytes_in", "Bytes of the FlowFiles taken", lambda p: p.total.bytes_in),
    ("flowfiles_out", "FlowFiles put into connections", lambda p: p.total.flowfiles_out),
    ("bytes_out", "Bytes of the FlowFiles put", lambda p: p.total.bytes_out),
    ("bytes_read", "Bytes of content read", lambda p: p.total.bytes_read),
    ("bytes_written", "Bytes of content written", lambda p: p.total.bytes_written),
    ("triggers", "Triggers", lambda p: p.total.tasks),
    ("trigger_seconds", "Time spent in triggers", lambda p: p.total.nanoseconds / 1e9),
)
_STATES: tuple[tuple[str, str, Callable[[ProcessorStatus], float]], ...] = (
    ("running", "1 while it is running", lambda p: p.state == "running"),
    ("active_tasks", "Triggers under way", lambda p: p.active),
    ("back_pressured", "1 while a connection downstream is full", lambda p: p.blocked),
)
_WINDOWS: tuple[tuple[str, str, Callable[[WindowsStatus], float | None]], ...] = (
    ("windows_open", "Windows that have not closed", lambda w: w.open_count),
    ("window_bytes", "About how much open windows hold", lambda w: w.bytes),
    ("watermark_seconds", "Event time that has certainly come", lambda w: _seconds(w.watermark)),
    ("watermark_lag_seconds", "Of the watermark behind the clock", lambda w: _seconds(w.lag)),
    ("records_late", "Records after their windows had closed", lambda w: w.late),
    ("records_invalid", "Records without a readable time, key or value", lambda w: w.invalid),
)
_QUEUES: tuple[tuple[str, str, Callable[[ConnectionStatus], float]], ...] = (
    ("queued_flowfiles", "FlowFiles in it, polled ones included", lambda c: c.queued),
    ("queued_bytes", "Bytes in it", lambda c: c.bytes),
    ("in_flight_flowfiles", "FlowFiles polled and not yet committed", lambda c: c.in_flight),
    ("penalized_flowfiles", "FlowFiles that wait for a penalty to end", lambda c: c.penalized),
    ("full_ratio", "The fuller of its two bounds; 1 and above is full", lambda c: c.percent / 100),
)


class FlowCollector(Collector):
    """Samples of one snapshot."""

    def __init__(self, status: FlowStatus) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """All metric families."""
        yield from self._processors()
        yield from self._windows()
        yield from self._connections()
        yield from self._flow()

    def _processors(self) -> Iterator[Metric]:
        labels = ["flow", "processor", "type"]
        for kind, table in ((CounterMetricFamily, _TOTALS), (GaugeMetricFamily, _STATES)):
            for name, text, value in table:
                family = kind(f"flowengine_processor_{name}", text, labels=labels)
                for one in self._status.processors.values():
                    family.add_metric([self._status.flow, one.id, one.type], value(one))
                yield family

    def _windows(self) -> Iterator[Metric]:
        """Only of processors with windows; none of a flow without one."""
        timed = [(p, p.windows) for p in self._status.processors.values() if p.windows is not None]
        labels = ["flow", "processor"]
        for name, text, value in _WINDOWS if timed else ():
            family = GaugeMetricFamily(f"flowengine_processor_{name}", text, labels=labels)
            for one, windows in timed:
                figure = value(windows)
                if figure is not None:
                    family.add_metric([self._status.flow, one.id], figure)
            yield family
        text = "1 for what holds the watermark back"
        more = ["kind", "id", "partition"]
        held = GaugeMetricFamily("flowengine_processor_held_by", text, labels=labels + more)
        for one, windows in timed:
            if (by := windows.held_by) is not None:
                held.add_metric([self._status.flow, one.id, by.kind, by.id, by.partition or ""], 1)
        if timed:
            yield held

    def _connections(self) -> Iterator[Metric]:
        for name, text, value in _QUEUES:
            family = GaugeMetricFamily(
                f"flowengine_connection_{name}", text, labels=["flow", "connection"]
            )
            for one in self._status.connections.values():
                family.add_metric([self._status.flow, one.id], value(one))
            yield family

    def _flow(self) -> Iterator[Metric]:
        status = self._status
        yield self._labelled("ledger_flowfiles", "Where FlowFiles went", "entry", status.ledger)
        yield self._labelled("counter", "Counters of the flow", "name", status.counters)
        held = status.held.duration / 1e6 if status.held else 0
        for name, text, value in (
            ("uptime_seconds", "Since the start", status.uptime / 1e6),
            ("balance_flowfiles", "Not accounted for; 0 or a bug", status.balance),
            ("cuts", "Cuts since the start", status.cuts),
            ("resident_bytes", "FlowFiles in memory", status.resident),
            (
                "sources_wait",
                "1 while no source may make anything",
                status.sources_wait is not None,
            ),
            (
                "repository_problem",
                "1 while the repository cannot write",
                status.problem is not None,
            ),
            ("engine_held_seconds", "How long the engine has not answered", held),
        ):
            family = GaugeMetricFamily(f"flowengine_{name}", text, labels=["flow"])
            family.add_metric([status.flow], float(value))
            yield family

    def _labelled(self, name: str, text: str, label: str, values: dict[str, int]) -> Metric:
        """A gauge per entry: a counter of a flow may be reset or go down."""
        family = GaugeMetricFamily(f"flowengine_{name}", text, labels=["flow", label])
        for key, value in values.items():
            family.add_metric([self._status.flow, key], value)
        return family


def _seconds(duration: int | None) -> float | None:
    return None if duration is None else duration / 1e6


def exposition(status: FlowStatus) -> bytes:
    """The snapshot in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FlowCollector(status))
    return generate_latest(registry)
