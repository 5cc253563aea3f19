"""Who may import whom, read from the source text: the rules of design §3 as a pure function.

- `flowengine` imports neither `processors` nor `web`.
- `web` never imports `processors`.
- Processors never import one another. A *family* is a sub-package of `processors`: its modules may
  import each other; nobody outside may, and a module beside the families is a family of its own.
- Anything else that is imported is the standard library or a declared runtime dependency.

Imports under `if TYPE_CHECKING:` and inside functions count too: they are dependencies as well.
"""

import ast
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("flowengine", "processors", "web")
FORBIDDEN = {"flowengine": {"processors", "web"}, "processors": {"web"}, "web": {"processors"}}


@dataclass(frozen=True)
class Import:
    """One imported module, by its absolute dotted name, at a line of a file."""

    path: Path
    line: int
    module: str

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


def imports_in(path: Path, source: str) -> Iterator[Import]:
    """Every import of the module at `path` (relative to the repository), relative ones resolved.

    `from a import b` gives `a.b`: whether `b` is a module cannot be read from the text, and for
    these rules it does not matter.
    """
    for node in ast.walk(ast.parse(source, filename=str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield Import(path, node.lineno, f"{_origin(path, node)}.{alias.name}")


def _origin(path: Path, node: ast.ImportFrom) -> str:
    """The absolute module that `from … import` names."""
    if node.level == 0:
        return node.module or ""
    # Level 1 is the package of the module: its folder, also for __init__.py.
    package = path.parent.parts[: len(path.parent.parts) - node.level + 1]
    return ".".join([*package, node.module] if node.module else package)


def family(module: str) -> str | None:
    """The family of a module in `processors`; None for the package itself."""
    parts = module.removesuffix(".__init__").split(".")
    return parts[1] if parts[0] == "processors" and len(parts) > 1 else None


def direction_violations(path: Path, source: str) -> list[str]:
    """The imports of one module that point in a forbidden direction, as `file:line: what`."""
    importer = ".".join(path.with_suffix("").parts)
    return [
        f"{found.path}:{found.line}: {reason}; got import of {found.module}"
        for found in imports_in(path, source)
        if (reason := _reason(importer, found))
    ]


def _reason(importer: str, found: Import) -> str | None:
    package = importer.partition(".")[0]
    if found.top in FORBIDDEN[package]:
        return f"{package} must not import {found.top}"
    if package != "processors" or found.top != "processors":
        return None
    ours, theirs = family(importer), family(found.module)
    if theirs is None or ours == theirs:
        return None
    # The package itself belongs to no family: whoever imports it would load the processor as well.
    subject = f"family {ours}" if ours else "the package processors"
    return f"{subject} must not import family {theirs}"


def undeclared_imports(path: Path, source: str, declared: Collection[str]) -> list[str]:
    """The third-party imports of one module that no declared dependency provides."""
    known = {*sys.stdlib_module_names, *PACKAGES, *declared}
    return [
        f"{found.path}:{found.line}: {found.top} must be a runtime dependency in pyproject.toml"
        for found in imports_in(path, source)
        if found.top not in known
    ]
