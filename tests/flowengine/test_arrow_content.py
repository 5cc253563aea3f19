"""Decoded contents: tables on their way through the engine, text for who asks (E16)."""

import io
import os
import subprocess
import sys

import orjson
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowengine.arrow_content import ArrowContent, TextStream, in_memory, stream_size
from flowengine.arrow_text import RecordError, TextForm, check, chunks
from flowengine.content import INLINE_LIMIT, ContentStore, FileContent
from flowengine.errors import RepositoryError
from flowengine.flowfile import FlowFile
from flowengine.provenance.store import Event, ProvenanceStore, Query
from flowengine.repository.store import _decode_flowfiles, _encode
from tests.flowengine.repository.kit import closed, crashed, rig_on, run

NDJSON = TextForm("ndjson")
SMALL = pa.table({"id": [1, 2], "name": ["Ada", None]})
SMALL_TEXT = b'{"id":1,"name":"Ada"}\n{"id":2,"name":null}'
LARGE = pa.table({"id": range(200_000)})


def text(table, form):
    return b"".join(chunks(table, form))


def stream(table):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.fixture
def rig(tmp_path):
    made = rig_on(tmp_path)
    yield made
    crashed(made)


def queued(rig, table, form=NDJSON):
    session = rig.session("source")
    made = session.create_table(table, form, {"a": "b"})
    session.transfer(made, "success")
    session.commit()
    return made


# -- size, text --------------------------------------------------------------------------------


def test_its_size_is_that_of_its_arrow_stream(rig):
    made = queued(rig, SMALL)
    assert made.size == len(made.content) == len(stream(SMALL))
    assert isinstance(made.content, ArrowContent)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (NDJSON, SMALL_TEXT),
        (TextForm("json"), b'[{"id":1,"name":"Ada"},{"id":2,"name":null}]'),
        (TextForm("csv"), b'id,name\n1,"Ada"\n2,\n'),
        (TextForm("csv", ";"), b'id;name\n1;"Ada"\n2;\n'),
        (TextForm("arrow"), stream(SMALL)),
    ],
)
def test_who_reads_or_opens_it_gets_its_text(tmp_path, form, expected):
    store, content = ContentStore(tmp_path), in_memory(SMALL, form, stream_size(SMALL))
    assert store.read(content) == expected
    with store.open(content) as opened:
        assert opened.read() == expected


def test_a_text_of_many_pieces_is_the_text_of_the_whole():
    table = pa.table({"n": range(25_000)})
    rows = table.to_pylist()
    assert text(table, NDJSON) == b"\n".join(map(orjson.dumps, rows))
    assert text(table, TextForm("json")) == orjson.dumps(rows)
    assert (
        text(table, TextForm("csv"))
        == "".join(["n\n", *(f"{n}\n" for n in range(25_000))]).encode()
    )


def test_a_value_without_a_text_is_found_when_the_content_is_made():
    table = pa.table({"n": pa.array([1, 10**30], pa.decimal128(38, 0))})
    with pytest.raises(RecordError, match="record 2: must have values of JSON"):
        check(table, NDJSON)
    check(table, TextForm("arrow"))


def test_a_time_that_python_cannot_hold_is_found_too():
    table = pa.table({"t": pa.array([2**62], pa.timestamp("us"))})
    with pytest.raises(RecordError, match="must have values that have a text; got "):
        check(table, NDJSON)


# -- memory and files --------------------------------------------------------------------------


def test_above_a_mebibyte_the_stream_lies_in_a_file_and_is_mapped(rig):
    made = queued(rig, LARGE)
    assert isinstance(made.content, FileContent)
    file = rig.core.contents.path(made.content)
    assert file.stat().st_size == made.size == stream_size(LARGE) > INLINE_LIMIT
    before = pa.total_allocated_bytes()
    table = rig.session("fork").read_table(made)
    assert pa.total_allocated_bytes() - before < made.size // 10
    assert table.equals(LARGE)


def test_the_text_of_a_file_can_be_sought_in_after_the_file_is_unlinked(rig):
    made = queued(rig, LARGE)
    opened = rig.core.contents.open(made.content)
    os.unlink(rig.core.contents.path(made.content))
    whole = text(LARGE, NDJSON)
    assert isinstance(opened, TextStream)
    assert opened.seek(0, io.SEEK_END) == len(whole)
    assert opened.seek(-10, io.SEEK_END) == opened.tell() == len(whole) - 10
    assert opened.read() == whole[-10:]
    opened.close()


def test_a_damaged_file_is_named_with_the_remedy(tmp_path):
    store, content = ContentStore(tmp_path), FileContent("bad", 3, NDJSON)
    (tmp_path / "bad").write_bytes(b"bad")
    with pytest.raises(RepositoryError, match=r"content file '.*bad' must hold a readable Arrow"):
        store.table(content)


