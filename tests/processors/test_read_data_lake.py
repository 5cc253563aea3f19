"""ReadDataLake: what becomes of records, files and folders."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flowengine.errors import EnvironmentFault
from flowengine.flowfile import FlowFile
from flowengine.testing import ProcessorRunner, check_processor
from processors.read_data_lake import ReadDataLake
from processors.read_data_lake.storage import LocalStorage, Storage


def ndjson(*records: Mapping[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def numbers(count: int, first: int = 0) -> str:
    return ndjson(*({"n": n} for n in range(first, first + count)))


def read(path: Path | str, times: int = 50, **properties: Any) -> ProcessorRunner:
    """A runner that has read everything."""
    runner = ProcessorRunner(ReadDataLake, path=str(path), **properties)
    runner.run(times)
    return runner


def records(runner: ProcessorRunner) -> list[Any]:
    return [json.loads(runner.content(f)) for f in runner.transferred("success")]


def failures(runner: ProcessorRunner) -> list[tuple[str, str, bytes]]:
    """Line, reason and content of what failed."""
    return [
        (f.attributes["error.line"], f.attributes["error.reason"], runner.content(f))
        for f in runner.transferred("failure")
    ]


def only(runner: ProcessorRunner) -> FlowFile:
    [flowfile] = runner.transferred("success")
    return flowfile


def refusal(**properties: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        ReadDataLake.Properties.model_validate({"path": "x", **properties})
    return str(caught.value.errors()[0]["msg"])


def test_it_keeps_the_contract_of_every_processor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for country, name in (("NL", "Ann"), ("DE", "Uwe")):
        folder = tmp_path / f"data/lake/users/country={country}"
        folder.mkdir(parents=True)
        (folder / "a.ndjson").write_text(ndjson({"name": name, "age": 20, "street": "x"}))
    check_processor(ReadDataLake)
    with ProcessorRunner(ReadDataLake, **dict(ReadDataLake.examples[0].properties)) as runner:
        runner.run(3)
        assert records(runner) == [{"name": "Ann", "age": 20}]
        assert only(runner).attributes["name"] == "Ann"


def test_each_record_becomes_a_flowfile_with_its_place(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.ndjson").write_text('{"n": 0}\n\n{"n": 1}')
    with read(tmp_path) as runner:
        assert [runner.content(f) for f in runner.transferred("success")] == [
            b'{"n": 0}',
            b'{"n": 1}',
        ]
        assert runner.transferred("success")[1].attributes == {
            "filename": "a.ndjson",
            "path": "in/",
            "absolute.path": f"{tmp_path}/in/",
            "lake.file": f"{tmp_path}/in/a.ndjson",
            "lake.row": "2",
            "mime.type": "application/json",
        }
        assert runner.node.completed


def test_one_file_may_be_named(tmp_path):
    (tmp_path / "a.json").write_text('{"n": 1}')
    (tmp_path / "b.json").write_text('{"n": 2}')
    with read(tmp_path / "a.json") as runner:
        assert records(runner) == [{"n": 1}]
        assert only(runner).attributes["path"] == "./"


def test_a_pattern_chooses_files_in_order_of_their_paths(tmp_path):
    for name in ("b/2.json", "a/1.json", "a/3.csv", "a/.4.json", "_x/5.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"n": name}))
    with read(f"{tmp_path}/*/*.json") as runner:
        assert records(runner) == [{"n": "a/1.json"}, {"n": "b/2.json"}]
    with read(f"{tmp_path}/**/[12].json", order="path") as runner:
        assert len(records(runner)) == 2


def test_a_relative_path_starts_at_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text('{"n": 1}')
    with read(".") as runner:
        assert only(runner).attributes["lake.file"] == str(tmp_path / "a.json")


def test_folders_inside_are_left_out_when_asked(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.json").write_text("{}")
    (tmp_path / "b.json").write_text("{}")
    with read(tmp_path, recurse=False) as runner:
        assert only(runner).attributes["filename"] == "b.json"


def test_hidden_files_and_other_formats_of_a_folder_are_passed_over(tmp_path):
    for name in (".part.json", "_SUCCESS", "README.txt", "a.json"):
        (tmp_path / name).write_text('{"n": 1}')
    with read(tmp_path) as runner:
        assert only(runner).attributes["filename"] == "a.json"
        assert runner.transferred("failure") == []


def test_a_named_file_of_unknown_format_goes_to_failure(tmp_path):
    (tmp_path / "a.txt").write_text('{"n": 1}')
    with read(tmp_path / "a.txt") as runner:
        assert failures(runner)[0][1] == (
            "file must end with .json, .ndjson, .csv or .parquet, or 'format' be set"
        )
    with read(tmp_path / "a.txt", format="json") as runner:
        assert records(runner) == [{"n": 1}]


def test_files_may_be_read_in_order_of_time(tmp_path):
    for name, time in (("a", 300), ("b", 100), ("c", 200)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"n": name}))
        os.utime(tmp_path / f"{name}.json", (time, time))
    with read(tmp_path, order="time") as runner:
        assert records(runner) == [{"n": "b"}, {"n": "c"}, {"n": "a"}]


def test_a_missing_folder_is_a_fault_that_is_tried_again(tmp_path):
    with ProcessorRunner(ReadDataLake, path=str(tmp_path / "no")) as runner:
        with pytest.raises(EnvironmentFault) as caught:
            runner.trigger()
        assert str(caught.value) == (
            "processor 'processor' (ReadDataLake): property 'path' must name a folder, file or "
            f"pattern that exists; got {str(tmp_path / 'no')!r}, and there is no "
            f"{str(tmp_path / 'no')!r}. Create it or correct the path; it is looked for again"
        )
        (tmp_path / "no").mkdir()
        (tmp_path / "no/a.json").write_text('{"n": 1}')
        runner.run(3)
        assert records(runner) == [{"n": 1}]


def test_an_empty_folder_completes_and_says_so(tmp_path):
    with read(tmp_path) as runner:
        assert runner.node.completed
        assert [b.message for b in runner.bulletins] == [
            "processor 'processor' (ReadDataLake): property 'path' must lead to files to read; got "
            f"{str(tmp_path)!r} with no file. Check the path, or set 'format'"
        ]


def test_an_empty_file_is_said_and_counts_as_read(tmp_path):
    (tmp_path / "a.ndjson").write_text("")
    (tmp_path / "b.ndjson").write_text('{"n": 1}')
    with read(tmp_path) as runner:
        assert records(runner) == [{"n": 1}]
        assert [b.message for b in runner.bulletins] == [
            f"processor 'processor' (ReadDataLake): file {str(tmp_path / 'a.ndjson')!r} must hold "
            "records; got an empty file. It counts as read"
        ]


def test_a_file_that_cannot_be_opened_goes_to_failure_and_the_rest_flows(tmp_path):
    (tmp_path / "a.json").write_text('{"n": 1}')
    (tmp_path / "b.json").write_text('{"n": 2}')
    with ProcessorRunner(ReadsLocked, path=str(tmp_path)) as runner:
        runner.run(3)
        assert failures(runner) == [("0", "file must be readable; got Permission denied", b"")]
        assert records(runner) == [{"n": 2}]
        assert runner.bulletins[0].message == (
            f"processor 'processor' (ReadDataLake): file {str(tmp_path / 'a.json')!r}: file must "
            "be readable; got Permission denied. It went to 'failure'; the rest goes on"
        )


def test_columns_are_chosen_also_inside_objects_and_from_partitions(tmp_path):
    (tmp_path / "year=2026").mkdir()
    (tmp_path / "year=2026/a.json").write_text('{"n": 1, "address": {"city": "Delft"}, "x": 2}')
    with read(tmp_path, columns=["n", "address.city", "year", "none"]) as runner:
        assert records(runner) == [{"n": 1, "address.city": "Delft", "year": 2026, "none": None}]


def test_attributes_take_the_values_of_columns_as_text(tmp_path):
    record = {"s": "a", "i": 1, "b": True, "f": 1.5, "o": {"x": [1]}, "none": None}
    (tmp_path / "a.json").write_text(json.dumps(record))
    columns = {name: name for name in (*record, "missing")}
    with read(tmp_path, attributes={**columns, "deep": "o.x"}) as runner:
        attributes = only(runner).attributes
        assert [attributes.get(name) for name in (*columns, "deep")] == [
            *("a", "1", "true", "1.5", '{"x":[1]}', None, None, "[1]")
        ]


def test_partition_values_are_attributes_and_unquoted(tmp_path):
    folder = tmp_path / "country=N%20L/month=01/none=__HIVE_DEFAULT_PARTITION__"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{}")
    with read(tmp_path) as runner:
        attributes = only(runner).attributes
        found = {k: v for k, v in attributes.items() if k.startswith("partition")}
        assert found == {"partition.country": "N L", "partition.month": "01"}


def test_a_filter_on_partitions_opens_only_files_that_may_match(tmp_path):
    for year in (2025, 2026):
        (tmp_path / f"year={year}").mkdir()
        (tmp_path / f"year={year}/a.ndjson").write_text(numbers(3) if year == 2026 else "broken")
    with read(tmp_path, filter="year == 2026 and n >= 1") as runner:
        assert records(runner) == [{"n": 1}, {"n": 2}]
        assert runner.transferred("failure") == []


def test_a_record_that_the_filter_cannot_compare_goes_to_failure(tmp_path):
    (tmp_path / "a.ndjson").write_text('{"n": "x"}\n{"n": 5}\n{"m": 5}\n')
    with read(tmp_path, filter="n > 1") as runner:
        assert records(runner) == [{"n": 5}]
        assert failures(runner) == [
            ("1", "column 'n' must be comparable with 1; got 'x'", b'{"n": "x"}')
        ]


def test_several_records_share_a_flowfile_but_never_those_of_two_files(tmp_path):
    (tmp_path / "a.ndjson").write_text(numbers(5))
    (tmp_path / "b.json").write_text('[{"n":\n5}, {"n": 6}]')
    with read(tmp_path, records_per_flowfile=3) as runner:
        assert [runner.content(f) for f in runner.transferred("success")] == [
            b'{"n": 0}\n{"n": 1}\n{"n": 2}\n',
            b'{"n": 3}\n{"n": 4}\n',
            b'{"n": 5}\n{"n": 6}\n',
        ]
        attributes = [f.attributes for f in runner.transferred("success")]
        assert [(a["lake.row"], a["record.count"]) for a in attributes] == [
            *(("1", "3"), ("4", "2"), ("1", "2"))
        ]
        assert attributes[0]["mime.type"] == "application/x-ndjson"


def test_a_trigger_is_bounded_by_the_batch_size(tmp_path):
    (tmp_path / "a.ndjson").write_text(numbers(600))
    with read(tmp_path, times=1) as runner:
        assert len(runner.transferred("success")) == 256
        runner.run(9)
        assert records(runner) == [{"n": n} for n in range(600)]


def test_a_trigger_is_bounded_by_its_bytes(tmp_path):
    (tmp_path / "a.ndjson").write_text(ndjson(*[{"n": "x" * (1 << 20)}] * 20))
    with read(tmp_path, times=1) as runner:
        assert len(runner.transferred("success")) == 16


def test_properties_that_do_not_fit_are_refused():
    assert refusal(attributes={"a": "b"}, records_per_flowfile=2) == (
        "must be 1 with attributes from columns; got 2"
    )
    assert refusal(path="http://x/y") == (
        "must start with s3://, gs://, az:// or be local; got 'http://x/y'"
    )
    assert refusal(encoding="utf-16") == (
        "must be an encoding that extends ASCII, such as 'latin-1'; got 'utf-16'"
    )
    assert refusal(time_zone="Mars") == (
        "must be a time zone such as 'Europe/Amsterdam'; got 'Mars'"
    )


def test_local_text_files_do_not_import_pyarrow(tmp_path):
    (tmp_path / "a.ndjson").write_text(numbers(2))
    code = (
        "import sys\n"
        "from flowengine.testing import ProcessorRunner\n"
        "from processors.read_data_lake import ReadDataLake\n"
        f"with ProcessorRunner(ReadDataLake, path={str(tmp_path)!r}) as runner:\n"
        "    runner.run(3)\n"
        "    assert len(runner.transferred('success')) == 2\n"
        "assert 'pyarrow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Locked(LocalStorage):
    """A local storage where one may not read ``a.json``, also as root."""

    def open(self, path: str) -> Any:
        if path.endswith("a.json"):
            raise PermissionError(13, "Permission denied", path)
        return super().open(path)


class ReadsLocked(ReadDataLake):
    """Reads from such a storage."""

    def _connect(self) -> Storage:
        return Locked(self.properties.path)
