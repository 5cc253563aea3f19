"""Where a runner can be reached.

The socket does not lie in the data directory: a path of a Unix socket has 104 bytes at most (E17)
and a data directory may be deeper. It lies in a directory that only its owner can enter, under a
name made from the data directory, so that either can be found from the other. ``runner.json`` in
the data directory says both and who runs: a server adopts living runners by it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import socket
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from flowengine.errors import EnvironmentFault, LockedError

LONGEST_PATH = 103  # macOS; Linux has 107
RUNNER = "runner.json"
TOKEN = "FLOWENGINE_TOKEN"


class Runner(msgspec.Struct):
    """What a runner says about itself in ``runner.json``. ``started_at`` is wall time in µs.

    listen: ``host:port`` where it can be reached over TCP as well, or None
    """

    pid: int
    started_at: int
    flow: str
    revision: str
    socket: str
    listen: str | None = None


def socket_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The private directory for sockets, made if need be.

    ``$XDG_RUNTIME_DIR/flowengine``, or ``flowengine-<uid>`` in the folder for temporary files.
    Raises EnvironmentFault when somebody else owns it or may enter it.
    """
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and len(runtime) < LONGEST_PATH - 40 and os.access(runtime, os.W_OK):
        directory = Path(runtime) / "flowengine"
    else:
        directory = _temporary(environ) / f"flowengine-{os.getuid()}"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"socket directory {str(directory)!r} must be possible to make; got {error.strerror}"
        ) from error
    _check_private(directory)
    return directory


def _temporary(environ: Mapping[str, str]) -> Path:
    """A short folder for temporary files: ``$TMPDIR`` may be too deep for a socket."""
    given = Path(environ.get("TMPDIR") or tempfile.gettempdir())
    return given if len(os.fsencode(given)) < LONGEST_PATH - 50 else Path("/tmp")


def _check_private(directory: Path) -> None:
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EnvironmentFault(
            f"socket directory {str(directory)!r} must belong to uid {os.getuid()}; "
            f"got uid {found.st_uid}. Set XDG_RUNTIME_DIR to a directory of your own"
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        directory.chmod(0o700)


def socket_path(data_dir: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The socket of the runner on this data directory."""
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:20]
    return socket_directory(environ) / f"{name}.sock"


def bind_socket(path: Path) -> socket.socket:
    """Listen there. A dead runner's socket is replaced; a living one raises LockedError."""
    if _answers(path):
        raise LockedError(
            f"control socket {str(path)!r} must be free; got a runner that answers on it. Stop "
            "that one, or choose another --data-dir"
        )
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))  # the directory admits its owner only
    path.chmod(0o600)
    listener.listen(128)
    listener.setblocking(False)
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def bind_tcp(listen: str, token: str | None) -> socket.socket:
    """Listen on ``HOST:PORT``; port 0 takes a free one.

    Raises EnvironmentFault for an address that cannot be had, and for one that other machines
    reach when there is no token.
    """
    host, port = _host_and_port(listen)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise _unusable(listen, error) from error
    if not ipaddress.ip_address(str(address[0])).is_loopback and not token:
        raise EnvironmentFault(
            f"--listen {listen} must be a loopback address when no token is set; got "
            f"{address[0]}. Set {TOKEN}, or listen on 127.0.0.1"
        )
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise _unusable(listen, error) from error
    listener.setblocking(False)
    return listener


def _unusable(listen: str, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"--listen {listen} must be an address this machine can listen on; got {error.strerror}"
    )


def _host_and_port(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise EnvironmentFault(
            f"--listen address must be HOST:PORT such as 127.0.0.1:8701; got {listen!r}"
        )
    return host.strip("[]") or "127.0.0.1", int(port)


def write_runner(data_dir: Path, runner: Runner) -> None:
    """Say who runs, in one step."""
    data_dir.mkdir(parents=True, exist_ok=True)
    temporary = data_dir / f".{RUNNER}.new"
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(runner)) + b"\n")
    temporary.replace(data_dir / RUNNER)


def read_runner(data_dir: Path) -> Runner | None:
    """Who runs, or ran and died, on this data directory; None when nobody says so."""
    try:
        return msgspec.json.decode((data_dir / RUNNER).read_bytes(), type=Runner)
    except (OSError, msgspec.MsgspecError):
        return None
