import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from flowengine.errors import YieldError
from flowengine.testing import ProcessorRunner, check_processor
from processors.records.put_database_record import PutDatabaseRecord

_PLACES = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), Path("/usr/local/bin")]
_BIN = next((place for place in _PLACES if (place / "initdb").exists()), None)
CREATE = (
    "create table orders (id integer primary key, customer_name varchar(5), price numeric(8, 2), "
    "at timestamp, extra text, check (price >= 0))"
)


def run(command):
    # Without a pipe: the server inherits it, and its end would be waited for.
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def postgres():
    """A real server of our own on loopback, as the user postgres where we are root."""
    if _BIN is None:
        missing = "PostgreSQL must be installed (.ci/setup does it where it may); got none"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    home = Path("/tmp") / f"flowengine-pg-{os.getpid()}"
    home.mkdir(mode=0o777)
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(home, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = home / "data"
    control = [*user, str(_BIN / "pg_ctl"), "-D", str(data), "-w"]
    run([*user, str(_BIN / "initdb"), "-D", str(data), "-A", "trust", "-U", "me", "-N"])
    options = f"-h 127.0.0.1 -p {port} -k {home} -F"
    run([*control, "-l", str(home / "log"), "-o", options, "start"])
    yield f"postgresql+pg8000://me@127.0.0.1:{port}/postgres"
    run([*control, "-m", "immediate", "stop"])
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def database(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/x.db"
    else:
        url = request.getfixturevalue("postgres")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("drop table if exists orders"))
        connection.execute(sa.text(CREATE))
    yield engine, url
    engine.dispose()


def put(url, *contents, **properties):
    """Write contents; the messages of those that failed, without the processor's name."""
    with ProcessorRunner(PutDatabaseRecord, url=url, table="orders", **properties) as test:
        for content in contents:
            test.enqueue(content)
        test.run()
        done, failed = test.transferred("success"), test.transferred("failure")
        assert (len(done) + len(failed), test.queued) == (len(contents), 0)
        return [f.attributes["error.message"].partition("): ")[2] for f in failed]


def rows(engine, columns="id, customer_name"):
    with engine.connect() as connection:
        found = connection.execute(sa.text(f"select {columns} from orders order by id"))
        return [tuple(row) for row in found]


def test_it_keeps_the_contract_of_processors():
    check_processor(PutDatabaseRecord)


def test_fields_find_their_columns_and_texts_become_times(database):
    engine, url = database
    content = '{"ID":1,"customerName":"Ada","price":"1.50","at":"2024-01-01T10:00:00+02:00"}'
    assert put(url, content) == []
    assert rows(engine) == [(1, "Ada")]
    [(price, at)] = rows(engine, "price, at")
    assert float(price) == 1.5
    assert str(at).startswith("2024-01-01 08:00:00")


def test_nested_values_are_json_texts(database):
    engine, url = database
    assert put(url, '{"id":1,"extra":{"a":[1]}}') == []
    assert rows(engine, "extra") == [('{"a":[1]}',)]


def test_a_broken_flowfile_is_undone_alone_and_its_record_is_named(database):
    engine, url = database
    first, broken, last = '{"id":1}', '[{"id":2},{"id":3,"price":-1},{"id":4}]', '{"id":5}'
    [message] = put(url, first, broken, last)
    assert message.startswith("record 2: must be accepted; got ")
    assert "check constraint" in message.lower()
    assert rows(engine, "id") == [(1,), (5,)]


def test_an_upsert_changes_rows_and_does_no_harm_twice(database):
    engine, url = database
    content = '[{"id":1,"customer_name":"a"},{"id":1,"customer_name":"b"},{"id":2}]'
    for _ in range(2):
        assert put(url, content, statement="upsert") == []
    assert rows(engine) == [(1, "b"), (2, None)]


def test_an_update_changes_only_rows_that_are_there(database):
    engine, url = database
    assert put(url, '[{"id":1,"customer_name":"a","price":1},{"id":2,"customer_name":"b"}]') == []
    changes = '[{"id":1,"customer_name":"z"},{"id":9,"customer_name":"y"}]'
    for _ in range(2):
        assert put(url, changes, statement="update") == []
    assert [(i, n, p and float(p)) for i, n, p in rows(engine, "id, customer_name, price")] == [
        (1, "z", 1.0),
        (2, "b", None),
    ]


def test_an_update_finds_rows_by_the_given_keys(database):
    engine, url = database
    put(url, '[{"id":1,"customer_name":"a"},{"id":2,"customer_name":"a"}]')
    change = '{"customerName":"a","extra":"x"}'
    assert put(url, change, statement="update", keys=["customerName"]) == []
    assert rows(engine, "extra") == [("x",), ("x",)]


def test_a_delete_needs_only_the_keys_and_does_no_harm_twice(database):
    engine, url = database
    put(url, '[{"id":1},{"id":2},{"id":3}]')
    for _ in range(2):
        assert put(url, '[{"id":1,"customer_name":"who"},{"id":3}]', statement="delete") == []
    assert rows(engine, "id") == [(2,)]


@pytest.mark.parametrize("statement", ["update", "delete"])
def test_a_key_without_a_value_changes_nothing(database, statement):
    engine, url = database
    put(url, '{"id":1}')
    assert put(url, '[{"id":1,"extra":"x"},{"id":null,"extra":"y"}]', statement=statement) == [
        "record 2: field for column 'id' must have a value, since it is a key; got none"
    ]
    assert rows(engine, "id, extra") == [(1, None)]


def test_an_update_of_nothing_but_keys_is_refused(database):
    _, url = database
    assert put(url, '{"id":1}', statement="update") == [
        "records must have a field to update beside the keys; got none"
    ]


def test_an_insert_of_a_row_that_is_there_is_refused(database):
    _, url = database
    assert put(url, '{"id":1}') == []
    [message] = put(url, '{"id":1}')
    assert message.startswith("record 1: must be accepted; got ")


def test_many_rows_go_in_at_once(database):
    engine, url = database
    content = "\n".join(f'{{"id":{n},"price":{n}}}' for n in range(2500))
    assert put(url, content) == []
    assert rows(engine, "id")[-1] == (2499,)


def test_a_field_without_a_column_fails_or_is_ignored(database):
    engine, url = database
    assert put(url, '{"id":1,"nope":2}') == [
        "table 'orders' must have a column for each field; got 'nope', columns are id, "
        "customer_name, price, at, extra"
    ]
    assert put(url, '{"id":1,"nope":2}', unmatched_field="ignore") == []
    assert rows(engine, "id") == [(1,)]


def test_a_value_of_another_type_is_named(database):
    _, url = database
    assert put(url, '[{"id":1},{"id":2,"at":"soon"}]')[0].startswith(
        "record 2: field for column 'at' must be TIMESTAMP; got 'soon'"
    )


def test_an_upsert_needs_its_keys(database):
    _, url = database
    assert put(url, '{"price":1}', statement="upsert") == [
        "records must have the key fields of an upsert; got no ['id']"
    ]


def test_a_database_that_is_away_keeps_everything_queued():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"postgresql+pg8000://me@127.0.0.1:{free.getsockname()[1]}/x"
        with ProcessorRunner(PutDatabaseRecord, url=url, password="hidden", table="orders") as test:
            test.enqueue('{"id":1}')
            with pytest.raises(YieldError, match="database must be reachable; got ") as caught:
                test.run()
            assert "hidden" not in str(caught.value)
            assert test.queued == 1


def test_a_url_may_not_hold_the_password():
    with pytest.raises(
        ValueError, match="must have no password; put it into the property"
    ) as caught:
        PutDatabaseRecord.Properties.model_validate(
            {"url": "postgresql+pg8000://me:pw@h/x", "table": "t"}
        )
    assert "must be a URL" not in str(caught.value)
