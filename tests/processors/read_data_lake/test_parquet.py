"""Parquet: columns and rows are chosen before they are read."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flowengine.testing import ProcessorRunner
from processors.read_data_lake import ReadDataLake
from processors.read_data_lake.filters import RowFilter
from processors.read_data_lake.parquet import ParquetReader
from processors.read_data_lake.records import START


def read(path: Path, **properties: Any) -> ProcessorRunner:
    runner = ProcessorRunner(ReadDataLake, path=str(path), **properties)
    runner.run(100)
    return runner


def records(runner: ProcessorRunner) -> list[Any]:
    return [json.loads(runner.content(f)) for f in runner.transferred("success")]


def table(path: Path, groups: int = 10, **columns: list[Any]) -> None:
    pq.write_table(pa.table(columns), path, row_group_size=groups)


def test_only_the_needed_columns_and_row_groups_are_read(tmp_path):
    table(tmp_path / "a.parquet", n=list(range(100)), s=["x"] * 100, unused=[0] * 100)
    chosen = RowFilter("n >= 42 and n < 51")
    with (tmp_path / "a.parquet").open("rb") as file:
        assert file.readable()
    reader = ParquetReader(
        pa.fs.LocalFileSystem(), str(tmp_path / "a.parquet"), START, ["s"], chosen, {}
    )
    assert reader._columns == ["s", "n"]
    assert reader._groups() == {4, 5}
    assert [record.row for record in reader] == list(range(43, 52))
    reader.close()


def test_rows_keep_their_numbers_and_chosen_columns(tmp_path):
    table(tmp_path / "a.parquet", n=list(range(30)), s=[str(n) for n in range(30)])
    with read(tmp_path, filter="n in (3, 25)", columns=["s"], attributes={"k": "n"}) as runner:
        assert records(runner) == [{"s": "3"}, {"s": "25"}]
        attributes = [f.attributes for f in runner.transferred("success")]
        assert [(a["lake.row"], a["k"]) for a in attributes] == [("4", "3"), ("26", "25")]


def test_filters_reach_into_structs_times_and_partitions(tmp_path):
    folder = tmp_path / "country=NL"
    folder.mkdir()
    times = [dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3)]
    places = [{"city": c} for c in ("Delft", "Gent", "Delft")]
    table(folder / "a.parquet", t=times, place=places)
    text = "t >= '2026-01-02T00:00:00Z' and place.city == 'Delft' and country == 'NL'"
    with read(tmp_path, filter=text) as runner:
        assert records(runner) == [{"t": "2026-01-03T00:00:00Z", "place": {"city": "Delft"}}]


def test_a_column_that_the_file_does_not_have_is_missing(tmp_path):
    table(tmp_path / "a.parquet", n=[1, 2])
    with read(tmp_path, filter="other is None and not n == 2", columns=["n", "x"]) as runner:
        assert records(runner) == [{"n": 1, "x": None}]
    with read(tmp_path, filter="other > 1 or n == 1") as runner:
        assert records(runner) == [{"n": 1}]


def test_values_without_a_json_type_become_text(tmp_path):
    table(
        tmp_path / "a.parquet",
        d=[Decimal("1.50")],
        b=[b"\x00\xff"],
        day=[dt.date(2026, 1, 2)],
        x=[dt.timedelta(seconds=1.5)],
        none=[None],
    )
    with read(tmp_path, attributes={"d": "d", "day": "day"}) as runner:
        assert records(runner) == [
            {"d": "1.50", "b": "AP8=", "day": "2026-01-02", "x": 1.5, "none": None}
        ]
        attributes = runner.transferred("success")[0].attributes
        assert (attributes["d"], attributes["day"]) == ("1.50", "2026-01-02")


def test_times_of_columns_are_event_times(tmp_path):
    table(tmp_path / "a.parquet", t=[dt.datetime(2026, 1, 1)])
    with read(tmp_path, event_time="t") as runner:
        assert runner.transferred("success")[0].event_time == 1_767_225_600_000_000


def test_parquet_written_again_keeps_its_types(tmp_path):
    import io

    table(tmp_path / "a.parquet", n=pa.array([1, 2, 3], pa.int16()), s=pa.array(["a"] * 3))
    with read(tmp_path, records_per_flowfile=2, output="parquet") as runner:
        first = runner.transferred("success")[0]
        assert pq.read_schema(io.BytesIO(runner.content(first))).field("n").type == pa.int16()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "file must be Parquet; got an empty file"),
        (b"PAR1 no, not at all PAR1", "Parquet file must be readable; got "),
    ],
)
def test_a_broken_file_fails_and_the_next_one_is_read(tmp_path, content, reason):
    (tmp_path / "a.parquet").write_bytes(content)
    table(tmp_path / "b.parquet", n=[1])
    with read(tmp_path) as runner:
        [failed] = runner.transferred("failure")
        assert failed.attributes["error.reason"].startswith(reason)
        assert failed.attributes["filename"] == "a.parquet"
        assert records(runner) == [{"n": 1}]


def test_a_damaged_page_fails_the_rest_of_the_file(tmp_path):
    path = tmp_path / "a.parquet"
    table(path, groups=1000, n=list(range(5000)))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = b"\xff" * 400
    path.write_bytes(content)
    with read(tmp_path) as runner:
        [failed] = runner.transferred("failure")
        assert failed.attributes["error.reason"].startswith("Parquet rows must be readable; got ")
        assert runner.node.completed


def test_a_filter_of_the_wrong_type_fails_the_file_with_the_reason(tmp_path):
    table(tmp_path / "a.parquet", n=["x"])
    with read(tmp_path, filter="n > 5") as runner:
        [failed] = runner.transferred("failure")
        assert failed.attributes["error.reason"].startswith("Parquet rows must be readable; got ")
