"""Layout of a graph from left to right: pure geometry over networkx.

Sugiyama's four steps, each in its simplest form: drop the edges that close cycles (a draft may have
some), put each node into the layer after its last predecessor, order the layers by barycentres, and
give them coordinates. An edge over several layers passes through a waypoint in each one between, so
that it goes around boxes and not through them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import networkx as nx

GAP_X = 110.0
GAP_Y = 28.0
_SWEEPS = 6

Node = Hashable
Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Waypoint:
    """The place of an edge in a layer that it only passes."""

    edge: Edge
    layer: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Where things are. ``centres`` of nodes; ``paths`` are the points that each edge visits."""

    centres: Mapping[str, tuple[float, float]]
    paths: Mapping[Edge, tuple[tuple[float, float], ...]]
    width: float
    height: float


def place(sizes: Mapping[str, tuple[float, float]], edges: Iterable[Edge]) -> Placed:
    """Lay out nodes of these sizes; no two overlap, and every kept edge goes to the right."""
    given = [edge for edge in dict.fromkeys(edges) if edge[0] in sizes and edge[1] in sizes]
    graph = _acyclic(sizes, given)
    layers, chains = _layered(graph)
    steps: nx.DiGraph[Node] = nx.DiGraph()
    for chain in chains.values():
        nx.add_path(steps, chain)
    for _ in range(_SWEEPS):
        _order(layers, steps)
    xs, width = _columns(layers, sizes)
    ys = _rows(layers, steps, sizes)
    top = min((ys[node] - _height(node, sizes) / 2 for node in ys), default=0.0)
    bottom = max((ys[node] + _height(node, sizes) / 2 for node in ys), default=0.0)
    points = {
        node: (xs[number], ys[node] - top) for number, layer in enumerate(layers) for node in layer
    }
    centres = {name: points[name] for name in sizes}
    paths = {
        edge: tuple(points[node] for node in chains[edge])
        if edge in chains
        else (centres[edge[0]], centres[edge[1]])
        for edge in given
    }
    return Placed(centres, paths, width, bottom - top)


def _acyclic(nodes: Iterable[str], edges: Iterable[Edge]) -> nx.DiGraph[str]:
    """The graph without the edges that would close a cycle, in the order they are given."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    for source, target in edges:
        if source != target and not nx.has_path(graph, target, source):
            graph.add_edge(source, target)
    return graph


def _layered(graph: nx.DiGraph[str]) -> tuple[list[list[Node]], dict[Edge, list[Node]]]:
    layers: list[list[Node]] = [list(names) for names in nx.topological_generations(graph)]
    number = {name: index for index, layer in enumerate(layers) for name in layer}
    chains: dict[Edge, list[Node]] = {}
    for source, target in graph.edges:
        between = [
            Waypoint((source, target), index) for index in range(number[source] + 1, number[target])
        ]
        for waypoint in between:
            layers[waypoint.layer].append(waypoint)
        chains[source, target] = [source, *between, target]
    return layers, chains


def _order(layers: list[list[Node]], steps: nx.DiGraph[Node]) -> None:
    """One sweep to the right and one back, by the mean place of the neighbours."""
    for index in range(1, len(layers)):
        _sort(layers[index], layers[index - 1], steps.predecessors, steps)
    for index in range(len(layers) - 2, -1, -1):
        _sort(layers[index], layers[index + 1], steps.successors, steps)


def _sort(
    layer: list[Node], fixed: list[Node], neighbours: object, steps: nx.DiGraph[Node]
) -> None:
    place = {node: index for index, node in enumerate(fixed)}
    own = {node: float(index) for index, node in enumerate(layer)}

    def barycentre(node: Node) -> float:
        found = [place[one] for one in neighbours(node)] if node in steps else []  # type: ignore[operator]
        return sum(found) / len(found) if found else own[node]

    layer.sort(key=barycentre)


def _height(node: Node, sizes: Mapping[str, tuple[float, float]]) -> float:
    return sizes[node][1] if isinstance(node, str) else 0.0


def _columns(
    layers: list[list[Node]], sizes: Mapping[str, tuple[float, float]]
) -> tuple[list[float], float]:
    """The middle of each layer, and the width of all."""
    middles: list[float] = []
    left = 0.0
    for layer in layers:
        widest = max(sizes[node][0] for node in layer if isinstance(node, str))
        middles.append(left + widest / 2)
        left += widest + GAP_X
    return middles, max(left - GAP_X, 0.0)


def _rows(
    layers: list[list[Node]],
    steps: nx.DiGraph[Node],
    sizes: Mapping[str, tuple[float, float]],
) -> dict[Node, float]:
    """The middle of each node: near its neighbours, in the order of its layer, without overlap."""
    ys: dict[Node, float] = {}
    for layer in layers:
        ys |= _stacked(layer, dict.fromkeys(layer, 0.0), sizes)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = {node: _near(node, ys, steps) for node in layer}
            ys |= _stacked(layer, wanted, sizes)
    return ys


def _near(node: Node, ys: Mapping[Node, float], steps: nx.DiGraph[Node]) -> float:
    if node not in steps:
        return ys[node]
    around = [ys[one] for one in (*steps.predecessors(node), *steps.successors(node))]
    return sum(around) / len(around)


def _stacked(
    layer: list[Node], wanted: Mapping[Node, float], sizes: Mapping[str, tuple[float, float]]
) -> dict[Node, float]:
    """Middles as wanted, pushed apart where they would overlap, with the same mean."""
    found: dict[Node, float] = {}
    edge = float("-inf")
    for node in layer:
        half = _height(node, sizes) / 2
        found[node] = max(wanted[node], edge + half)
        edge = found[node] + half + GAP_Y
    shift = sum(found[node] - wanted[node] for node in layer) / len(layer)
    return {node: y - shift for node, y in found.items()}
