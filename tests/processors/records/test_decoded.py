"""A record is read once and stays decoded along a chain; who asks for bytes gets its text."""

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowengine.arrow_content import ArrowContent
from flowengine.arrow_text import TextForm
from flowengine.content import INLINE_LIMIT, FileContent
from flowengine.definition.builder import Flow
from flowengine.processor import InputRequirement, Processor, ProcessorProperties, Relationship
from flowengine.testing import ProcessorRunner
from processors.log_attribute import LogAttribute
from processors.put_file import PutFile
from processors.records._core import processor as base
from processors.records._core.cache import RecordCache
from processors.records._core.reading import Reading, read_records
from processors.records._core.tables import Records
from processors.records._core.uniform import uniform_table
from processors.records._core.writing import RecordFormat, write_records
from processors.records.convert_record import ConvertRecord
from processors.records.merge_record import MergeRecord
from processors.records.put_data_lake import PutDataLake
from processors.records.query_record import QueryRecord
from processors.records.route_record import RouteRecord
from processors.records.split_record import SplitRecord
from processors.records.update_record import UpdateRecord
from processors.records.validate_record import ValidateRecord
from tests.flowengine.running import running, served, until

COUNT = 1000
ROWS = [{"n": n, "k": "ab"[n % 2], "price": n / 4} for n in range(COUNT)]


def ends(*names):
    return {"auto_terminate": ["failure", *names]}


def ndjson(rows):
    return b"\n".join(map(orjson.dumps, rows))


class Source(Processor):
    """One FlowFile with many records."""

    input = InputRequirement.FORBIDDEN
    success = Relationship("It.")

    class Properties(ProcessorProperties):
        count: int = COUNT

    def on_trigger(self, context, session):
        if not session.state.get("done"):
            rows = [ROWS[n % COUNT] for n in range(self.properties.count)]
            session.transfer(session.create(ndjson(rows)), "success")
            session.state["done"] = 1
        context.complete()


def chain(folder, count=COUNT):
    """source → update → validate → route → query → lake."""
    flow = Flow("chain")
    flow.add("source", Source, count=count)
    twice = {"fields": {"twice": "{{ n | int * 2 }}"}, "types": {"twice": "integer"}}
    flow.add("update", UpdateRecord, ends(), **twice)
    schema = {"required": ["twice"]}
    flow.add("validate", ValidateRecord, ends("invalid"), schema_definition=schema)
    flow.add("route", RouteRecord, ends("original", "unmatched"), routes={"a": "k == 'a'"})
    queries = {"out": "select n, twice from flowfile"}
    flow.add("query", QueryRecord, ends("original"), queries=queries)
    flow.add("lake", PutDataLake, ends("success"), directory=str(folder), format="ndjson")
    names = ("success", "success", "valid", "a", "out")
    steps = ("source", "update", "validate", "route", "query", "lake")
    for source, target, name in zip(steps, steps[1:], names, strict=False):
        flow.connect(source, name, target)
    return flow.load()


@pytest.fixture
def parsed(monkeypatch):
    """Contents that were parsed. The cache remembers nothing: only what is decoded helps."""
    seen = []

    def counting(content, kind, reading):
        seen.append((len(content), kind))
        return read_records(content, kind, reading)

    monkeypatch.setattr(base, "read_records", counting)
    monkeypatch.setattr(base, "CACHE", RecordCache(maximum=0, entries=0))
    return seen


@pytest.fixture
def written(monkeypatch):
    """Records that a processor turned into bytes."""
    seen = []

    def counting(records, kind, **options):
        seen.append(kind)
        return write_records(records, kind, **options)

    monkeypatch.setattr(base, "write_records", counting)
    return seen


def lake(folder):
    return [orjson.loads(line) for file in folder.iterdir() for line in file.read_bytes().split()]


@pytest.mark.parametrize("count", [COUNT, 40_000])
async def test_a_chain_of_record_processors_parses_once_and_writes_no_text(
    tmp_path, parsed, written, count
):
    async with running(tmp_path / "data", chain(tmp_path / "lake", count)) as engine:
        await until(engine, lambda: (tmp_path / "lake").exists() and not engine.assembly.queued)
    assert [kind for _, kind in parsed] == [RecordFormat.NDJSON]
    assert written == []
    expected = [{"n": n % COUNT, "twice": n % COUNT * 2} for n in range(0, count, 2)]
    assert lake(tmp_path / "lake") == expected


@pytest.mark.parametrize("held", ["validate", "route", "query", "lake"])
async def test_a_restart_in_the_middle_neither_changes_nor_parses_anything(tmp_path, parsed, held):
    flow = chain(tmp_path / "lake")
    async with running(tmp_path / "data", flow, stopped=(held,)) as engine:
        connection = next(c for c in engine.assembly.connections.values() if c.destination == held)
        await until(engine, lambda: connection.count)
    assert len(parsed) == 1
    async with running(tmp_path / "data", flow) as engine:
        await until(engine, lambda: (tmp_path / "lake").exists() and not engine.assembly.queued)
    assert len(parsed) == 1
    assert lake(tmp_path / "lake") == [{"n": n, "twice": n * 2} for n in range(0, COUNT, 2)]


