"""What a snapshot shows, and that deltas rebuild the next snapshot."""

import msgspec

from flowengine.bulletins import ComponentLog
from flowengine.status import FlowStatus, delta, encode, snapshot
from tests.flowengine.running import running, small_flow, until


async def test_a_snapshot_shows_processors_connections_and_the_ledger(tmp_path):
    async with running(tmp_path, small_flow(count=5), stopped=("sink",)) as engine:
        await until(engine, lambda: engine.assembly.nodes["count"].completed)
        status = snapshot(engine)
    assert status.queued == 5
    assert status.ledger == {"in": 5, "out": 0, "failed": 0, "expired": 0, "dropped": 0}
    assert status.balance == 0
    count, sink = status.processors["count"], status.processors["sink"]
    assert (count.state, count.recent.flowfiles_out, count.total.bytes_out) == ("completed", 5, 40)
    assert (sink.state, sink.queued, sink.runs_on) == ("stopped", 5, "loop")
    connection = status.connections["count-sink"]
    assert (connection.queued, connection.bytes, connection.percent) == (5, 40, 0.1)
    assert (connection.objects, connection.full) == (10_000, False)


async def test_a_snapshot_shows_the_last_bulletin_of_a_processor():
    async with running(None, small_flow()) as engine:
        log = ComponentLog(engine.board, "sink")
        log.warning("the first")
        log.error("the second")
        shown = snapshot(engine).processors["sink"].bulletin
    assert shown is not None
    assert (shown.level, shown.message) == ("error", "the second")


async def test_a_snapshot_survives_json_and_what_json_has_no_form_for():
    async with running(None, small_flow()) as engine:
        engine.assembly.nodes["count"].reported["lag"] = {"users": 3, "at": ...}
        status = snapshot(engine)
    decoded = msgspec.json.decode(encode(status), type=FlowStatus)
    assert decoded.processors["count"].reported == {"lag": {"users": 3, "at": "Ellipsis"}}
    assert decoded.connections == status.connections


async def test_a_snapshot_says_why_sources_wait():
    async with running(None, small_flow()) as engine:
        assert snapshot(engine).sources_wait is None
        engine.assembly.core.out_of_memory = True
        assert snapshot(engine).sources_wait == "memory"
        engine.assembly.core.faults["sink"] = "content file 'x' must be readable"
        status = snapshot(engine)
    assert status.sources_wait == "fault"
    assert status.faults == {"sink": "content file 'x' must be readable"}


async def test_a_delta_holds_only_what_changed():
    async with running(None, small_flow(), stopped=("count", "sink")) as engine:
        old = snapshot(engine)
        engine.assembly.core.counters["seen"] = 7
        engine.assembly.nodes["sink"].reported["lag"] = 1
        change = delta(old, snapshot(engine))
    assert change.flow.keys() - {"as_of", "uptime"} == {"counters"}
    assert list(change.processors) == ["sink"]
    assert change.connections == {}
