"""The wheel as a user gets it: built from the source distribution, installed where nothing is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "web" / "static" / ".vite" / "manifest.json"
LEFT_OUT = (".git", ".venv", ".flowengine", "build", "data", "dist", "node_modules", "static")


def run(*words: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command; its output tells why it failed."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def build(tree: Path, target: str, out: Path) -> Path:
    """Build one distribution; without the npm registry the editor is left out of it."""
    skip = {} if BUILT.exists() else {"SKIP_FRONTEND": "1"}
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", out, cwd=tree, **skip)
    (found,) = out.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return found


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of this tree, as a clone without anything built would make it."""
    tree = tmp_path_factory.mktemp("tree") / "clone"
    ignored = shutil.ignore_patterns(*LEFT_OUT, "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, tree, ignore=ignored)
    return build(tree, "sdist", tree.parent / "sdist")


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution without Node."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return build(tree, "wheel", folder / "dist")


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has this wheel and the locked dependencies.

    Those are the ones of our own environment. Its ``.pth`` files are not read from there, so
    nothing of the clone is: what is not in the wheel is missing.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    place = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", vars=place))
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python"]
    run(*pip, "install", "--no-deps", "--no-index", "--quiet", wheel, cwd=folder)
    (packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"
