"""What comes with the program beside code: the example flows, their data lake, the documents.

A wheel carries them inside the package, in ``flowengine/shipped``; in a clone they are the folders
``flows`` and ``docs`` beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

from flowengine.errors import EnvironmentFault

FLOWS = "flows"
DOCS = "docs"


def shipped_folder(name: str) -> Path:
    """The folder ``flows`` or ``docs``. Raises EnvironmentFault where neither place has it."""
    package = files("flowengine")
    carried = package.joinpath("shipped", name)
    if carried.is_dir():
        with as_file(carried) as folder:  # an installed package is a folder: nothing is copied
            return folder
    with as_file(package) as own:
        beside = own.parent / name
    if (beside / "README.md").is_file() or (beside / "users-producer.json").is_file():
        return beside
    raise EnvironmentFault(
        f"installation must carry the folder {name!r}; got none in {str(own)!r}. Install the "
        "wheel again, or work in a clone"
    )


def example_flows() -> list[str]:
    """Names of the flows that are carried."""
    return sorted(path.stem for path in shipped_folder(FLOWS).glob("*.json"))


def copy_examples(target: Path) -> Iterator[Path]:
    """Copy the flows with their data lake and tests; what is there already stays as it is.

    Yields each file that was written.
    """
    source = shipped_folder(FLOWS)
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        hidden = any(part.startswith((".", "__")) for part in relative.parts)
        if hidden or not path.is_file() or (target / relative).exists():
            continue
        try:
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / relative)
        except OSError as error:
            raise EnvironmentFault(
                f"folder {str(target)!r} must be writable; got {error.strerror or error}"
            ) from error
        yield target / relative
