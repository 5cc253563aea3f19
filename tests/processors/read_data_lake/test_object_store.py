"""Object stores: a real S3 server on loopback (moto's)."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from flowengine.errors import EnvironmentFault, YieldError
from flowengine.testing import ProcessorRunner
from processors.read_data_lake import ReadDataLake
from processors.read_data_lake.storage import _pattern

KEYS: dict[str, Any] = {"access_key": "test", "secret_key": "hidden", "region": "us-east-1"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server: str) -> Iterator[Any]:
    s3 = boto3.resource(
        "s3",
        endpoint_url=server,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="hidden",
    )
    bucket = s3.create_bucket(Bucket="lake")
    yield bucket
    bucket.objects.all().delete()
    bucket.delete()
    s3.meta.client.close()


def read(server: str, path: str, times: int = 20, **properties: Any) -> ProcessorRunner:
    runner = ProcessorRunner(ReadDataLake, path=path, endpoint=server, **KEYS, **properties)
    runner.run(times)
    return runner


def records(runner: ProcessorRunner) -> list[Any]:
    return [json.loads(runner.content(f)) for f in runner.transferred("success")]


def lines(count: int) -> bytes:
    return b"".join(b'{"n": %d}\n' % n for n in range(count))


def test_objects_under_a_prefix_are_read_with_their_partitions(server, bucket):
    bucket.put_object(Key="users/country=NL/a.ndjson", Body=lines(2))
    bucket.put_object(Key="users/country=DE/b.ndjson", Body=b"broken")
    bucket.put_object(Key="users/_SUCCESS", Body=b"")
    with read(server, "s3://lake/users", filter="country == 'NL'") as runner:
        assert records(runner) == [{"n": 0}, {"n": 1}]
        assert runner.transferred("success")[0].attributes == {
            "filename": "a.ndjson",
            "path": "country=NL/",
            "absolute.path": "s3://lake/users/country=NL/",
            "lake.file": "s3://lake/users/country=NL/a.ndjson",
            "lake.row": "1",
            "partition.country": "NL",
            "mime.type": "application/json",
        }
        assert runner.node.completed


def test_a_pattern_and_the_endpoint_of_the_environment(server, bucket, monkeypatch):
    for key in ("in/a/1.json", "in/b/2.json", "in/b/c/3.json", "other/4.json"):
        bucket.put_object(Key=key, Body=json.dumps({"k": key}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    runner = ProcessorRunner(ReadDataLake, path="s3://lake/in/*/*.json", **KEYS)
    with runner:
        runner.run(5)
        assert records(runner) == [{"k": "in/a/1.json"}, {"k": "in/b/2.json"}]


def test_reading_goes_on_in_the_middle_of_an_object(server, bucket):
    bucket.put_object(Key="a.ndjson", Body=lines(700))
    with read(server, "s3://lake/a.ndjson", times=1) as runner:
        for _ in range(4):
            runner.restart()
            runner.run()
        assert records(runner) == [{"n": n} for n in range(700)]


def test_parquet_and_compressed_objects(server, bucket):
    import gzip

    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"n": [5, 6], "x": [0, 0]}), sink)
    bucket.put_object(Key="a.parquet", Body=sink.getvalue().to_pybytes())
    bucket.put_object(Key="b.ndjson.gz", Body=gzip.compress(lines(1)))
    with read(server, "s3://lake", columns=["n"], filter="n != 5") as runner:
        assert records(runner) == [{"n": 6}, {"n": 0}]


def test_objects_are_deleted_when_asked(server, bucket):
    bucket.put_object(Key="a.ndjson", Body=lines(1))
    with read(server, "s3://lake", delete_after=True) as runner:
        runner.clear()  # in memory, what left the flow is as durable as it gets
        runner.clock.advance(1_000_000)
        runner.run(5)
        assert runner.node.completed
        assert list(bucket.objects.all()) == []


def test_new_objects_are_seen(server, bucket):
    bucket.put_object(Key="a.ndjson", Body=lines(1))
    with read(server, "s3://lake", mode="watch") as runner:
        bucket.put_object(Key="b.ndjson", Body=b'{"n": 7}')
        runner.clock.advance(5_000_000)
        runner.run(5)
        assert records(runner) == [{"n": 0}, {"n": 7}]


def test_a_missing_bucket_is_a_fault(server, bucket):
    with (
        ProcessorRunner(ReadDataLake, path="s3://none/x", endpoint=server, **KEYS) as runner,
        pytest.raises(EnvironmentFault) as caught,
    ):
        runner.trigger()
    assert str(caught.value) == (
        "processor 'processor' (ReadDataLake): property 'path' must name a folder, file or pattern "
        "that exists; got 's3://none/x', and there is no 's3://none/x'. Create it or correct the "
        "path; it is looked for again"
    )


@pytest.mark.timeout(60)
def test_a_server_that_does_not_answer_is_waited_for_without_naming_the_secret():
    with (
        ProcessorRunner(
            ReadDataLake, path="s3://lake/x", endpoint="http://127.0.0.1:9", **KEYS
        ) as runner,
        pytest.raises(YieldError) as caught,
    ):
        runner.trigger()
    assert str(caught.value).startswith(
        "processor 'processor' (ReadDataLake): property 'path' must be reachable; got "
        "'s3://lake/x': "
    )
    assert str(caught.value).endswith(
        ". Check network, endpoint and credentials; it is tried again"
    )
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("b/*.json", "b/a.json", True),
        ("b/*.json", "b/c/a.json", False),
        ("b/**/*.json", "b/a.json", True),
        ("b/**/*.json", "b/c/d/a.json", True),
        ("b/**", "b/c/d", True),
        ("b/[ab]?.csv", "b/ax.csv", True),
        ("b/a?c", "b/a/c", False),
        ("b/a.c", "b/axc", False),
    ],
)
def test_patterns_stay_within_one_folder(pattern, path, fits):
    import re

    assert bool(re.fullmatch(_pattern(pattern), path)) is fits
