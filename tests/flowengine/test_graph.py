"""The graph of a flow."""

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from flowengine.definition import load_definition
from flowengine.definition.model import FlowDefinition
from flowengine.graph import build_graph, cycles, reachable, start_order
from tests.flowengine.definition.kit import CLASSES, GOOD, SOURCES

NODES = [str(number) for number in range(7)]
EDGES = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=16)


def graph_of(edges):
    return build_graph(NODES, [(a, b, f"{a}-{b}") for a, b in edges])


def test_an_edge_holds_all_its_connections():
    graph = build_graph("ab", [("a", "b", "first"), ("a", "b", "second")])
    assert graph.edges["a", "b"]["connections"] == ["first", "second"]


def test_start_order_is_sinks_first():
    definition = FlowDefinition.model_validate(GOOD)
    flow = load_definition(definition, classes=CLASSES, sources=SOURCES)
    assert start_order(flow) == [
        "write", "all", "box/out", "box/inner", "box/in", "route", "step", "read",
    ]  # fmt: skip


@given(EDGES)
def test_a_cycle_is_found_exactly_when_there_is_one(edges):
    graph = graph_of(edges)
    found = cycles(graph)
    plain: nx.DiGraph = nx.DiGraph((a, b) for a, b in edges if a != b)
    assert bool(found) == (not nx.is_directed_acyclic_graph(plain))
    for cycle in found:
        steps = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        assert all(graph.has_edge(a, b) for a, b in steps)
        assert len(set(cycle)) == len(cycle) > 1


@given(EDGES, st.sets(st.sampled_from(NODES)))
def test_what_is_reachable_is_what_the_sources_lead_to(edges, sources):
    graph = graph_of(edges)
    expected = set(sources).union(*(nx.descendants(graph, source) for source in sources))
    assert reachable(graph, sources) == expected


def test_a_thousand_nodes_in_one_knot_are_no_matter():
    nodes = [str(number) for number in range(1000)]
    edges = [(a, b, "x") for a in nodes[:40] for b in nodes[:40] if a != b]
    assert len(cycles(build_graph(nodes, edges))) == 1
