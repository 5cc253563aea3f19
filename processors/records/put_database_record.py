"""Write records into a table of a database. Source: NiFi ``PutDatabaseRecord``.

One transaction holds a batch of FlowFiles, each in a savepoint: a broken one is undone alone. The
transaction ends before the session commits, so after a crash a FlowFile may be written again (E2):
``upsert`` with a key then changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from pydantic import Field, field_validator

from flowengine.context import ProcessContext
from flowengine.errors import YieldError
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, NifiNote, Relationship
from flowengine.session import ProcessSession
from flowengine.units import Secret
from processors.records._core.database import Statement, Target, reason
from processors.records._core.formats import RecordError
from processors.records._core.processor import WRITES, RecordProcessor
from processors.records._core.properties import ReadProperties


class Unmatched(StrEnum):
    """What to do with a field that is no column."""

    FAIL = "fail"
    IGNORE = "ignore"


class PutDatabaseRecord(RecordProcessor):
    """Insert the records of each FlowFile into a table, or update or delete rows of it.

    A FlowFile is written whole or not at all. After a crash the last FlowFiles may come again:
    with `upsert`, `update` and `delete` that does no harm. Tested with SQLite and PostgreSQL.
    """

    tags = (
        "record",
        "database",
        "sql",
        "insert",
        "upsert",
        "update",
        "delete",
        "postgresql",
        "sqlite",
    )
    provenance = "SEND"
    writes = {**WRITES, "record.count": "Number of records that were written."}
    nifi = NifiNote(
        "PutDatabaseRecord",
        {
            "input_format": "Record Reader",
            "statement": "Statement Type",
            "table": "Table Name",
            "keys": "Update Keys",
            "unmatched_field": "Unmatched Field Behavior",
        },
        {"unmatched_field": "ignore"},
    )

    class Properties(ReadProperties):
        url: str = Field(
            description="SQLAlchemy's URL of the database, without the password: "
            "`postgresql+pg8000://user@host/name` or `sqlite:////folder/file.db`."
        )
        password: Secret | None = Field(None, description="Password of the URL's user.")
        table: str = Field(min_length=1, description="Name of the table, perhaps `schema.table`.")
        statement: Statement = Field(
            Statement.INSERT,
            description="`insert`; `upsert`: insert, or update the row with the same keys; "
            "`update` or `delete` it, and pass over a record without such a row.",
        )
        keys: tuple[str, ...] = Field(
            (), description="Fields that say which row is the same; by default the primary key."
        )
        unmatched_field: Unmatched = Field(
            Unmatched.FAIL, description="`fail` or `ignore` fields that are no columns."
        )

        @field_validator("url")
        @classmethod
        def _check_url(cls, url: str) -> str:
            import sqlalchemy as sa

            try:
                parsed = sa.make_url(url)
            except (sa.exc.ArgumentError, ValueError):
                # The text itself may hold a password.
                raise ValueError("must be a URL such as 'sqlite:////folder/file.db'") from None
            if parsed.password is not None:
                raise ValueError("must have no password; put it into the property 'password'")
            return url

    properties: Properties
    success = Relationship("FlowFiles whose records are in the table.")

    examples = (
        Example(
            "A table that does not exist",
            properties={"url": "sqlite://", "table": "orders"},
            given=(Given('{"id":1}'),),
            expect={
                "failure": (
                    Expected(
                        '{"id":1}',
                        {
                            "error.message": "processor 'processor' (PutDatabaseRecord): "
                            "table 'orders' must exist; got none"
                        },
                    ),
                )
            },
        ),
    )

    @asynccontextmanager
    async def on_scheduled(self, context: ProcessContext) -> AsyncIterator[None]:
        self._engine = _engine(self.properties)
        try:
            yield
        finally:
            self._engine.dispose()

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        import sqlalchemy as sa

        batch = session.get_batch()
        if not batch:
            return
        failed: list[tuple[FlowFile, RecordError]] = []
        done: list[FlowFile] = []
        try:
            with self._engine.begin() as connection:
                for flowfile in batch:
                    try:
                        count = self._put(connection, session, flowfile)
                    except RecordError as error:
                        failed.append((flowfile, error))
                    else:
                        done.append(flowfile.with_attributes({"record.count": str(count)}))
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            raise YieldError(
                f"processor {context.id!r} (PutDatabaseRecord): database must be reachable; "
                f"got {reason(error)}"
            ) from None
        for flowfile, problem in failed:
            self.refuse(context, session, flowfile, problem)
        session.transfer(done, self.success)

    def _put(self, connection: Any, session: ProcessSession, flowfile: FlowFile) -> int:
        """Write one FlowFile, whole or not at all. Raises RecordError."""
        import sqlalchemy as sa

        chosen = self.properties
        records, _ = self.read(session, flowfile)
        target = Target(connection, chosen.table, chosen.keys)
        rows = target.rows(records.rows, ignore=chosen.unmatched_field is Unmatched.IGNORE)
        try:
            with connection.begin_nested():
                target.write(connection, rows, chosen.statement)
        except (sa.exc.OperationalError, sa.exc.InterfaceError):
            raise
        except sa.exc.SQLAlchemyError as error:
            raise self._explain(connection, target, rows, error) from None
        return len(rows)

    def _explain(
        self, connection: Any, target: Target, rows: list[Any], error: Exception
    ) -> RecordError:
        """Which row is refused: found by writing them one by one, and undoing it."""
        import sqlalchemy as sa

        trial = connection.begin_nested()
        try:
            for number, row in enumerate(rows, 1):
                try:
                    target.write(connection, [row], self.properties.statement)
                except sa.exc.SQLAlchemyError as found:
                    return RecordError(f"must be accepted; got {reason(found)}", record=number)
        finally:
            trial.rollback()
        return RecordError(f"records must be accepted; got {reason(error)}")


def _engine(properties: PutDatabaseRecord.Properties) -> Any:
    import sqlalchemy as sa

    url = sa.make_url(properties.url)
    if properties.password is not None:
        url = url.set(password=properties.password.reveal())
    engine = sa.create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        _transactional(engine)
    return engine


def _transactional(engine: Any) -> None:
    """Python's sqlite3 begins transactions late, which breaks savepoints: begin them ourselves."""
    import sqlalchemy as sa

    def manual(connection: Any, record: Any) -> None:
        connection.isolation_level = None

    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    sa.event.listen(engine, "connect", manual)
    sa.event.listen(engine, "begin", begin)
