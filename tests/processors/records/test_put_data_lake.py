import os

import duckdb
import pytest

from flowengine.testing import ProcessorRunner, check_processor
from processors.records.put_data_lake import PutDataLake

ROWS = b'[{"id":1,"c":"NL","d":"x"},{"id":2,"c":"a/../b","d":"y"},{"id":3,"c":null,"d":"x"}]'


@pytest.fixture
def lake(tmp_path):
    return str(tmp_path / "lake")


def files(lake):
    found = [os.path.join(folder, n) for folder, _, names in os.walk(lake) for n in names]
    return sorted(os.path.relpath(path, lake) for path in found)


def put(lake, content=ROWS, *, attributes=None, times=1, **properties):
    with ProcessorRunner(PutDataLake, directory=lake, **properties) as test:
        flowfile = test.enqueue(content, attributes)
        for _ in range(times):
            test.run()
            test.queue.put([flowfile], flowfile.size)
        failed = test.transferred("failure")
        return failed[0].attributes if failed else test.transferred("success")[0].attributes


def test_it_keeps_the_contract_of_processors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_processor(PutDataLake)


def test_partitions_are_folders_whose_names_are_safe(lake):
    facts = put(lake, partition_by=["c", "d"], format="ndjson", filename="f")
    assert files(lake) == [
        "c=NL/d=x/f-0.ndjson",
        "c=__HIVE_DEFAULT_PARTITION__/d=x/f-0.ndjson",
        "c=a%2F..%2Fb/d=y/f-0.ndjson",
    ]
    assert (facts["lake.files"], facts["record.count"]) == ("3", "3")


def test_duckdb_reads_the_lake_with_its_partitions(lake):
    put(lake, partition_by=["c"])
    sql = f"select id, c, d from read_parquet('{lake}/*/*.parquet', hive_partitioning=true)"
    assert sorted(duckdb.connect().execute(sql).fetchall()) == [
        (1, "NL", "x"),
        (2, "a/../b", "y"),
        (3, None, "x"),
    ]


def test_a_flowfile_that_comes_again_writes_the_same_files(lake):
    put(lake, times=3, records_per_file=2)
    assert len(files(lake)) == 2
    sql = f"select count(*), sum(id) from read_parquet('{lake}/*.parquet')"
    assert duckdb.connect().execute(sql).fetchone() == (3, 6)


@pytest.mark.parametrize(
    ("limit", "count"), [({"records_per_file": 2}, 2), ({"file_size": "30 B"}, 3)]
)
def test_files_are_cut_by_records_and_by_size(lake, limit, count):
    put(lake, **limit)
    assert len(files(lake)) == count


def test_no_half_file_is_left_when_a_folder_cannot_be_written(lake, tmp_path):
    (tmp_path / "lake").write_text("in the way")
    failed = put(lake)
    assert failed["error.message"].startswith(
        f"processor 'processor' (PutDataLake): lake {lake!r} must be writable; got "
    )
    assert failed["error.message"].endswith(" Check room and permissions")


def test_a_name_may_not_leave_the_folder(lake):
    put(lake, format="ndjson", filename="{{ filename }}", attributes={"filename": "a/../../b"})
    assert files(lake) == ["a%2F..%2F..%2Fb-0.ndjson"]


def test_a_hidden_name_is_refused(lake):
    failed = put(lake, filename="{{ filename }}", attributes={"filename": ".."})
    assert failed["error.message"] == (
        "processor 'processor' (PutDataLake): property 'filename' must give a name that does not "
        "start with a dot; got '..'"
    )


def test_a_broken_flowfile_leaves_no_file(lake):
    assert put(lake, b"{")["error.line"] == "1"
    assert files(lake) == []
