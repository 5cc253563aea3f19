"""Where the files are: the local disk, or an object store through ``pyarrow.fs``.

pyarrow is imported only for object stores (and for Parquet and zstd, elsewhere).
"""

from __future__ import annotations

import glob
import io
import os
import re
from collections.abc import Iterator
from fnmatch import translate
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast
from urllib.parse import unquote

import msgspec

if TYPE_CHECKING:
    from processors.read_data_lake.properties import LakeProperties

_MAGIC = re.compile(r"[*?[]")
_SCHEMES = ("s3", "gs", "az")


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A file of the lake: its full path or URL, size in bytes and time of its last change in µs."""

    path: str
    size: int
    mtime: int

    @property
    def partitions(self) -> dict[str, str | None]:
        """Values in the names of its folders (``country=NL``), as text; None is Hive's null."""
        pairs = [part.partition("=") for part in self.path.split("/")[:-1] if "=" in part]
        return {
            unquote(key): None if value == "__HIVE_DEFAULT_PARTITION__" else unquote(value)
            for key, _, value in pairs
            if key
        }


class Missing(Exception):
    """There is no such folder or file (yet)."""


class Unreachable(Exception):
    """The store does not answer, or not like this: a reason to wait, not a broken file."""


class Storage(Protocol):
    """What ReadDataLake asks of a place with files. All calls block."""

    def files(self, recurse: bool) -> tuple[list[Entry], bool]:
        """The files, and whether they were named (by a path or a pattern) rather than found in a
        folder. Raises Missing or Unreachable."""

    def open(self, path: str) -> BinaryIO:
        """A seekable stream. Raises OSError or Unreachable."""

    def arrow(self, path: str) -> tuple[Any, str]:
        """The file system and the path for pyarrow.dataset."""

    def stat(self, path: str) -> Entry | None:
        """The file as it is now, or None."""

    def delete(self, path: str) -> None:
        """Delete a file. Raises OSError or Unreachable."""


def open_storage(properties: LakeProperties) -> Storage:
    """The storage that the property ``path`` speaks of."""
    scheme = properties.path.partition("://")[0]
    if "://" in properties.path and scheme in _SCHEMES:
        return ArrowStorage(properties)
    return LocalStorage(properties.path.removeprefix("file://"))


def hidden(path: str) -> bool:
    """Whether some part says that it is not data: ``.part``, ``_SUCCESS``; ``_key=value`` is."""
    return any(
        part.startswith(".") or (part.startswith("_") and "=" not in part)
        for part in path.split("/")
    )


