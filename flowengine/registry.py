"""Finding processors, services and commands by name, in whatever package they are installed.

Names come from entry points, so listing them imports nothing; a class is imported when it is asked
for. A plug-in that cannot be imported is an error with its reason, never a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from flowengine.errors import DefinitionError, EnvironmentFault
from flowengine.processor import ControllerService, Processor

PROCESSORS = "flowengine.processors"
SERVICES = "flowengine.services"
COMMANDS = "flowengine.commands"
BUILT_IN = ("Funnel", "InputPort", "OutputPort")

T = TypeVar("T")

# Importing a stranger's module may raise nearly anything; all of it means "this plug-in is broken".
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


@cache
def _entries(group: str) -> Mapping[str, EntryPoint]:
    """Entry points of a group by name; the first package on the path wins a name."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        found.setdefault(entry.name, entry)
    return found


def refresh() -> None:
    """Look again at what is installed."""
    _entries.cache_clear()


def processor_types() -> Mapping[str, EntryPoint]:
    """Installed processors by type name, without importing them."""
    return _entries(PROCESSORS)


def service_types() -> Mapping[str, EntryPoint]:
    """Installed controller services by type name, without importing them."""
    return _entries(SERVICES)


def command_types() -> Mapping[str, EntryPoint]:
    """Commands that packages add to ``flowengine``, without importing them."""
    return _entries(COMMANDS)


def processor_class(name: str) -> type[Processor]:
    """The processor class of a type name.

    Raises DefinitionError for an unknown name, EnvironmentFault for a plug-in that does not import.
    """
    if name in BUILT_IN:
        return built_in(name)
    return _subclass(Processor, "processor", name, processor_types())


def service_class(name: str) -> type[ControllerService]:
    """The controller service class of a type name; raises as :func:`processor_class` does."""
    return _subclass(ControllerService, "service", name, service_types())


def command(name: str) -> Any:
    """The command (a typer app) of a name; raises as :func:`processor_class` does."""
    return _load("command", name, command_types())


def built_in(name: str) -> type[Processor]:
    """A port or funnel: the types that every flow has."""
    found: type[Processor] = getattr(import_module("flowengine.builtin"), name)
    return found


def suggest(name: str, known: Iterable[str]) -> str:
    """A remedy that names what was probably meant, or what there is."""
    names = sorted(set(known))
    by_case = {other.lower(): other for other in names}
    close = get_close_matches(name.lower(), by_case, n=1, cutoff=0.6)
    if close:
        return f"did you mean {by_case[close[0]]!r}?"
    if not names:
        return "there are none"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"there {'are' if len(names) > 1 else 'is'} {shown}"


def _subclass(base: type[T], kind: str, name: str, entries: Mapping[str, EntryPoint]) -> type[T]:
    found = _load(kind, name, entries)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise EnvironmentFault(
            f"plug-in {kind} {name!r} ({entries[name].value}) must be a {base.__name__} class; "
            f"got {type(found).__name__}"
        )
    return found


def _load(kind: str, name: str, entries: Mapping[str, EntryPoint]) -> Any:
    if name not in entries:
        raise DefinitionError(
            f"{kind} type must be an installed one; got {name!r}; {suggest(name, entries)}"
        )
    entry = entries[name]
    try:
        return entry.load()
    except _BROKEN as error:
        raise EnvironmentFault(
            f"plug-in {kind} {name!r} ({entry.value}) must be importable; "
            f"got {type(error).__name__}: {error}; repair or remove the package that provides it"
        ) from error
