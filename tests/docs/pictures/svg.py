"""Drawing: a small SVG that can be read on light and on dark pages."""

from __future__ import annotations

from html import escape
from typing import Final

# Names of colours → on a light page, on a dark one.
COLOURS: Final = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "faint": ("#656d76", "#9198a1"),
    "grid": ("#d8dee4", "#30363d"),
    "one": ("#0550ae", "#79c0ff"),
    "two": ("#953800", "#ffa657"),
    "three": ("#116329", "#7ee787"),
    "alarm": ("#cf222e", "#ff7b72"),
}


def _style() -> str:
    light = ";".join(f"--{name}:{colours[0]}" for name, colours in COLOURS.items())
    dark = ";".join(f"--{name}:{colours[1]}" for name, colours in COLOURS.items())
    rules = [
        f":root{{{light}}}",
        f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}",
        "text{font:13px system-ui,sans-serif;fill:var(--ink)}",
        ".small{font-size:11px;fill:var(--faint)}",
        ".dash{stroke-dasharray:4 4}",
    ]
    for name in COLOURS:
        rules.append(f".{name}{{stroke:var(--{name})}}")
        rules.append(f".fill-{name}{{fill:var(--{name})}}")
    return "".join(rules)


class Drawing:
    """Shapes in the order in which they are drawn; lengths in pixels."""

    def __init__(self, width: int, height: int, title: str, description: str) -> None:
        self.width, self.height = width, height
        self._lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(description)}</desc>',
            f"<style>{_style()}</style>",
            f'<rect width="{width}" height="{height}" class="fill-paper"/>',
        ]

    def line(
        self, x: float, y: float, x2: float, y2: float, colour: str = "ink", style: str = ""
    ) -> None:
        """A straight line."""
        place = f'x1="{_n(x)}" y1="{_n(y)}" x2="{_n(x2)}" y2="{_n(y2)}"'
        self._lines.append(f'<line {place} class="{f"{colour} {style}".strip()}"/>')

    def path(self, points: list[tuple[float, float]], colour: str) -> None:
        """A line through points."""
        way = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._lines.append(
            f'<polyline points="{way}" class="{colour}" fill="none" stroke-width="2"/>'
        )

    def box(
        self, x: float, y: float, width: float, height: float, colour: str, opacity: float = 0.18
    ) -> None:
        """A filled box with an edge."""
        place = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="3"'
        self._lines.append(
            f'<rect {place} class="{colour} fill-{colour}" fill-opacity="{opacity}"/>'
        )

    def dot(self, x: float, y: float, colour: str = "ink") -> None:
        """A record."""
        self._lines.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="5" class="fill-{colour}"/>')

    def text(self, x: float, y: float, text: str, anchor: str = "start", style: str = "") -> None:
        """One line of text; ``y`` is its base. ``style`` is a colour or `small`."""
        kind = f' class="{style}"' if style == "small" else ""
        fill = f' style="fill:var(--{style})"' if style in COLOURS else ""
        place = f'x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"'
        self._lines.append(f"<text {place}{kind}{fill}>{escape(text)}</text>")

    def svg(self) -> str:
        """The file."""
        return "\n".join([*self._lines, "</svg>"]) + "\n"


class Axis:
    """Time from left to right."""

    def __init__(self, drawing: Drawing, left: float, unit: float, end: int) -> None:
        self._drawing, self._left, self._unit, self._end = drawing, left, unit, end

    def at(self, time: float) -> float:
        """Where a time is."""
        return self._left + time * self._unit

    def draw(self, y: float, step: int, caption: str, top: float) -> None:
        """The axis with a number, and a line up to ``top``, each so many units."""
        drawing = self._drawing
        for time in range(0, self._end + 1, step):
            drawing.line(self.at(time), top, self.at(time), y, "grid")
            drawing.text(self.at(time), y + 16, str(time), "middle", "small")
        drawing.line(self.at(0), y, self.at(self._end), y, "faint")
        drawing.text(self.at(self._end), y + 32, caption, "end", "small")


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