async def test_a_viewer_of_the_queue_gets_the_text_whole_or_in_part(tmp_path):
    rows = [{**row, "twice": row["n"] * 2} for row in ROWS]
    flow = chain(tmp_path / "lake")
    async with served(tmp_path / "data", flow, stopped=("validate",)) as (engine, _, client):
        await until(engine, lambda: engine.assembly.connections["update-validate"].count)
        base = "/connections/update-validate/flowfiles"
        [listed] = (await client.get(base)).json()["flowfiles"]
        path = f"{base}/{listed['uuid']}/content"
        whole = await client.get(path)
        part = await client.get(path, headers={"Range": "bytes=2-9"})
    assert whole.content == ndjson(rows)
    assert (part.status_code, part.content) == (206, ndjson(rows)[2:10])
    assert part.headers["content-range"] == f"bytes 2-9/{len(ndjson(rows))}"
    assert listed["size"] != len(whole.content)


# -- one processor -----------------------------------------------------------------------------


def given_table(test, table, form, attributes=None):
    """Queue a decoded content."""
    maker = test.session()
    made = maker.create_table(table, form, attributes)
    test.repository.begin([], [])
    test.queue.put([made], made.size, files=isinstance(made.content, FileContent))
    test.repository.end()
    return made


TABLE = pa.table({"n": range(100), "k": ["a", "b"] * 50})
PLAIN = TextForm("ndjson", plain=True)


@pytest.mark.parametrize(
    ("cls", "properties", "relationship"),
    [
        (ConvertRecord, {"output_format": "csv"}, "success"),
        (UpdateRecord, {"fields": {"x": "1"}, "remove": ["k"]}, "success"),
        (UpdateRecord, {"fields": {"x.y": "1"}}, "success"),
        (RouteRecord, {"routes": {"out": "k == 'a'"}}, "out"),
        (QueryRecord, {"queries": {"out": "select sum(n) from flowfile"}}, "out"),
        (SplitRecord, {"records_per_split": 30}, "splits"),
        (ValidateRecord, {"schema_definition": {"properties": {"n": {"maximum": 60}}}}, "invalid"),
        (MergeRecord, {}, "merged"),
    ],
)
def test_each_processor_takes_and_gives_tables(parsed, written, cls, properties, relationship):
    with ProcessorRunner(cls, **properties) as test:
        given_table(test, TABLE, PLAIN)
        test.run()
        made = test.transferred(relationship)
        assert made
        contents = [flowfile.content for flowfile in made]
    kept = all(isinstance(content, ArrowContent) for content in contents)
    assert kept or cls in (SplitRecord, ValidateRecord)  # these make small ones: text is as quick
    assert parsed == []


def test_a_table_above_a_mebibyte_goes_from_file_to_file(parsed, written):
    table = pa.table({"n": range(300_000)})
    with ProcessorRunner(UpdateRecord, fields={"x": "y"}) as test:
        given_table(test, table, PLAIN)
        test.run()
        [made] = test.transferred("success")
        assert isinstance(made.content, FileContent)
        assert made.size > INLINE_LIMIT
        assert test.content(made).startswith(b'{"n":0,"x":"y"}\n{"n":1,"x":"y"}\n')
    assert (parsed, written) == ([], [])


def test_a_sink_gets_the_text(tmp_path):
    for table in (TABLE, pa.table({"n": range(300_000)})):
        with ProcessorRunner(PutFile, directory=str(tmp_path), filename=f"{len(table)}") as test:
            given_table(test, table, PLAIN)
            test.run()
            assert len(test.transferred("success")) == 1
        assert (tmp_path / f"{len(table)}").read_bytes() == ndjson(table.to_pylist())


def test_a_sink_that_wrote_it_before_a_crash_knows_its_own_work(tmp_path):
    for table, relationship in ((TABLE, "success"), (TABLE, "success"), (TABLE[1:], "failure")):
        with ProcessorRunner(PutFile, directory=str(tmp_path), filename="one") as test:
            given_table(test, table, PLAIN)
            test.run()
            assert len(test.transferred(relationship)) == 1


def test_a_log_of_the_content_shows_its_text():
    with ProcessorRunner(LogAttribute, log_payload=True, payload_limit="8 B") as test:
        given_table(test, TABLE, PLAIN)
        test.run()
        [line] = [b.message for b in test.bulletins if "more" in b.message]
        assert f'{{"n":0,"… ({len(ndjson(TABLE.to_pylist())) - 8} bytes more)' in line


