from processors.records._core.cache import RecordCache
from processors.records._core.formats import RecordFormat
from processors.records._core.reading import Reading
from processors.records._core.tables import Records

JSON, CSV = RecordFormat.JSON, RecordFormat.CSV


def content(size):
    return bytes(bytearray(size))


def test_only_the_very_same_content_is_known():
    cache, one, equal = RecordCache(), content(10), content(10)
    records = Records([])
    cache.put(one, JSON, Reading(), records)
    assert cache.get(one, JSON, Reading()) is records
    assert cache.get(equal, JSON, Reading()) is None


def test_another_way_of_reading_is_another_entry():
    cache, one = RecordCache(), content(10)
    cache.put(one, CSV, Reading(), Records([]))
    assert cache.get(one, CSV, Reading(delimiter=";")) is None
    assert cache.get(one, JSON, Reading()) is None


def test_it_is_bounded_in_bytes_and_entries():
    cache, many = RecordCache(maximum=100, entries=3), [content(30) for _ in range(9)]
    for one in many:
        cache.put(one, JSON, Reading(), Records([]))
    assert [cache.get(one, JSON, Reading()) is not None for one in many] == [False] * 6 + [True] * 3


def test_the_one_that_was_used_stays():
    cache, many = RecordCache(entries=2), [content(30) for _ in range(3)]
    cache.put(many[0], JSON, Reading(), Records([]))
    cache.put(many[1], JSON, Reading(), Records([]))
    cache.get(many[0], JSON, Reading())
    cache.put(many[2], JSON, Reading(), Records([]))
    assert [cache.get(one, JSON, Reading()) is not None for one in many] == [True, False, True]


def test_what_is_too_large_is_not_kept():
    cache, one = RecordCache(maximum=100), content(51)
    cache.put(one, JSON, Reading(), Records([]))
    assert len(cache) == 0
