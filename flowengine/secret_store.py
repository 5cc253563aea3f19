"""The encrypted store of secrets: one file that parameters take values from, one that opens it.

``secrets.json`` holds each value sealed (Fernet: AES-128-CBC with HMAC-SHA-256) together with its
name, so that no entry can take another's place. Its key lies apart, so that a copy of one file
alone tells nothing: in ``secrets.key`` beside it (mode 0600), in the file that the setting
``secret_key_file`` names, or in the systemd credential ``flowengine-secret-key``. A key file holds
one key a line: the first seals, all of them open, which is what makes rotation safe at any moment.

A runner reads the store itself: no value is ever on a command line or in an environment.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flowengine.errors import DefinitionError, EnvironmentFault

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

FILE = "secrets.json"
KEY = "secrets.key"
CREDENTIAL = "flowengine-secret-key"
MOST_BYTES = 1 << 16
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Entry(msgspec.Struct):
    """One secret. ``sealed`` None: its value was lost with its key and must be entered again.

    updated: wall time in µs
    user:    who entered it
    """

    sealed: str | None
    updated: int
    user: str = ""


class _Sealed(msgspec.Struct):
    name: str
    value: str


class SecretStore(Mapping[str, str]):
    """Secrets by name. Reading one opens it; ``entries`` tells about them without their values."""

    def __init__(
        self,
        path: Path,
        key_file: Path | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.path = path
        self.key_file, self.own_key = _key_place(path, key_file, environ)

    # -- reading -------------------------------------------------------------------------------

    def entries(self) -> dict[str, Entry]:
        """What is stored, by name; empty where there is no store yet."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, Entry])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            raise EnvironmentFault(
                f"secret store {str(self.path)!r} must be readable; got {error}"
            ) from None

    def __getitem__(self, name: str) -> str:
        sealed = self._sealed_value(name)
        try:
            return self._opened(name, sealed, self._keys())
        except EnvironmentFault:
            again = self._sealed_value(name)
            if again == sealed:
                raise
            return self._opened(name, again, self._keys())  # the key was rotated meanwhile

    def _sealed_value(self, name: str) -> str:
        sealed = self.entries()[name].sealed
        if sealed is None:
            raise KeyError(name)
        return sealed

    def __iter__(self) -> Iterator[str]:
        return (name for name, entry in self.entries().items() if entry.sealed is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def problem(self) -> str:
        """Why what is stored cannot be opened; empty when it can, or when nothing is."""
        try:
            for name in self:
                self[name]
        except EnvironmentFault as error:
            return str(error)
        return ""

    def _opened(self, name: str, sealed: str, keys: MultiFernet) -> str:
        from cryptography.fernet import InvalidToken

        try:
            found = msgspec.json.decode(keys.decrypt(sealed), type=_Sealed)
        except (InvalidToken, msgspec.MsgspecError):
            found = None
        if found is None or found.name != name:
            raise EnvironmentFault(
                f"secret {name!r} must be sealed by a key in {str(self.key_file)!r}; got another "
                f"key. {_LOST}"
            )
        return found.value

    # -- keys ----------------------------------------------------------------------------------

    def _keys(self) -> MultiFernet:
        from cryptography.fernet import MultiFernet

        return MultiFernet([_fernet(line, self.key_file) for line in self._key_lines()])

    def _key_lines(self) -> list[str]:
        try:
            mode = stat.S_IMODE(self.key_file.stat().st_mode)
            text = self.key_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            got = "none" if isinstance(error, FileNotFoundError) else str(error)
            raise EnvironmentFault(
                f"secret store {str(self.path)!r} must have its key in {str(self.key_file)!r}; "
                f"got {got}. {_LOST}"
            ) from None
        if mode & (0o077 if self.own_key else 0o007):
            raise EnvironmentFault(
                f"secret key file {str(self.key_file)!r} must be readable by its owner only; got "
                f"mode {mode:04o}. Change it with `chmod 600`, then rotate the key"
            )
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines:
            raise EnvironmentFault(
                f"secret key file {str(self.key_file)!r} must hold a key; got none. {_LOST}"
            )
        return lines

    def _write_keys(self, lines: list[str]) -> None:
        _replace(self.key_file, "".join(f"{line}\n" for line in lines).encode())

    # -- changing ------------------------------------------------------------------------------

    def put(self, name: str, value: str, user: str = "") -> None:
        """Enter a secret, or another value for it. The first one makes the key."""
        if not NAME.fullmatch(name):
            raise DefinitionError(
                "secret name must be letters, digits, '-', '_' and '.', at most 100; "
                f"got {name[:120]!r}"
            )
        if not value or not _fits(value):
            raise DefinitionError(
                f"secret {name!r} must have a value of at most 64 KB of Unicode text; got "
                f"{'another' if value else 'none'}"
            )
        with self._changing() as entries:
            self._make_first_key(entries)
            entries[name] = Entry(self._sealed(name, value, self._keys()), _wall(), user)

    def remove(self, name: str) -> bool:
        """Forget a secret; False when there was none."""
        with self._changing() as entries:
            return entries.pop(name, None) is not None

    def rotate(self) -> int:
        """Seal everything with a new key; returns how many keys were dropped.

        Where the key is not ours, whoever owns it has put the new one first; that is taken, and
        the others in its file may be removed afterwards: 0.
        """
        with self._changing() as entries:
            self._make_first_key(entries)
            old = self._key_lines()
            if self.own_key:
                self._write_keys([new_key(), *old])
            keys = self._keys()
            for name, entry in entries.items():
                if entry.sealed is not None:
                    entry.sealed = self._sealed(name, self._opened(name, entry.sealed, keys), keys)
            self._save(entries)  # only then may the old key go
            if self.own_key:
                self._write_keys(self._key_lines()[:1])
            return len(old) if self.own_key else 0

    def forget_lost(self) -> list[str]:
        """Give up values whose key is lost; their names stay, so that they are entered again."""
        with self._changing() as entries:
            if self.own_key and not self.key_file.exists():
                self._write_keys([new_key()])
            keys, lost = self._keys(), []
            for name, entry in entries.items():
                try:
                    if entry.sealed is not None:
                        self._opened(name, entry.sealed, keys)
                except EnvironmentFault:
                    entry.sealed = None
                    lost.append(name)
            return lost

    def _make_first_key(self, entries: Mapping[str, Entry]) -> None:
        sealed = any(entry.sealed is not None for entry in entries.values())
        if self.own_key and not sealed and not self.key_file.exists():
            self._write_keys([new_key()])

    def _sealed(self, name: str, value: str, keys: MultiFernet) -> str:
        return keys.encrypt(msgspec.json.encode(_Sealed(name, value))).decode()

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Entry]]:
        """The entries, written back at the end; nobody else changes them meanwhile."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise EnvironmentFault(
                f"secret store {str(self.path)!r} must be writable; got {error.strerror}"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            entries = self.entries()
            yield entries
            self._save(entries)
        finally:
            os.close(handle)

    def _save(self, entries: Mapping[str, Entry]) -> None:
        _replace(self.path, msgspec.json.format(msgspec.json.encode(dict(entries))) + b"\n")


_LOST = (
    "Put the key file back, or give up the values with "
    "`flowengine server secrets rotate --lost` and enter them again"
)


def new_key() -> str:
    """A new key, as it stands in a key file."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _fits(value: str) -> bool:
    try:
        return len(value.encode()) <= MOST_BYTES
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _fernet(line: str, file: Path) -> Fernet:
    from cryptography.fernet import Fernet

    try:
        return Fernet(line)
    except ValueError:
        raise EnvironmentFault(
            f"secret key file {str(file)!r} must hold keys of 32 bytes in URL-safe base64, one a "
            "line; got something else. Make one with `flowengine server secrets key`"
        ) from None


def _key_place(store: Path, given: Path | None, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Where the key lies, and whether it is ours to write."""
    if given is not None:
        return given, False
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and (found := Path(folder) / CREDENTIAL).is_file():
        return found, False
    return store.with_name(KEY), True


def _replace(path: Path, data: bytes) -> None:
    """Write a file of ours only, in one step, so that a crash leaves the old or the new one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise EnvironmentFault(
            f"secret store {str(path)!r} must be writable; got {error.strerror}"
        ) from None


def _wall() -> int:
    return time.time_ns() // 1000
