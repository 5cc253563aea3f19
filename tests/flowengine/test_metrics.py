"""Prometheus' text, read back by its own parser."""

from prometheus_client.parser import text_string_to_metric_families

from flowengine.metrics import exposition
from flowengine.status import Held, snapshot
from tests.flowengine.running import running, small_flow, until


async def samples():
    async with running(None, small_flow(count=5), stopped=("sink",)) as engine:
        await until(engine, lambda: engine.assembly.queued == 5)
        engine.assembly.core.counters["seen by 'x'"] = 3
        status = snapshot(engine)
    status.held = Held("sink", 2_500_000)
    text = exposition(status).decode()
    return {
        (sample.name, *(value for key, value in sorted(sample.labels.items()) if key != "flow")): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_of_the_snapshot_are_samples():
    found = await samples()
    assert found["flowengine_processor_flowfiles_out_total", "count", "Count"] == 5
    assert found["flowengine_processor_running", "sink", "Discard"] == 0
    assert found["flowengine_connection_queued_flowfiles", "count-sink"] == 5
    assert found["flowengine_ledger_flowfiles", "in"] == 5
    assert found["flowengine_counter", "seen by 'x'"] == 3
    assert found["flowengine_balance_flowfiles",] == 0
    assert found["flowengine_engine_held_seconds",] == 2.5
