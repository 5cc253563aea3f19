"""Each format, well-formed, compressed and broken."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowengine.testing import ProcessorRunner
from processors.read_data_lake import ReadDataLake


def read(path: Path, **properties: Any) -> ProcessorRunner:
    """A runner that has read everything."""
    runner = ProcessorRunner(ReadDataLake, path=str(path), **properties)
    runner.run(100)
    assert runner.node.completed
    return runner


def one(folder: Path, name: str, content: str | bytes, **properties: Any) -> ProcessorRunner:
    """A runner that has read one file of this content."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read(folder, **properties)


def records(runner: ProcessorRunner) -> list[Any]:
    return [json.loads(runner.content(f)) for f in runner.transferred("success")]


def failures(runner: ProcessorRunner) -> list[tuple[str, str, bytes]]:
    """Line, reason and content of what failed."""
    return [
        (f.attributes["error.line"], f.attributes["error.reason"], runner.content(f))
        for f in runner.transferred("failure")
    ]


def zstd(data: bytes) -> bytes:
    import pyarrow

    return bytes(pyarrow.Codec("zstd").compress(data, asbytes=True))


# -- JSON ------------------------------------------------------------------------------------------


def test_a_json_object_over_many_lines_is_one_record_as_it_stands(tmp_path):
    text = '{\n  "n": 1,\n  "deep": [{}]\n}'
    with one(tmp_path, "a.json", text + "\n") as runner:
        assert [runner.content(f) for f in runner.transferred("success")] == [text.encode()]


@pytest.mark.parametrize(
    "text",
    [
        '[{"n": 0}, {"n": 1}, {"n": 2}]',
        ' [\n {"n": 0},\n {"n": 1}\n]\n[{"n": 2}] ',
        '{"n": 0}{"n": 1} {"n": 2}',
        '{"n": 0}\n{"n": 1}\n{"n": 2}\n',
        '\ufeff[{"n": 0},{"n": 1},{"n": 2}]',
        '[]\n{"n": 0}\n[{"n": 1},{"n": 2}]',
    ],
)
def test_a_json_file_may_hold_an_array_or_several_objects(tmp_path, text):
    with one(tmp_path, "a.json", text) as runner:
        assert records(runner) == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert [f.attributes["lake.row"] for f in runner.transferred("success")] == ["1", "2", "3"]


def test_an_array_longer_than_a_chunk_is_read_piece_by_piece(tmp_path):
    expected = [{"n": n, "pad": "é" * (n % 7000)} for n in range(200)]
    with one(tmp_path, "a.json", json.dumps(expected, ensure_ascii=False)) as runner:
        assert records(runner) == expected


def test_digits_beyond_64_bits_are_kept(tmp_path):
    text = '{"n": 123456789012345678901234567890.10}'
    with one(tmp_path, "a.json", text) as runner:
        assert runner.content(runner.transferred("success")[0]) == text.encode()


def test_a_broken_object_of_a_line_per_object_file_fails_alone(tmp_path):
    with one(tmp_path, "a.json", '{"n": 0}\n{"n": \n{"n": 2}\n') as runner:
        assert records(runner) == [{"n": 0}, {"n": 2}]
        assert failures(runner) == [
            ("2", "record must be a JSON object; got unexpected end of data at 5", b'{"n":')
        ]


def test_what_follows_damage_inside_an_array_fails_with_its_line(tmp_path):
    with one(tmp_path, "a.json", '[\n{"n": 0},\n{"n": oops},\n{"n": 2}]') as runner:
        assert records(runner) == [{"n": 0}]
        assert failures(runner) == [
            (
                "3",
                "record must be a JSON object; got Expecting value at 6",
                b'{"n": oops},\n{"n": 2}]',
            )
        ]


def test_an_array_that_does_not_end_keeps_its_records(tmp_path):
    with one(tmp_path, "a.json", '[{"n": 0}') as runner:
        assert records(runner) == [{"n": 0}]
        assert failures(runner)[0][1] == (
            "array must go on with ',' or end with ']'; got the end of the file"
        )


@pytest.mark.parametrize(
    ("element", "got"),
    [("1", "a number"), ('"x"', "a text"), ("null", "null"), ("[1]", "an array")],
)
def test_what_is_no_object_is_no_record(tmp_path, element, got):
    with one(tmp_path, "a.json", f'[{element}, {{"n": 1}}]') as runner:
        assert records(runner) == [{"n": 1}]
        assert failures(runner) == [
            ("1", f"record must be a JSON object; got {got}", element.encode())
        ]


