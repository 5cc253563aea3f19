"""The graph of a flow: processors are nodes, connections are edges. Source: networkx.

networkx is imported when a graph is built, so that importing the engine does not pay for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

    from flowengine.definition.flat import LoadedFlow


def build_graph(nodes: Iterable[str], edges: Iterable[tuple[str, str, str]]) -> nx.DiGraph[str]:
    """A graph of nodes and ``(source, destination, connection id)`` edges.

    An edge holds the ids of all connections between its two nodes as ``connections``.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for source, destination, identity in edges:
        if not graph.has_edge(source, destination):
            graph.add_edge(source, destination, connections=[])
        graph.edges[source, destination]["connections"].append(identity)
    return graph


def cycles(graph: nx.DiGraph[str]) -> list[list[str]]:
    """One shortest cycle per knot of nodes that reach each other, self-loops left out.

    Each is a list of nodes in order, the first one not repeated. All cycles of a knot can be
    exponentially many, so one is named; when it is cut the next is found.
    """
    import networkx as nx

    found = []
    for knot in nx.strongly_connected_components(graph):
        if len(knot) > 1:
            found.append(_shortest_cycle(graph, knot))
    order = {node: number for number, node in enumerate(graph)}
    return sorted((_rotated(cycle, order) for cycle in found), key=lambda c: order[c[0]])


def _shortest_cycle(graph: nx.DiGraph[str], knot: set[str]) -> list[str]:
    """A cycle through the first node of a knot, as short as any through that node."""
    import networkx as nx

    inside = graph.subgraph(knot)
    start = next(node for node in graph if node in knot)
    ways = nx.single_source_shortest_path(inside, start)
    last = min((node for node in inside.predecessors(start) if node != start),
               key=lambda node: len(ways[node]))  # fmt: skip
    return list(ways[last])


def _rotated(cycle: list[str], order: dict[str, int]) -> list[str]:
    """The same cycle, beginning with the node that stands first in the definition."""
    first = min(range(len(cycle)), key=lambda index: order[cycle[index]])
    return cycle[first:] + cycle[:first]


def reachable(graph: nx.DiGraph[str], sources: Iterable[str]) -> set[str]:
    """The sources and everything downstream of them."""
    import networkx as nx

    return {node for layer in nx.bfs_layers(graph, list(sources)) for node in layer}


def start_order(flow: LoadedFlow) -> Sequence[str]:
    """Ids of all processors, sinks first; the reverse is the order in which to stop.

    Among those that may start together the order of the definition decides.
    """
    import networkx as nx

    order = {identity: number for number, identity in enumerate(flow.processors)}
    backwards = flow.graph.reverse(copy=False)
    return list(nx.lexicographical_topological_sort(backwards, key=order.__getitem__))
