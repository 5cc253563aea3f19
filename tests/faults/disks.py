"""Disks with little room, which can be given more."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A folder in which about 3 MB fit, until ``grow``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def grow(self) -> None:
        raise NotImplementedError


class SmallTmpfs(SmallDisk):
    """A file system of its own: ENOSPC, as on a full disk."""

    def grow(self) -> None:
        _mount("-o", "remount,size=200m", str(self.path))


class ShortFiles(SmallDisk):
    """No file of this process may become longer: EFBIG, as with a quota. Needs no rights."""

    def grow(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, _unlimited())


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def _unlimited() -> tuple[int, int]:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    return hard, hard


@contextmanager
def small_tmpfs(path: Path) -> Iterator[SmallDisk]:
    """Needs root; a test that cannot have it is skipped, and says so."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system; the other form of this test runs")
    try:
        _mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", str(path))
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        pytest.skip(f"no file system can be mounted here ({error}); the other form runs")
    try:
        yield SmallTmpfs(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)


@contextmanager
def short_files(path: Path) -> Iterator[SmallDisk]:
    """Python ignores the signal SIGXFSZ, so that writing fails with an error."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, _unlimited()[1]))
    try:
        yield ShortFiles(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, _unlimited())


@pytest.fixture(params=[small_tmpfs, short_files])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    with request.param(tmp_path) as disk:
        yield disk
