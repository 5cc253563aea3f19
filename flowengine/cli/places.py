"""From what a person types to a flow file and its data directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowengine.config import Settings
from flowengine.errors import DefinitionError

if TYPE_CHECKING:
    from flowengine.control.client import ControlClient

FORMAT = ".json"


def complete_flow(incomplete: str) -> list[str]:
    """Flow files and folders that begin so, and names of flows in the folder ``flows``."""
    paths = Path().glob(f"{incomplete}*") if not incomplete.startswith("/") else ()
    found = [
        f"{path}/" if path.is_dir() else str(path)
        for path in paths
        if path.is_dir() or path.suffix == FORMAT
    ]
    names = [path.stem for path in Path("flows").glob(f"{incomplete}*{FORMAT}")]
    return sorted(name for name in {*found, *names} if not name.startswith("."))


FlowArgument = Annotated[
    str,
    typer.Argument(
        metavar="FLOW",
        help="Flow file, or the name of one in the folder flows.",
        autocompletion=complete_flow,
    ),
]
DataDirOption = Annotated[
    str | None,
    typer.Option(
        "--data-dir", metavar="DIR", help="Data directory; .flowengine/NAME when left out."
    ),
]


def flow_file(name: str) -> Path:
    """The flow file that a person means: a path, or a name in ``flows``.

    Raises DefinitionError when there is none.
    """
    path = Path(name)
    if path.is_file() or path.suffix == FORMAT:
        return path
    candidates = [path.with_name(path.name + FORMAT), Path("flows", name + FORMAT)]
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    if found is None:
        tried = " and ".join(repr(str(candidate)) for candidate in candidates)
        raise DefinitionError(
            f"flow must be a flow file or the name of one in the folder 'flows'; got {name!r}; "
            f"looked for {tried}"
        )
    return found


def runner_on(directory: Path) -> ControlClient:
    """A client of the runner on a data directory; raises EnvironmentFault when none answers."""
    from flowengine.control.client import ControlClient, is_running, not_running

    if not is_running(directory):
        raise not_running(directory)
    return ControlClient(directory)


def data_directory(name: str, settings: Settings) -> Path:
    """The data directory of a flow; the file itself may be gone by now."""
    try:
        return settings.data_directory(flow_file(name))
    except DefinitionError:
        directory = settings.data_root / name
        if directory.is_dir():
            return directory
        raise
