"""The layout: nothing overlaps, everything goes to the right."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from flowengine.flowdoc.layers import GAP_X, place

NAMES = st.integers(0, 9).map(str)
SIZES = st.dictionaries(NAMES, st.tuples(st.floats(10, 300), st.floats(10, 200)), max_size=10)
EDGES = st.lists(st.tuples(NAMES, NAMES), max_size=25)


def corners(name, sizes, placed):
    (x, y), (width, height) = placed.centres[name], sizes[name]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


@given(SIZES, EDGES)
def test_no_two_boxes_overlap_and_all_are_on_the_canvas(sizes, edges):
    placed = place(sizes, edges)
    boxes = [corners(name, sizes, placed) for name in sizes]
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart
    for left, top, right, bottom in boxes:
        assert left >= -0.01
        assert top >= -0.01
        assert right <= placed.width + 0.01
        assert bottom <= placed.height + 0.01


@given(SIZES, st.lists(st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] < pair[1]), max_size=25))
def test_edges_of_a_graph_without_cycles_go_to_the_right(sizes, edges):
    placed = place(sizes, edges)
    for (source, target), path in placed.paths.items():
        assert corners(source, sizes, placed)[2] < corners(target, sizes, placed)[0]
        assert [x for x, _ in path] == sorted(x for x, _ in path)


@given(SIZES, EDGES)
def test_every_edge_between_boxes_is_drawn_once_even_in_a_cycle(sizes, edges):
    placed = place(sizes, edges)
    assert set(placed.paths) == {edge for edge in edges if set(edge) <= set(sizes)}


def test_a_chain_stands_in_a_row():
    sizes = dict.fromkeys("abc", (100.0, 50.0))
    placed = place(sizes, [("a", "b"), ("b", "c")])
    assert {y for _, y in placed.centres.values()} == {25.0}
    assert placed.centres["b"][0] - placed.centres["a"][0] == 100 + GAP_X


def test_an_edge_that_skips_a_layer_passes_beside_the_box_there():
    sizes = dict.fromkeys("abc", (100.0, 50.0))
    placed = place(sizes, [("a", "b"), ("b", "c"), ("a", "c")])
    _, (x, y), _ = placed.paths["a", "c"]
    assert x == placed.centres["b"][0]
    assert abs(y - placed.centres["b"][1]) > 25


def test_nothing_needs_no_canvas():
    placed = place({}, [])
    assert (placed.width, placed.height) == (0.0, 0.0)