class LocalStorage:
    """Files of this machine. A relative path starts at the current folder."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(os.path.expanduser(path))

    def files(self, recurse: bool) -> tuple[list[Entry], bool]:
        path = self._path
        if os.path.isdir(path):
            os.listdir(path)  # os.walk would pass over a folder that may not be read
            return self._entries(self._walk(recurse)), False
        if os.path.lexists(path):
            return self._entries(iter([path])), True
        if not _MAGIC.search(path):
            raise Missing(path)
        base = path[: _MAGIC.search(path).start()].rpartition("/")[0]  # type: ignore[union-attr]
        if not os.path.isdir(base or "/"):
            raise Missing(base)
        found = (p for p in glob.iglob(path, recursive=True) if not hidden(p[len(base) + 1 :]))
        return self._entries(found), True

    def _walk(self, recurse: bool) -> Iterator[str]:
        for folder, folders, files in os.walk(self._path):
            folders[:] = sorted(name for name in folders if recurse and not hidden(name))
            yield from (os.path.join(folder, name) for name in files if not hidden(name))

    def _entries(self, paths: Iterator[str]) -> list[Entry]:
        return [entry for path in paths if (entry := self.stat(path)) is not None]

    def stat(self, path: str) -> Entry | None:
        try:
            found = os.stat(path)
        except OSError:
            return None
        if not os.path.isfile(path):
            return None
        return Entry(path, found.st_size, found.st_mtime_ns // 1000)

    def open(self, path: str) -> BinaryIO:
        return open(path, "rb", buffering=1 << 18)

    def arrow(self, path: str) -> tuple[Any, str]:
        import pyarrow.fs

        return pyarrow.fs.LocalFileSystem(), path

    def delete(self, path: str) -> None:
        os.unlink(path)


class ArrowStorage:
    """Objects of S3, Google Cloud Storage or Azure. ``*`` in a pattern stays within one folder."""

    def __init__(self, properties: LakeProperties) -> None:
        self._scheme, _, path = properties.path.partition("://")
        self._path = path.rstrip("/")
        try:
            self._system = _file_system(self._scheme, properties)
        except OSError as error:
            raise Unreachable(_first_line(error)) from error

    def files(self, recurse: bool) -> tuple[list[Entry], bool]:
        from pyarrow.fs import FileSelector, FileType

        magic = _MAGIC.search(self._path)
        base = self._path[: magic.start()].rpartition("/")[0] if magic else self._path
        try:
            info = self._system.get_file_info(base)
            if info.type == FileType.NotFound:
                raise Missing(f"{self._scheme}://{base}")
            if info.type == FileType.File:
                return [self._entry(info)], True
            deep = recurse or magic is not None
            found = self._system.get_file_info(FileSelector(base, recursive=deep))
        except OSError as error:
            raise Unreachable(_first_line(error)) from error
        files = (
            i for i in found if i.type == FileType.File and not hidden(i.path[len(base) + 1 :])
        )
        pattern = re.compile(_pattern(self._path)) if magic else None
        chosen = [i for i in files if pattern is None or pattern.fullmatch(i.path)]
        return [self._entry(info) for info in chosen], magic is not None

    def _entry(self, info: Any) -> Entry:
        return Entry(f"{self._scheme}://{info.path}", info.size, (info.mtime_ns or 0) // 1000)

    def _name(self, path: str) -> str:
        return path.partition("://")[2]

    def stat(self, path: str) -> Entry | None:
        from pyarrow.fs import FileType

        try:
            info = self._system.get_file_info(self._name(path))
        except OSError as error:
            raise Unreachable(_first_line(error)) from error
        return self._entry(info) if info.type == FileType.File else None

    def open(self, path: str) -> BinaryIO:
        try:
            raw = self._system.open_input_file(self._name(path))
        except OSError as error:
            if isinstance(error, FileNotFoundError | PermissionError) or "ACCESS_DENIED" in str(
                error
            ):
                raise
            raise Unreachable(_first_line(error)) from error
        return cast(BinaryIO, io.BufferedReader(_Guarded(raw), 1 << 20))

    def arrow(self, path: str) -> tuple[Any, str]:
        return self._system, self._name(path)

    def delete(self, path: str) -> None:
        try:
            self._system.delete_file(self._name(path))
        except OSError as error:
            raise Unreachable(_first_line(error)) from error


class _Guarded(io.RawIOBase):
    """An object's bytes; a failing connection is not taken for a broken file."""

    def __init__(self, raw: Any) -> None:
        super().__init__()
        self._raw = raw

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._raw.seek(offset, whence))

    def tell(self) -> int:
        return int(self._raw.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._raw.readinto(buffer))
        except OSError as error:
            raise Unreachable(_first_line(error)) from error

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def _file_system(scheme: str, properties: LakeProperties) -> Any:
    import pyarrow.fs

    key = properties.access_key.reveal() if properties.access_key else None
    secret = properties.secret_key.reveal() if properties.secret_key else None
    if scheme == "s3":
        url = properties.endpoint or _environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        return pyarrow.fs.S3FileSystem(
            access_key=key,
            secret_key=secret,
            anonymous=properties.anonymous,
            region=properties.region,
            connect_timeout=10,
            request_timeout=60,
            **_endpoint(url),
        )
    if scheme == "gs":
        return pyarrow.fs.GcsFileSystem(
            anonymous=properties.anonymous, **_endpoint(properties.endpoint)
        )
    account = properties.account or _environment("AZURE_STORAGE_ACCOUNT")
    return pyarrow.fs.AzureFileSystem(account or "", account_key=secret)


def _endpoint(url: str | None) -> dict[str, str]:
    if not url:
        return {}
    scheme, separator, host = url.rstrip("/").rpartition("://")
    return {"endpoint_override": host, **({"scheme": scheme} if separator else {})}


def _environment(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _pattern(path: str) -> str:
    """A glob as a regular expression: ``*`` within one folder, ``**`` over any number of them."""
    *folders, last = path.split("/")
    parts = ["(?:[^/]+/)*" if part == "**" else f"{_segment(part)}/" for part in folders]
    return "".join(parts) + (".*" if last == "**" else _segment(last))


def _segment(part: str) -> str:
    # fnmatch writes * as .* and ? as a bare dot, inside (?s:…)\Z
    return re.sub(r"(?<!\\)\.", "[^/]", translate(part)[4:-3])


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
