"""A flow definition as boxes and lines: groups are boxes around what is in them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from flowengine.definition.model import (
    ConnectionDefinition,
    FlowDefinition,
    Group,
    GroupReference,
)
from flowengine.flowdoc.layers import place

CARD = (190.0, 54.0)
PORT = (120.0, 34.0)
FUNNEL = (34.0, 34.0)
PADDING = 24.0
HEAD = 30.0  # of a group's box, for its name
_LETTER = 7.2  # px that a letter takes on average
_BEND = 0.5  # how far a curve keeps its direction, as part of the way


@dataclass(frozen=True, slots=True)
class Box:
    """Something with a place: its upper left corner and size in pixels."""

    kind: str
    id: str
    title: str
    subtitle: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A connection: a smooth line through points, labelled in the middle of its first stretch."""

    points: tuple[tuple[float, float], ...]
    label: str

    @property
    def path(self) -> str:
        """As SVG writes it."""
        parts = [f"M{_n(self.points[0][0])},{_n(self.points[0][1])}"]
        for (x0, y0), (x1, y1) in itertools.pairwise(self.points):
            bend = (x1 - x0) * _BEND
            control = f"{_n(x0 + bend)},{_n(y0)} {_n(x1 - bend)},{_n(y1)}"
            parts.append(f"C{control} {_n(x1)},{_n(y1)}")
        return " ".join(parts)

    @property
    def middle(self) -> tuple[float, float]:
        """Where the label stands."""
        (x0, y0), (x1, y1) = self.points[:2]
        return (x0 + x1) / 2, (y0 + y1) / 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything on a canvas of this size; boxes stand after those that are around them."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """A box that is not placed yet, with the drawing inside it."""

    kind: str
    title: str
    subtitle: str
    size: tuple[float, float]
    inside: Drawing | None = None


def draw(flow: FlowDefinition) -> Drawing:
    """The drawing of a flow, with a margin around it."""
    inner = _body(flow, ())
    return Drawing(
        inner.width + 2 * PADDING,
        inner.height + 2 * PADDING,
        tuple(_moved(box, PADDING, PADDING) for box in inner.boxes),
        tuple(_line_moved(line, PADDING, PADDING) for line in inner.lines),
    )


def _body(body: FlowDefinition | Group, groups: tuple[str, ...]) -> Drawing:
    items = dict(_items(body, groups))
    ends = [(_own(one.source, items), _own(one.destination, items)) for one in body.connections]
    placed = place({name: item.size for name, item in items.items()}, ends)
    boxes: list[Box] = []
    lines: list[Line] = []
    for name, item in items.items():
        (width, height), (x, y) = item.size, placed.centres[name]
        left, top = x - width / 2, y - height / 2
        id = "/".join((*groups, name))
        boxes.append(Box(item.kind, id, item.title, item.subtitle, left, top, width, height))
        if item.inside is not None:
            boxes += [_moved(box, left + PADDING, top + HEAD) for box in item.inside.boxes]
            lines += [_line_moved(line, left + PADDING, top + HEAD) for line in item.inside.lines]
    for ends_of, connections in _parallel(ends, body.connections).items():
        if ends_of in placed.paths:
            points = _from_edge_to_edge(placed.paths[ends_of], items, ends_of)
            lines.append(Line(points, _label(connections)))
    return Drawing(placed.width, placed.height, tuple(boxes), tuple(lines))


def _items(body: FlowDefinition | Group, groups: tuple[str, ...]) -> Iterable[tuple[str, _Item]]:
    for slug in body.inputs:
        yield slug, _Item("port", body.inputs[slug].name or slug, "input", PORT)
    for slug, processor in body.processors.items():
        yield slug, _card("processor", processor.name or slug, processor.type)
    for slug in body.funnels:
        yield slug, _Item("funnel", "", "", FUNNEL)
    for slug, group in body.groups.items():
        if isinstance(group, GroupReference):
            yield slug, _card("reference", group.name or slug, group.flow)
            continue
        inside = _body(group, (*groups, slug))
        size = (
            max(inside.width + 2 * PADDING, CARD[0]),
            inside.height + HEAD + PADDING,
        )
        yield slug, _Item("group", group.name or slug, "", size, inside)
    for slug in body.outputs:
        yield slug, _Item("port", body.outputs[slug].name or slug, "output", PORT)


def _card(kind: str, title: str, subtitle: str) -> _Item:
    width = max(CARD[0], min(320.0, _LETTER * max(len(title) * 1.1, len(subtitle)) + 24))
    return _Item(kind, title, subtitle, (width, CARD[1]))


def _own(end: str, items: dict[str, _Item]) -> str:
    """The component of this body that an end names: a group for ``group/port``."""
    return end if end in items else end.partition("/")[0]


def _parallel(
    ends: list[tuple[str, str]], connections: Iterable[ConnectionDefinition]
) -> dict[tuple[str, str], list[ConnectionDefinition]]:
    """Connections by what they join; they share one line."""
    found: dict[tuple[str, str], list[ConnectionDefinition]] = {}
    for between, connection in zip(ends, connections, strict=True):
        found.setdefault(between, []).append(connection)
    return found


def _label(connections: list[ConnectionDefinition]) -> str:
    names = [one.name or ", ".join(one.relationships) for one in connections]
    return " · ".join(dict.fromkeys(name for name in names if name))


def _from_edge_to_edge(
    points: tuple[tuple[float, float], ...], items: dict[str, _Item], ends: tuple[str, str]
) -> tuple[tuple[float, float], ...]:
    """From the right edge of the first box to the left edge of the last."""
    (x0, y0), *between, (x1, y1) = points
    start = (x0 + items[ends[0]].size[0] / 2, y0)
    return (start, *between, (x1 - items[ends[1]].size[0] / 2, y1))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _moved(box: Box, x: float, y: float) -> Box:
    return Box(
        *(box.kind, box.id, box.title, box.subtitle),
        *(box.x + x, box.y + y, box.width, box.height),
    )


def _line_moved(line: Line, x: float, y: float) -> Line:
    return Line(tuple((px + x, py + y) for px, py in line.points), line.label)


def fitting(text: str, width: float) -> str:
    """As much of a text as fits into this many pixels."""
    most = max(math.floor(width / _LETTER), 1)
    return text if len(text) <= most else text[: most - 1] + "…"
