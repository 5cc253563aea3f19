"""Users with argon2 hashes, their sessions and tokens.

Of sessions and tokens only a SHA-256 is kept: they are 256 random bits, so a slow hash adds
nothing. A session ends twelve hours after it was last used.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from flowengine.errors import DefinitionError
from web.flowfiles import ID
from web.security.roles import LABELS, Role
from web.store import Store, wall

LIFETIME = 12 * 3600 * 1_000_000  # µs
_RENEW = 300 * 1_000_000  # µs between writes of a session's end
SHORTEST_PASSWORD = 10
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``by_cookie`` means a browser, whose writes another page could have caused."""

    user: str
    role: Role
    by_cookie: bool = False


class Accounts:
    """Who is known to this server.

    token: of whoever started it; None where only users may come in
    """

    def __init__(self, store: Store, token: str | None) -> None:
        self._store = store
        self._token = token
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex())

    # -- users ---------------------------------------------------------------------------------

    def users(self) -> dict[str, Role]:
        """Names and roles."""
        rows = self._store.all("select name, role from users order by name")
        return {row["name"]: Role.of(row["role"]) for row in rows}

    def put_user(self, name: str, role: str, password: str) -> None:
        """Add a user, or give one another role and password; ends that user's sessions."""
        if not ID.fullmatch(name) or name == LOCAL:
            raise DefinitionError(
                f"user name must be letters, digits, '-', '_' and '.', and not 'local'; "
                f"got {name[:80]!r}"
            )
        if role not in LABELS:
            raise DefinitionError(f"role must be {' or '.join(LABELS)}; got {role[:80]!r}")
        if len(password) < SHORTEST_PASSWORD:
            raise DefinitionError(
                f"password must have at least {SHORTEST_PASSWORD} characters; got a shorter one"
            )
        hashed = self._hasher.hash(password)
        self.remove_user(name)
        self._store.run("insert into users values (?,?,?)", name, role, hashed)

    def remove_user(self, name: str) -> bool:
        """Forget a user with all sessions and tokens; False when there was none."""
        with self._store.together():
            self._store.run("delete from sessions where user=?", name)
            self._store.run("delete from tokens where user=?", name)
            return bool(self._store.run("delete from users where name=?", name))

    def log_in(self, name: str, password: str) -> Caller | None:
        """The user with this password. Takes as long when there is no such user."""
        row = self._store.one("select * from users where name=?", name)
        try:
            self._hasher.verify(row["password"] if row else self._nobody, password)
        except (VerificationError, InvalidHashError):
            return None
        return Caller(name, Role.of(row["role"])) if row else None

    # -- tokens --------------------------------------------------------------------------------

    def is_server_token(self, token: str) -> bool:
        """Whether this is the token of whoever started the server."""
        return self._token is not None and hmac.compare_digest(token.encode(), self._token.encode())

    def by_token(self, token: str) -> Caller | None:
        """Who has this token."""
        if self.is_server_token(token):
            return Caller(LOCAL, Role.ADMIN)
        row = self._store.one(
            "select users.name, users.role from tokens join users on users.name=tokens.user "
            "where hash=?",
            _hash(token),
        )
        return Caller(row["name"], Role.of(row["role"])) if row else None

    def make_token(self, user: str, label: str) -> str:
        """A new token of a user; it is shown this once."""
        if user not in self.users():
            raise DefinitionError(f"user must be a known one; got {user[:80]!r}")
        token = secrets.token_urlsafe(32)
        self._store.run("insert into tokens values (?,?,?,?)", _hash(token), user, label, wall())
        return token

    # -- sessions ------------------------------------------------------------------------------

    def open_session(self, caller: Caller) -> str:
        """A new session; the text goes into the cookie."""
        now = wall()
        session = secrets.token_urlsafe(32)
        self._store.run("delete from sessions where expires<?", now)
        self._store.run(
            "insert into sessions values (?,?,?,?)",
            *(_hash(session), caller.user, caller.role.label, now + LIFETIME),
        )
        return session

    def by_session(self, session: str) -> Caller | None:
        """Who has this session, while it lasts. A user's role is the one of now."""
        row = self._store.one("select * from sessions where hash=?", _hash(session))
        if row is None or row["expires"] < wall():
            return None
        if row["expires"] < wall() + LIFETIME - _RENEW:
            end = wall() + LIFETIME
            self._store.run("update sessions set expires=? where hash=?", end, row["hash"])
        user = self._store.one("select role from users where name=?", row["user"])
        if user is None and row["user"] != LOCAL:
            return None
        return Caller(row["user"], Role.of((user or row)["role"]), by_cookie=True)

    def close_session(self, session: str) -> None:
        """Log out."""
        self._store.run("delete from sessions where hash=?", _hash(session))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