def test_json_of_endless_depth_is_a_broken_file(tmp_path):
    with one(tmp_path, "a.json", "[{" + '"a":[{' * 100_000) as runner:
        assert failures(runner)[0][1] == "record must not be nested so deep; got too deep"


# -- NDJSON ----------------------------------------------------------------------------------------


def test_each_broken_line_fails_with_its_number_and_the_rest_flows(tmp_path):
    lines = b'{"n": 0}\nnot json\n\n{"n": 1}\n{"n": "\xff"}\n[1]\n{"n": 2}'
    with one(tmp_path, "a.ndjson", lines) as runner:
        assert records(runner) == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert failures(runner) == [
            (
                "2",
                "record must be a JSON object; got invalid literal, expected 'null' at 0",
                b"not json",
            ),
            (
                "5",
                "line must be utf-8; got byte 0xff at 7. Set the property 'encoding'",
                b'{"n": "\xff"}',
            ),
            ("6", "record must be a JSON object; got an array", b"[1]"),
        ]


def test_a_record_that_is_too_long_fails_and_the_rest_flows(tmp_path):
    long = json.dumps({"n": "x" * 5000})
    lines = f'{{"n": 0}}\n{long}\n{{"n": 1}}\n'
    with one(tmp_path, "a.ndjson", lines, maximum_record="1 KB") as runner:
        assert records(runner) == [{"n": 0}, {"n": 1}]
        assert failures(runner) == [
            (
                "2",
                "record must not be longer than 1024 bytes; got a longer line",
                long.encode()[:1025],
            )
        ]


def test_another_encoding_is_written_as_utf8(tmp_path):
    content = '{"n": "café"}'.encode("latin-1")
    with one(tmp_path, "a.ndjson", content, encoding="latin-1") as runner:
        assert records(runner) == [{"n": "café"}]


def test_a_byte_order_mark_is_passed_over(tmp_path):
    with one(tmp_path, "a.jsonl", '\ufeff{"n": 1}\r\n{"n": 2}\r\n') as runner:
        assert records(runner) == [{"n": 1}, {"n": 2}]


# -- CSV -------------------------------------------------------------------------------------------


def test_csv_rows_become_objects_of_texts(tmp_path):
    text = 'id,name\r\n1,"Ann, ""A"""\r\n\r\n2,"two\nlines"\r\n'
    with one(tmp_path, "a.csv", text) as runner:
        assert records(runner) == [
            {"id": "1", "name": 'Ann, "A"'},
            {"id": "2", "name": "two\nlines"},
        ]


def test_csv_columns_have_types_when_they_are_given(tmp_path):
    text = "i,f,b,t\n1,1.5,true,x\n,,,\nx,1,1,1\n"
    types = {"i": "integer", "f": "number", "b": "boolean"}
    with one(tmp_path, "a.csv", text, types=types, filter="i is None or i > 0") as runner:
        assert records(runner) == [
            {"i": 1, "f": 1.5, "b": True, "t": "x"},
            {"i": None, "f": None, "b": None, "t": ""},
        ]
        assert failures(runner) == [
            ("4", "column 'i' must be of type integer; got 'x'", b"x,1,1,1")
        ]


def test_broken_rows_of_csv_fail_with_line_and_text(tmp_path):
    text = b'a,b\n1,2\n1,2,3\n"x"y,1\n3,\xff\n5,6\n"open,7\n'
    with one(tmp_path, "a.csv", text) as runner:
        assert records(runner) == [{"a": "1", "b": "2"}, {"a": "5", "b": "6"}]
        assert [(line, reason) for line, reason, _ in failures(runner)] == [
            ("3", "row must have 2 fields; got 3"),
            ("4", "row must be CSV; got ',' expected after '\"'"),
            ("5", "line must be utf-8; got byte 0xff at 2. Set the property 'encoding'"),
            ("7", "row must be CSV; got unexpected end of data"),
        ]
        assert failures(runner)[3][2] == b'"open,7'


def test_a_quote_that_never_closes_costs_one_record_length_only(tmp_path):
    text = 'a\n"open\n' + "x\n" * 600 + "last\n"
    with one(tmp_path, "a.csv", text, maximum_record="1 KB") as runner:
        assert failures(runner)[0][:2] == (
            "2",
            "record must not be longer than 1024 bytes; got a longer one",
        )
        assert records(runner)[-1] == {"a": "last"}