def test_types_stay_along_the_chain():
    with ProcessorRunner(
        QueryRecord, queries={"out": "select t + interval 1 day t from flowfile"}
    ) as test:
        given_table(test, pa.table({"t": pa.array([0], pa.timestamp("us"))}), TextForm("json"))
        test.run()
        [made] = test.transferred("out")
        assert made.content.table.schema.field("t").type == pa.timestamp("us")
        assert test.content(made) == b'[{"t":"1970-01-02T00:00:00"}]'


def test_a_schema_of_the_reader_is_applied_to_the_text():
    schema = {"properties": {"n": {"type": "number"}, "t": {"type": "string", "format": "date"}}}
    table = pa.table({"n": [1], "t": ["2024-02-29"], "more": [True]})
    with ProcessorRunner(ConvertRecord, record_schema=schema, output_format="arrow") as test:
        given_table(test, table, PLAIN)
        test.run()
        [made] = test.transferred("success")
        assert made.content.table.schema.types == [pa.float64(), pa.date32()]


def test_another_format_that_is_asked_for_is_read_from_the_text():
    with ProcessorRunner(ConvertRecord, input_format="csv", output_format="json") as test:
        given_table(test, pa.table({"a": [1]}), TextForm("csv", ","))
        given_table(test, pa.table({"a": [1, 2]}), PLAIN)
        test.run()
        found = [orjson.loads(test.content(f)) for f in test.transferred("success")]
        assert found == [[{"a": 1}], [{'{"a":1}': '{"a":2}'}]]


def test_records_that_differ_stay_what_they_were():
    rows = [{"a": 1}, {"b": 2.0}, {"b": None, "a": "x"}] * 30
    with ProcessorRunner(UpdateRecord, fields={"c": "z"}) as test:
        test.enqueue(ndjson(rows))
        test.run()
        [made] = test.transferred("success")
        assert test.content(made) == ndjson([{**row, "c": "z"} for row in rows])


def test_merging_tables_with_other_fields_adds_no_nulls():
    other = pa.table({"z": range(100)})
    with ProcessorRunner(MergeRecord, minimum_records=200) as test:
        given_table(test, TABLE, PLAIN)
        given_table(test, other, PLAIN)
        test.run()
        [made] = test.transferred("merged")
        assert test.content(made) == ndjson([*TABLE.to_pylist(), *other.to_pylist()])


def test_a_parquet_file_of_broken_text_fails_where_it_is_read(tmp_path):
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]
    )
    pq.write_table(pa.table({"a": bad}), tmp_path / "bad")
    with ProcessorRunner(ConvertRecord, output_format="json") as test:
        test.enqueue((tmp_path / "bad").read_bytes())
        test.run()
        [failed] = test.transferred("failure")
        assert "content must be Parquet; got " in failed.attributes["error.message"]


# -- laws --------------------------------------------------------------------------------------

_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.lists(st.integers(0, 9) | st.none() | st.text(max_size=2), max_size=3),
    st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9) | st.none(), max_size=2),
)
_OBJECTS = st.lists(st.dictionaries(st.sampled_from("abc"), _VALUES), max_size=6)


@settings(max_examples=200, deadline=None)
@given(_OBJECTS)
def test_a_table_is_made_only_of_rows_that_it_gives_back_exactly(rows):
    table = uniform_table(rows)
    assert table is None or orjson.dumps(Records(table=table).rows) == orjson.dumps(rows)


_NAMES = st.lists(st.sampled_from(["a", "b", "cc"]), min_size=1, max_size=3, unique=True)
_TYPED = (st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
_TYPED = (
    *_TYPED,
    st.booleans(),
    st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1),
)


@st.composite
def uniform_rows(draw):
    names = draw(_NAMES)
    kinds = [draw(st.sampled_from(_TYPED)) for _ in names]
    return draw(
        st.lists(st.tuples(*kinds).map(lambda v: dict(zip(names, v, strict=True))), min_size=1)
    )


@settings(max_examples=60, deadline=None)
@given(uniform_rows(), st.sampled_from(["json", "ndjson", "avro", "parquet", "arrow"]))
def test_records_survive_each_format_there_and_back(rows, between):
    kind, text = RecordFormat(between), Records(rows, plain=True)
    there = write_records(text, kind)
    assert read_records(there, kind, Reading()).rows == rows
    again = read_records(there, kind, Reading())
    assert write_records(again, RecordFormat.NDJSON) == write_records(text, RecordFormat.NDJSON)


@settings(max_examples=60, deadline=None)
@given(uniform_rows())
def test_csv_gives_back_what_its_schema_says(rows):
    text, kind = Records(rows, plain=True), RecordFormat.CSV
    reading = Reading(schema=text.table.schema)
    assert read_records(write_records(text, kind), kind, reading).rows == rows
