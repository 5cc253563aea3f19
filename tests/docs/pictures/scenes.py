"""The pictures: records as dots, windows as boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.docs.pictures import runs
from tests.docs.pictures.svg import Axis, Drawing

WIDTH: Final = 760
LEFT: Final = 90
WINDOWS: Final = ("one", "two", "three")


def _records(drawing: Drawing, axis: Axis, times: list[int], y: float) -> None:
    drawing.text(12, y + 4, "records")
    for time in times:
        drawing.dot(axis.at(time), y)


def _listed(times: list[int]) -> str:
    return "{" + " ".join(map(str, times)) + "}"


def tumbling() -> str:
    """Each record in one window."""
    times, size, end = [1, 3, 9, 10, 14, 21, 27], 10, 30
    about = "Seven records and the three windows of 10 seconds that they fall into."
    drawing = Drawing(WIDTH, 190, "Tumbling windows", about)
    axis = Axis(drawing, LEFT, 21, end)
    axis.draw(140, 5, "event time, seconds", 20)
    _records(drawing, axis, times, 40)
    drawing.text(12, 94, "windows")
    for number, window in enumerate(runs.tumbling(times, size)):
        left, width = axis.at(window.start), axis.at(window.end) - axis.at(window.start)
        drawing.box(left + 1, 70, width - 2, 40, WINDOWS[number % 3])
        drawing.text(left + width / 2, 94, _listed(window.times), "middle")
    return drawing.svg()


def sliding() -> str:
    """Each record in several windows."""
    times, size, slide, end = [1, 3, 9, 10, 14, 21, 27], 10, 5, 40
    found = runs.sliding(times, size, slide)
    about = "The same records in windows of 10 seconds that begin every 5: each is in two."
    drawing = Drawing(WIDTH, 130 + 30 * len(found), "Sliding windows", about)
    axis = Axis(drawing, LEFT + 60, 14, end)
    axis.draw(80 + 30 * len(found), 5, "event time, seconds", 20)
    _records(drawing, axis, times, 40)
    drawing.text(12, 82, "windows")
    for number, window in enumerate(found):
        left, width = axis.at(window.start), axis.at(window.end) - axis.at(window.start)
        drawing.box(left + 1, 64 + 30 * number, width - 2, 26, WINDOWS[number % 2])
        drawing.text(left + width / 2, 82 + 30 * number, _listed(window.times), "middle")
    return drawing.svg()


def session() -> str:
    """Windows that the data make."""
    events = [(2, "ada"), (9, "ada"), (14, "bob"), (19, "ada"), (31, "ada"), (35, "ada")]
    events += [(22, "bob"), (24, "bob")]
    gap, end, lanes = 10, 50, {"ada": 70, "bob": 150}
    about = "A session ends 10 seconds after its last record; each user has their own."
    drawing = Drawing(WIDTH, 250, "Session windows", about)
    axis = Axis(drawing, LEFT, 12.5, end)
    axis.draw(200, 5, "event time, seconds", 20)
    for number, window in enumerate(runs.sessions(events, gap)):
        y, colour = lanes[window.key], WINDOWS[number % 3]
        first, last, until = map(axis.at, (window.first, window.last, window.end))
        drawing.box(first - 8, y - 22, last - first + 16, 44, colour)
        drawing.line(last + 8, y, until, y, colour, "dash")
        drawing.line(until, y - 12, until, y + 12, colour)
        drawing.text(first - 6, y - 28, f"{len(window.times)} records", style="small")
        drawing.text(until - 4, y - 8, "gap", "end", "small")
    for user, y in lanes.items():
        drawing.text(12, y + 4, user)
    for time, user in events:
        drawing.dot(axis.at(time), lanes[user])
    return drawing.svg()


def late() -> str:
    """A watermark, what it closes, and what comes after."""
    times, size, bound, end, step = [2, 6, 4, 12, 9, 17, 13, 23, 8, 26, 19, 36], 10, 5, 40, 28
    found = runs.arrivals(times, size, bound)
    bottom = 60 + step * len(found)
    about = (
        "Records from top to bottom as they arrive. The watermark follows the newest, 5 seconds "
        "behind; a window comes out when the watermark reaches its end."
    )
    drawing = Drawing(WIDTH, bottom + 50, "Watermark and late data", about)
    axis = Axis(drawing, LEFT, 12.5, end)
    axis.draw(bottom, 10, "event time, seconds", 44)
    drawing.text(12, 40, "arrival")
    drawing.text(axis.at(end) + 12, 40, "comes out")
    points: list[tuple[float, float]] = []
    for number, arrival in enumerate(found):
        y = 64 + step * number
        points += [(axis.at(max(arrival.watermark, 0)), y + d) for d in (0, step)]
        drawing.text(24, y + 4, str(number + 1), style="small")
        for window in arrival.closed:
            text = f"[{window.start},{window.end}) {_listed(window.times)}"
            drawing.line(axis.at(window.end), y, axis.at(end) + 8, y, "grid", "dash")
            drawing.text(axis.at(end) + 12, y + 4, text, style="three")
    drawing.path(points[:-1], "one")
    drawing.text(axis.at(0) + 6, 68 + 4 * step, "watermark", style="one")
    for number, arrival in enumerate(found):
        y = 64 + step * number
        drawing.dot(axis.at(arrival.time), y, "alarm" if arrival.late else "ink")
        if arrival.late:
            drawing.text(axis.at(arrival.time) - 10, y + 4, "late", "end", "alarm")
    return drawing.svg()


CARS: Final = [
    *[runs.Car(minute, minute, 24) for minute in (0, 1, 1)],
    *[runs.Car(minute, 12, 24) for minute in (2, 3, 3, 4, 6, 6, 6, 7, 9)],
    *[runs.Car(minute, minute, 24) for minute in (12, 14)],
]


def three_times() -> str:
    """One delivery, three answers."""
    end = 28
    about = (
        "Cars per minute: by when they passed; by when Kafka received them, most at once after "
        "ten minutes without a network; by when a consumer that was behind read them, all at once."
    )
    drawing = Drawing(WIDTH, 430, "Three kinds of time", about)
    axis = Axis(drawing, LEFT + 20, 22, end)
    colours = dict(zip(("event", "ingest", "processing"), WINDOWS, strict=True))
    axis.draw(380, 2, "minutes after nine", 20)
    for lane, (name, counts) in enumerate(runs.three_times(CARS).items()):
        base = 120 + 120 * lane
        drawing.text(12, base - 4, name)
        drawing.line(axis.at(0), base, axis.at(end), base, "faint")
        for minute, cars in counts.items():
            height = 6 * cars
            drawing.box(axis.at(minute) + 2, base - height, 18, height, colours[name], 0.5)
            drawing.text(axis.at(minute) + 11, base - height - 5, str(cars), "middle", "small")
    return drawing.svg()


PICTURES: Final[dict[str, Callable[[], str]]] = {
    "tumbling.svg": tumbling,
    "sliding.svg": sliding,
    "session.svg": session,
    "late.svg": late,
    "three-times.svg": three_times,
}
