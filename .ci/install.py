"""Install the packages of a lock file, and show on a terminal how far that is.

Usage: install.py LOCK. Every package comes from the lock; one that is not in it is refused, so is a
file with another hash.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ARRIVING = re.compile(r"\s*(?:Downloading|Using cached) \S+ \((?P<size>[\d.]+) (?P<unit>[kMG]?B)\)")
MEGABYTES = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}
WIDTH = 30


def main(lock: Path) -> int:
    """The exit code of pip; what it says is shown when it fails."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    words = [*pip, "--progress-bar=off", "--require-hashes", "--requirement", str(lock)]
    total = len(re.findall(r"^[a-z0-9]", lock.read_text(), re.MULTILINE))
    said: list[str] = []
    count, size = 0, 0.0
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if found := ARRIVING.match(line):
                count, size = count + 1, size + float(found["size"]) * MEGABYTES[found["unit"]]
            show(f"{bar(count, total)} {count} of at most {total} packages, {size:.0f} MB")
            if line.startswith("Installing collected packages"):
                show("unpacking …")
        code = process.wait()
    show("")
    if code:
        sys.stderr.writelines(said[-20:])
    return code


def bar(count: int, total: int) -> str:
    """How much is there."""
    done = min(WIDTH * count // max(total, 1), WIDTH)
    return "━" * done + " " * (WIDTH - done)


def show(text: str) -> None:
    """Replace the last line of a terminal; say nothing anywhere else."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
