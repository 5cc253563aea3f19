"""The provenance file: search, lineage, and its bound."""

import pytest

from flowengine.provenance import Event, ProvenanceStore, Query


@pytest.fixture
def store(tmp_path):
    store = ProvenanceStore(tmp_path / "provenance.db")
    store.add(
        [
            Event(10, "CREATE", "read", "a", attributes={"name": "Ada"}, content=b"x", size=1),
            Event(20, "FORK", "split", "b", parents=["a"]),
            Event(30, "FORK", "split", "c", parents=["a"]),
            Event(40, "ROUTE", "route", "b", relationship="big", attributes={"name": "Bob"}),
            Event(50, "DROP", "write", "other"),
        ]
    )
    yield store
    store.close()


@pytest.mark.parametrize(
    ("query", "times"),
    [
        (Query(), [50, 40, 30, 20, 10]),
        (Query(flowfile="b"), [40, 20]),
        (Query(processor="split"), [30, 20]),
        (Query(type="DROP"), [50]),
        (Query(since=20, until=40), [30, 20]),
        (Query(attributes={"name": "Bob"}), [40]),
        (Query(attributes={"name": "Eve"}), []),
        (Query(limit=2), [50, 40]),
        (Query(before=3), [20, 10]),
    ],
)
def test_events_are_found_by_what_is_known_of_them(store, query, times):
    assert [event.time for event in store.search(query)] == times


def test_a_lineage_holds_ancestors_and_descendants_but_no_siblings_of_others(store):
    assert [event.time for event in store.lineage("a")] == [10, 20, 30, 40]
    assert [event.time for event in store.lineage("b")] == [10, 20, 40]


def test_only_a_single_event_comes_with_its_content(store):
    [created] = store.search(Query(type="CREATE"))
    assert created.content is None
    assert store.event(created.id).content == b"x"
    assert store.event(999) is None


def test_the_oldest_events_go_when_the_bound_is_reached(tmp_path):
    store = ProvenanceStore(tmp_path / "provenance.db", bound=10_000)
    for number in range(100):
        store.add([Event(number, "CREATE", "read", str(number), content=b"x" * 800)])
    kept = [event.time for event in store.search(Query())]
    store.close()
    assert kept == list(range(99, 90, -1))