def test_a_slice_does_not_keep_the_whole_table_in_memory():
    part = LARGE.slice(1000, 10)
    content = in_memory(part, NDJSON, stream_size(part))
    assert content.table.equals(part)
    assert content.table.get_total_buffer_size() < 10_000


def test_a_roll_back_leaves_no_file(rig):
    session = rig.session("source")
    session.transfer(session.create_table(LARGE, NDJSON), "success")
    assert len(rig.core.contents.names()) == 1
    session.rollback()
    assert rig.core.contents.names() == set()


def test_bytes_read_and_written_count_the_stream(rig):
    session = rig.session("source")
    first = session.create_table(SMALL, NDJSON)
    second = session.write_table(first, SMALL, NDJSON)
    assert session.work.bytes_written == 2 * first.size
    assert session.read_table(second) is SMALL
    assert session.work.bytes_read == first.size
    assert session.form(second) == NDJSON
    assert (session.form(session.create(b"x")), session.read_table(session.create(b"x"))) == (
        None,
        None,
    )


# -- the cut -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [SMALL, LARGE, SMALL.slice(1), pa.table({})])
def test_after_a_crash_the_table_and_its_text_are_what_they_were(tmp_path, table):
    async def work():
        rig = rig_on(tmp_path)
        made = queued(rig, table, TextForm("json", plain=True))
        await rig.repository.flush()
        crashed(rig)
        again = rig_on(tmp_path)
        session = again.session("fork")
        [found] = session.get_batch()
        assert (found.id, found.size, found.attributes) == (made.id, made.size, {"a": "b"})
        assert session.form(found) == TextForm("json", plain=True)
        assert session.read_table(found).equals(table)
        assert session.read(found) == text(table, TextForm("json"))
        session.rollback()
        await closed(again)

    run(work())


def test_clones_share_it_and_the_file_goes_with_the_last_one(tmp_path):
    async def work():
        rig = rig_on(tmp_path)
        queued(rig, LARGE)
        session = rig.session("fork")
        [found] = session.get_batch()
        copy = session.clone(found)
        assert copy.content is found.content
        session.transfer([found, copy], "success")
        session.commit()
        rig.take("sink", 1)
        await rig.repository.flush()
        assert len(rig.core.contents.names()) == 1
        rig.take("sink", 1)
        await rig.repository.flush()
        assert rig.core.contents.names() == set()
        await closed(rig)

    run(work())


def test_beyond_the_memory_budget_it_is_read_back_from_the_cut(tmp_path):
    async def work():
        rig = rig_on(tmp_path)
        queued(rig, SMALL)
        await rig.repository.flush()
        assert rig.queue("in").resident > 0
        rig.assembly.limit_memory(0)
        assert rig.queue("in").resident == 0
        session = rig.session("fork")
        [found] = session.get_batch()
        assert session.read_table(found).equals(SMALL)
        session.rollback()
        await closed(rig)

    run(work())


_COLUMNS = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.string(): st.text(),
    pa.bool_(): st.booleans(),
    pa.binary(): st.binary(),
    pa.timestamp("us", tz="UTC"): st.integers(0, 10**15),
    pa.list_(pa.int64()): st.lists(st.integers(-9, 9), max_size=3),
}


@st.composite
def tables(draw):
    rows = draw(st.integers(0, 5))
    kinds = draw(st.lists(st.sampled_from(list(_COLUMNS)), min_size=1, max_size=5))
    columns = [
        pa.array(draw(st.lists(st.none() | _COLUMNS[kind], min_size=rows, max_size=rows)), kind)
        for kind in kinds
    ]
    return pa.table(columns, names=[f"c{n}" for n in range(len(kinds))])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.sampled_from(["json", "ndjson", "csv", "arrow"]))
def test_what_the_store_gives_back_is_what_it_got(table, name):
    form = TextForm(name)
    check(table, form)
    content = in_memory(table, form, stream_size(table))
    [found] = _decode_flowfiles(_encode([FlowFile(1, {}, content, content.size, 1, 1, 1)]))
    assert found.content == content
    assert found.content.text() == content.text() == text(table, form)
    assert found.content.table.schema.equals(table.schema)


# -- looking at it -----------------------------------------------------------------------------


def test_provenance_keeps_its_text(tmp_path):
    store = ProvenanceStore(tmp_path / "p.db", 1 << 20)
    content = in_memory(SMALL, NDJSON, stream_size(SMALL))
    store.add([Event(1, "CREATE", "p", "f", content=content)])
    [event] = store.search(Query())
    assert store.event(event.id).content == SMALL_TEXT
    store.close()


def test_an_engine_starts_without_arrow():
    code = "import sys, flowengine.engine, flowengine.repository, flowengine.testing; "
    code += "print('pyarrow' in sys.modules or 'duckdb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
