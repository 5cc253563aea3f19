import pytest

from flowengine.testing import ProcessorRunner, check_processor
from processors.records.query_record import QueryRecord


def ask(sql, content=b'[{"a":1,"b":{"c":"x"}},{"a":2,"b":{"c":"y"}}]', **properties):
    with ProcessorRunner(QueryRecord, queries={"out": sql}, **properties) as test:
        test.enqueue(content)
        test.run()
        done = [test.content(f) for f in test.transferred("out")]
        failed = [f.attributes["error.message"] for f in test.transferred("failure")]
        originals = len(test.transferred("original"))
        assert originals + len(failed) == 1
        return failed[0] if failed else done[0] if done else None


def test_it_keeps_the_contract_of_processors():
    check_processor(QueryRecord)


def test_the_name_of_the_table_has_no_case_and_nested_fields_have_dots():
    assert ask("select b.c from FlowFile where A = 2") == b'[{"c":"y"}]'


def test_integers_stay_integers_in_sums():
    assert ask("select sum(a) s, avg(a) m, sum(a) * 1.0 t from flowfile") == (
        b'[{"s":3,"m":1.5,"t":3}]'
    )


def test_the_answer_may_have_another_format():
    assert ask("select a from flowfile", output_format="csv") == b"a\n1\n2\n"


def test_an_empty_content_can_be_counted():
    assert ask("select count(*) n from flowfile", content=b"[]") == b'[{"n":0}]'


def test_answers_without_a_record_can_be_left_out():
    assert ask("from flowfile where a > 9") == b"[]"
    assert ask("from flowfile where a > 9", include_empty=False) is None


def test_a_missing_column_fails_the_flowfile_and_no_answer_leaves():
    assert ask("select nope from flowfile").startswith(
        "processor 'processor' (QueryRecord): query 'out' must have a result; got "
        'Binder Error: Referenced column "nope" not found'
    )


@pytest.mark.parametrize(
    "sql",
    [
        "select * from '/etc/passwd'",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/*')",
        "select * from read_json('https://127.0.0.1/x.json')",
        "select * from read_parquet('s3://bucket/x.parquet')",
        "select * from sqlite_scan('/tmp/x.db', 't')",
        "with x as (from read_csv('/etc/passwd')) select * from x",
        "select (select count(*) from read_blob('/etc/passwd'))",
        "select * from table",
        "select * from records",
        "select getenv('HOME')",
    ],
)
def test_sql_sees_no_file_no_network_and_no_variable(sql):
    assert ask(sql.replace("from table", 'from "table"')).startswith(
        "processor 'processor' (QueryRecord): query 'out' must have a result; got "
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("copy (select 1) to '/tmp/x'", "must be one SELECT; got something else"),
        ("attach '/tmp/x.db'", "must be one SELECT; got something else"),
        ("install httpfs", "must be one SELECT; got something else"),
        ("load httpfs", "must be one SELECT; got something else"),
        ("set enable_external_access = true", "must be one SELECT; got something else"),
        ("create table x as from '/etc/passwd'", "must be one SELECT; got something else"),
        ("export database '/tmp/x'", "must be one SELECT; got something else"),
        ("select 1; select 2", "must be one SELECT; got something else"),
        ("selekt", "must be a query that DuckDB can parse; got Parser Error"),
    ],
)
def test_only_one_select_is_accepted(sql, message):
    with pytest.raises(ValueError, match=message):
        QueryRecord.Properties.model_validate({"queries": {"out": sql}})


def test_a_query_may_not_be_named_like_a_fixed_relationship():
    with pytest.raises(ValueError, match="must differ from original, failure"):
        QueryRecord.Properties.model_validate({"queries": {"failure": "select 1"}})


def test_a_query_that_needs_too_much_memory_fails_alone():
    sql = "select list(r) l from (select a.a, unnest(range(3000000)) r from flowfile a)"
    assert "Out of Memory Error" in ask(sql, memory="16 MB")
