"""What a victim asks of the kernel, in order: strace's log as a list of events."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.crash.flows import Order
from tests.crash.harness import PATIENCE, REPOSITORY, until

CALLS = "fsync,fdatasync,pwrite64,sendto,unlink"
_LINE = re.compile(r"^(?P<pid>\d+)\s+(?P<time>[\d.]+) (?P<text>.*)$")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)\)\s+= .*$")
_BEGUN = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>(?P<arguments>.*)\)\s+= .*$")


class Call(msgspec.Struct, frozen=True):
    """One system call that has returned. ``path`` is the file behind its first argument."""

    name: str
    path: str
    arguments: str


def need_strace() -> str:
    """The tracer, or a skip that says why."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("needs strace: apt install strace (on macOS there is none)")
    return found


@contextmanager
def traced(order: Order, output: Path) -> Iterator[subprocess.Popen[str]]:
    """A victim that runs under strace; it must end by itself, well, within the block."""
    victim = [sys.executable, "-m", "tests.crash.victim", msgspec.json.encode(order).decode()]
    options = [
        "-D",
        "-f",
        "-y",
        "-ttt",
        "-x",
        "-s",
        "8300",
        "-e",
        f"trace={CALLS}",
        "-o",
        str(output),
    ]
    with subprocess.Popen([need_strace(), *options, *victim], cwd=REPOSITORY, text=True) as process:
        try:
            yield process
            process.wait(PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0
    # The tracer is a process of its own and ends a little later.
    until(lambda: "+++ exited with 0 +++" in output.read_text()[-200:], "the end of the trace")


def shown(data: bytes) -> str:
    """How strace writes bytes that are not all printable."""
    return "".join(f"\\x{byte:02x}" for byte in data)


def parse(text: str) -> list[Call]:
    """Calls by the time they returned; what strace split over two lines is joined."""
    begun: dict[str, str] = {}
    calls = []
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        pid, rest = found["pid"], found["text"]
        if half := _BEGUN.match(rest):
            begun[pid] = half["arguments"]
        elif whole := _CALL.match(rest) or _RESUMED.match(rest):
            before = begun.pop(pid, "") if rest.startswith("<") else ""
            calls.append(_call(whole["name"], before + whole["arguments"]))
    return calls


def _call(name: str, arguments: str) -> Call:
    path = re.search(r"<([^>]*)>", arguments)
    return Call(name, path[1] if path else "", arguments)
