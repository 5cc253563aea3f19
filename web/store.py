"""What the server remembers: one SQLite file beside the data directories.

Flow files stay the truth about flows; here lie drafts, every deployed version, which flows should
run, users, sessions and the audit log. Used on the server's loop only: every statement is short.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowengine.errors import EnvironmentFault

_SCHEMA = """
create table if not exists flows(
    id text primary key, wanted integer not null default 0, deployed integer,
    removed text not null default '', pid integer, started text);
create table if not exists versions(
    flow text not null, number integer not null, revision text not null, text text not null,
    user text not null, time integer not null, restored integer, primary key(flow, number));
create table if not exists drafts(
    flow text primary key, seq integer not null, kept_since integer not null,
    base text not null, document text not null);
create table if not exists draft_operations(
    flow text not null, seq integer not null, client text not null, user text not null,
    time integer not null, operations text not null, primary key(flow, seq));
create table if not exists users(name text primary key, role text not null, password text not null);
create table if not exists tokens(
    hash text primary key, user text not null, label text not null, created integer not null);
create table if not exists sessions(
    hash text primary key, user text not null, role text not null, expires integer not null);
create table if not exists audit(
    id integer primary key, time integer not null, user text not null, role text not null,
    action text not null, status integer not null, peer text not null);
"""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Version:
    """A definition that was deployed. ``time`` is wall time in µs; ``restored`` is its origin."""

    flow: str
    number: int
    revision: str
    text: str
    user: str
    time: int
    restored: int | None = None


def wall() -> int:
    """Wall time in µs since 1970."""
    return time.time_ns() // 1000


class Store:
    """The server's database. Raises EnvironmentFault when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise EnvironmentFault(
                f"server database {str(path)!r} must be usable; got {error}"
            ) from error

    def _prepare(self) -> None:
        self._db.row_factory = sqlite3.Row
        (version,) = self._db.execute("pragma user_version").fetchone()
        if version > _VERSION:
            self._db.close()
            raise EnvironmentFault(
                f"server database {str(self.path)!r} must be of version {_VERSION}; got {version}. "
                "Update the program"
            )
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._db.executescript(_SCHEMA)
        self._db.execute(f"pragma user_version={_VERSION}")

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def all(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._db.execute(statement, values).fetchall()

    def one(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query."""
        row: sqlite3.Row | None = self._db.execute(statement, values).fetchone()
        return row

    def run(self, statement: str, *values: Any) -> int:
        """Change something; returns how many rows."""
        return self._db.execute(statement, values).rowcount

    @contextmanager
    def together(self) -> Iterator[None]:
        """All changes of the block, or none."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    # -- flows ---------------------------------------------------------------------------------

    def wanted(self) -> list[str]:
        """Flows that should run."""
        return [row["id"] for row in self.all("select id from flows where wanted order by id")]

    def known(self) -> list[str]:
        """Flows that ever ran or were deployed."""
        return [row["id"] for row in self.all("select id from flows order by id")]

    def remember(self, flow: str, **values: Any) -> None:
        """Keep facts about a flow: wanted, removed, pid, started, deployed."""
        names: Sequence[str] = list(values)
        with self.together():
            self.run("insert or ignore into flows(id) values (?)", flow)
            for name in names:
                assert name in ("wanted", "removed", "pid", "started", "deployed")
                self.run(f"update flows set {name}=? where id=?", values[name], flow)

    def fact(self, flow: str, name: str) -> Any:
        """A fact about a flow; None when nothing is known."""
        row = self.one("select * from flows where id=?", flow)
        return row[name] if row is not None else None

    # -- versions ------------------------------------------------------------------------------

    def add_version(
        self, flow: str, revision: str, text: str, user: str, restored: int | None = None
    ) -> Version:
        """Keep a deployed definition; it is the one to run from now on."""
        row = self.one("select max(number) as last from versions where flow=?", flow)
        number = ((row["last"] if row else None) or 0) + 1
        version = Version(flow, number, revision, text, user, wall(), restored)
        self.run(
            "insert into versions values (?,?,?,?,?,?,?)",
            *(flow, number, revision, text, user, version.time, restored),
        )
        self.remember(flow, deployed=number)
        return version

    def version(self, flow: str, number: int) -> Version | None:
        """One deployed version."""
        row = self.one("select * from versions where flow=? and number=?", flow, number)
        return Version(**dict(row)) if row is not None else None

    def deployed(self, flow: str) -> Version | None:
        """The version that runs, or would when started."""
        number = self.fact(flow, "deployed")
        return self.version(flow, number) if number is not None else None

    def versions(self, flow: str, before: int, limit: int) -> list[Version]:
        """Deployed versions below a number, newest first."""
        rows = self.all(
            "select * from versions where flow=? and number<? order by number desc limit ?",
            *(flow, before, limit),
        )
        return [Version(**dict(row)) for row in rows]

    def forget(self, flow: str) -> None:
        """Forget a flow's draft, and that it should run. Its versions stay: they are history."""
        with self.together():
            self.run("delete from drafts where flow=?", flow)
            self.run("delete from draft_operations where flow=?", flow)
            self.run("update flows set wanted=0, deployed=null where id=?", flow)

    # -- audit ---------------------------------------------------------------------------------

    def audit(self, user: str, role: str, action: str, status: int, peer: str) -> None:
        """Write down who did what."""
        self.run(
            "insert into audit(time, user, role, action, status, peer) values (?,?,?,?,?,?)",
            *(wall(), user, role, action, status, peer),
        )
