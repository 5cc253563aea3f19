"""Figures of all flows in Prometheus' text format, in one answer for one scrape."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flowengine.metrics import FlowCollector
from flowengine.status import FlowStatus
from web.problems import Problem
from web.site import Site


class SiteCollector(Collector):
    """All families of all flows, each family once. ``states``: whether each flow runs."""

    def __init__(self, statuses: Iterable[FlowStatus], states: dict[str, str]) -> None:
        self._statuses = statuses
        self._states = states

    def collect(self) -> Iterable[Metric]:
        """Families with the samples of all flows."""
        running = GaugeMetricFamily(
            "flowengine_flow_running", "1 while the flow runs", labels=["flow"]
        )
        failed = GaugeMetricFamily(
            "flowengine_flow_failed", "1 while the flow waits after an error", labels=["flow"]
        )
        for flow, state in self._states.items():
            running.add_metric([flow], float(state == "running"))
            failed.add_metric([flow], float(state == "failed"))
        families: dict[str, Metric] = {}
        for status in self._statuses:
            for family in FlowCollector(status).collect():
                families.setdefault(family.name, family)
                if families[family.name] is not family:
                    families[family.name].samples += family.samples
        return [running, failed, *families.values()]


async def exposition(site: Site) -> bytes:
    """One scrape. A flow whose runner does not answer in time has no figures but its state."""
    states = {id: site.supervisor.flow(id).state for id in await asyncio.to_thread(site.files.ids)}
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_status(site, id))
            for id, state in states.items()
            if state == "running"
        ]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SiteCollector([one for t in tasks if (one := t.result())], states))
    return generate_latest(registry)


async def _status(site: Site, id: str) -> FlowStatus | None:
    try:
        found = await site.supervisor.flow(id).client.status()
    except Problem:
        return None
    return msgspec.structs.replace(found, flow=id)  # names need not be unique
