"""Recording: every event of a sampled lineage, the rate, and replay."""

from contextlib import contextmanager

import pytest

from flowengine.clock import FakeClock
from flowengine.control import serving
from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.errors import DefinitionError
from flowengine.processor import Processor, Relationship
from flowengine.provenance import Event, ProvenanceStore, Query, recording
from flowengine.provenance.recorder import PER_SECOND
from flowengine.repository import SqliteRepository
from tests.flowengine.running import Count, Discard, client_of, running, small_flow, until


class Label(Processor):
    """Add an attribute."""

    success = Relationship("All.")

    def on_trigger(self, context, session):
        flowfiles = [f.with_attributes({"label": "x"}) for f in session.get_batch()]
        session.transfer(flowfiles, "success")


class Split(Processor):
    """Two halves of each, and the original."""

    half = Relationship("Parts.")
    original = Relationship("What was split.")

    def on_trigger(self, context, session):
        for flowfile in session.get_batch():
            content = session.read(flowfile)
            parts = [session.create(part, parent=flowfile) for part in (content[:4], content[4:])]
            session.transfer(parts, "half")
            session.transfer(flowfile, "original")


def branching():
    """count → label → split → (half → sink, original → ended); label also → copy."""
    flow = Flow("branching")
    flow.add("count", Count, count=1)
    flow.add("label", Label)
    flow.add("split", Split, {"auto_terminate": ["original"]})
    flow.add("sink", Discard)
    flow.add("copy", Discard)
    flow.connect("count", "success", "label")
    flow.connect("label", "success", "split")
    flow.connect("label", "success", "copy")
    flow.connect("split", "half", "sink")
    return flow.load()


@contextmanager
def opened(path):
    store = ProvenanceStore(path)
    yield store
    store.close()


async def complete(flow, directory, **how):
    """Run a flow to its end, recorded; returns the recorder."""
    engine = Engine(flow, SqliteRepository(directory))
    async with engine.opened():
        with recording(engine, directory, **how) as recorder:
            await engine.run(until_complete=True)
    return recorder


async def test_a_lineage_is_recorded_from_its_source_to_its_ends(tmp_path):
    recorder = await complete(branching(), tmp_path)
    with opened(recorder.path) as store:
        events = store.search(Query())[::-1]
        lineage = store.lineage(events[0].flowfile)
    assert sorted((event.processor, event.type) for event in events) == [
        ("copy", "DROP"),
        ("count", "CREATE"),
        ("label", "ATTRIBUTES_MODIFIED"),
        ("label", "CLONE"),
        ("sink", "DROP"),
        ("sink", "DROP"),
        ("split", "DROP"),
        ("split", "FORK"),
        ("split", "FORK"),
        ("split", "ROUTE"),
    ]
    assert len(lineage) == len(events)
    assert recorder.live == set()


async def test_an_event_shows_what_was_there_before_it_and_which_queue_fed_it(tmp_path):
    recorder = await complete(branching(), tmp_path)
    with opened(recorder.path) as store:
        [labelled] = store.search(Query(processor="label", type="ATTRIBUTES_MODIFIED"))
        content = store.event(labelled.id).content
    assert labelled.attributes == {"number": "0", "odd": "0"}
    assert (labelled.connection, labelled.relationship) == ("count-label", "success")
    assert content == b"record 0"


async def test_a_fast_flow_is_sampled_by_whole_lineages(tmp_path):
    recorder = await complete(small_flow(count=5000), tmp_path, limit=100)
    with opened(recorder.path) as store:
        events = store.search(Query(limit=100_000))
    created = {event.flowfile for event in events if event.type == "CREATE"}
    dropped = {event.flowfile for event in events if event.type == "DROP"}
    assert created == dropped
    assert 0 < len(created) < 5000