def test_a_header_that_names_a_column_twice_is_a_broken_file(tmp_path):
    with one(tmp_path, "a.csv", "a,b,a\n1,2,3\n") as runner:
        assert failures(runner)[0][1] == "header must name each column once; got 'a' again"


def test_tabs_delimiters_and_headers_can_be_said(tmp_path):
    with one(tmp_path, "a.tsv", "a\tb\n1\t2\n") as runner:
        assert records(runner) == [{"a": "1", "b": "2"}]
    (tmp_path / "a.tsv").unlink()
    with one(tmp_path, "a.csv", "1;2\n", header=["x", "y"], delimiter=";") as runner:
        assert records(runner) == [{"x": "1", "y": "2"}]


def test_a_csv_file_with_only_a_header_has_no_records(tmp_path):
    with one(tmp_path, "a.csv", "a,b\n") as runner:
        assert records(runner) == []
        assert failures(runner) == []


# -- compression -----------------------------------------------------------------------------------

CODECS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}


@pytest.mark.parametrize("suffix", CODECS)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ndjson", '{"n": "0"}\n{"n": "1"}\n'),
        ("a.json", '[{"n": "0"}, {"n": "1"}]'),
        ("a.json", '{"n": "0"}\n{"n": "1"}\n'),
        ("a.csv", "n\n0\n1\n"),
    ],
)
def test_compressed_files_are_read_by_their_suffix(tmp_path, suffix, name, text):
    with one(tmp_path, f"{name}.{suffix}", CODECS[suffix](text.encode())) as runner:
        assert records(runner) == [{"n": "0"}, {"n": "1"}]


def test_a_file_of_several_compressed_members_is_read_to_its_end(tmp_path):
    for suffix, codec in CODECS.items():
        content = codec(b'{"n": 0}\n') + codec(b'{"n": 1}\n')
        (tmp_path / f"{suffix}.ndjson.{suffix}").write_bytes(content)
    with read(tmp_path) as runner:
        assert records(runner) == [{"n": 0}, {"n": 1}] * len(CODECS)


def test_compression_can_be_said(tmp_path):
    with one(
        tmp_path, "a.log", gzip.compress(b'{"n": 0}'), format="ndjson", compression="gzip"
    ) as r:
        assert records(r) == [{"n": 0}]


@pytest.mark.parametrize("suffix", CODECS)
def test_a_truncated_file_gives_what_can_be_read_and_a_failure(tmp_path, suffix):
    import random

    noise = random.Random(1)
    text = "".join(f'{{"n": {noise.random()}}}\n' for _ in range(100_000)).encode()
    whole = CODECS[suffix](text)
    (tmp_path / f"a.ndjson.{suffix}").write_bytes(whole[: len(whole) // 2])
    runner = ProcessorRunner(ReadDataLake, path=str(tmp_path), records_per_flowfile=100_000)
    with runner:
        runner.run(100)
        got = [runner.content(f) for f in runner.transferred("success")]
        assert text.startswith(b"".join(got))
        assert len(b"".join(got)) > 1000
        assert failures(runner)[-1][1].startswith("file must be readable to its end; got ")


def test_a_file_that_is_not_compressed_at_all_fails(tmp_path):
    with one(tmp_path, "a.ndjson.gz", b'{"n": 0}\n') as runner:
        assert failures(runner) == [
            ("0", "file must be readable to its end; got Not a gzipped file (b'{\"')", b"")
        ]


# -- output ----------------------------------------------------------------------------------------


def test_records_can_be_written_as_parquet(tmp_path):
    import io

    import pyarrow.parquet as pq

    text = "\n".join(json.dumps({"n": n, "s": str(n)}) for n in range(5))
    with one(tmp_path, "a.ndjson", text, records_per_flowfile=3, output="parquet") as runner:
        first, second = runner.transferred("success")
        assert first.attributes["mime.type"] == "application/vnd.apache.parquet"
        tables = [pq.read_table(io.BytesIO(runner.content(f))) for f in (first, second)]
        assert [t.to_pydict() for t in tables] == [
            {"n": [0, 1, 2], "s": ["0", "1", "2"]},
            {"n": [3, 4], "s": ["3", "4"]},
        ]


def test_records_without_common_types_cannot_become_parquet(tmp_path):
    text = '{"n": 1}\n{"n": "x"}\n'
    with one(tmp_path, "a.ndjson", text, records_per_flowfile=3, output="parquet") as runner:
        assert failures(runner)[0][1].startswith("records must have one type per column; got ")
        assert failures(runner)[0][2] == text.encode()
