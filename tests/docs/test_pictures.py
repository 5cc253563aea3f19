"""The pictures of docs/windows.md are what the processors put out now."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.docs.pictures.__main__ import FOLDER
from tests.docs.pictures.scenes import CARS, PICTURES, three_times
from tests.docs.pictures.svg import COLOURS

PAGE = Path(__file__).parents[2] / "docs" / "windows.md"
SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour):
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_up_to_date(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == PICTURES[name](), "run `make docs`"


def test_no_picture_is_left_over_and_the_page_shows_each_with_a_text():
    shown = dict(re.findall(r"!\[([^\]]{20,})\]\(windows/([\w-]+\.svg)\)", PAGE.read_text()))
    assert set(shown.values()) == set(PICTURES) == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_says_what_it_shows_and_stays_inside(name):
    drawing = ElementTree.parse(FOLDER / name).getroot()
    assert drawing.findtext(f"{SVG}title")
    assert drawing.findtext(f"{SVG}desc")
    width, height = (float(drawing.get(side)) for side in ("width", "height"))
    for text in drawing.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x")) <= width
        assert 0 <= float(text.get("y")) <= height


@pytest.mark.parametrize("name", [name for name in COLOURS if name not in ("paper", "grid")])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_light_and_on_dark_pages(name, scheme):
    page = ("light", "dark").index(scheme)
    assert contrast(COLOURS[name][page], COLOURS["paper"][page]) >= 4.5


def test_each_of_the_three_times_counts_all_cars():
    counts = [int(number) for number in re.findall(r'class="small">(\d+)</text>', three_times())]
    assert sum(counts) - sum(range(0, 29, 2)) == 3 * len(CARS)