async def test_a_slow_flow_is_recorded_completely(tmp_path):
    recorder = await complete(small_flow(count=PER_SECOND // 8), tmp_path)
    with opened(recorder.path) as store:
        assert len(store.search(Query(limit=9999))) == 2 * (PER_SECOND // 8)


async def test_expiry_is_an_event(tmp_path):
    flow = Flow("old")
    flow.add("count", Count, count=2)
    flow.add("sink", Discard)
    flow.connect("count", "success", "sink", expiration="1 sec")
    clock = FakeClock()
    engine = Engine(flow.load(), SqliteRepository(tmp_path, clock), clock=clock)
    async with engine.opened():
        with recording(engine, tmp_path) as recorder:
            connection = engine.assembly.connections["count-sink"]
            made = [engine_flowfile(engine, recorder) for _ in range(2)]
            connection.put(made, 0)
            clock.advance(2_000_000)
            assert connection.poll(10, 1000, clock.wall()) == []
    with opened(recorder.path) as store:
        assert [(e.type, e.processor) for e in store.search(Query())] == [("EXPIRE", "sink")] * 2


def engine_flowfile(engine, recorder):
    from flowengine.flowfile import FlowFile

    now = engine.clock.wall()
    made = FlowFile(engine.assembly.core.ids.take(), {}, b"", 0, now, now, now)
    recorder.live.add(made.id)
    return made


async def test_replay_puts_the_content_back_into_the_queue_that_fed_it(tmp_path):
    async with running(tmp_path, small_flow(count=1)) as engine:
        with recording(engine, tmp_path) as recorder:
            async with serving(engine, tmp_path, recorder=recorder), client_of(tmp_path) as client:
                await until(engine, lambda: engine.assembly.core.ledger.totals["out"] == 1)
                engine.stop("sink")
                dropped = await first_event(client, "DROP")
                answer = await client.post(f"/provenance/{dropped['id']}/replay")
                [again] = engine.assembly.connections["count-sink"].peek(10)
                balance = engine.assembly.core.ledger.balance(engine.assembly.queued)
                replayed = await first_event(client, "REPLAY")
                lineage = (await client.get(f"/provenance/lineage/{again.uuid}")).json()
    assert answer.json() == {"flowfile": again.uuid}
    assert (again.content, again.attributes, balance) == (b"record 0", dropped["attributes"], 0)
    assert replayed["parents"] == [dropped["flowfile"]]
    assert lineage["edges"] == [[dropped["flowfile"], again.uuid]]


async def first_event(client, kind):
    """The newest event of a type, as soon as the writer has written it."""
    for _ in range(1000):
        found = (await client.get("/provenance", params={"type": kind})).json()
        if found:
            return found[0]
    raise AssertionError(f"provenance must have an event {kind}; got none")


async def test_what_was_not_kept_cannot_be_replayed(tmp_path):
    async with running(tmp_path, small_flow()) as engine:
        with recording(engine, tmp_path) as recorder:
            event = Event(0, "DROP", "sink", "x", connection="count-sink", size=70_000, id=7)
            with pytest.raises(DefinitionError) as caught:
                recorder.replay(event)
    assert str(caught.value) == (
        "provenance event 7 (DROP) must have kept its content to be replayed; got 'count-sink' "
        "and 70000 bytes, of which at most 65536 are kept"
    )


async def test_an_event_says_why_it_cannot_be_replayed(tmp_path):
    async with running(tmp_path, small_flow()) as engine:
        with recording(engine, tmp_path) as recorder:
            entered = Event(0, "CREATE", "count", "x", id=1)
            moved = Event(0, "DROP", "sink", "x", connection="old", id=2, content=b"")
            kept = Event(0, "DROP", "sink", "x", connection="count-sink", id=3, content=b"")
            found = [recorder.refusal(event) for event in (entered, moved, kept)]
    assert found == [
        "provenance event 1 (CREATE) must have been polled from a queue to be replayed; got one "
        "at which its FlowFile entered the flow",
        "provenance event 2 (DROP) must come from a queue that the flow still has to be replayed; "
        "got 'old'",
        None,
    ]


async def test_a_run_that_does_not_record_says_so(tmp_path):
    async with (
        running(tmp_path, small_flow()) as engine,
        serving(engine, tmp_path),
        client_of(tmp_path) as client,
    ):
        answer = await client.get("/provenance")
    assert answer.status_code == 409
    assert answer.json()["detail"] == (
        "flow must record provenance for this; got a run that does not"
    )
