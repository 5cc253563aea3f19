"""Folds from installed packages: entry points of the group ``flowengine.folds``.

The protocol is one function: it takes the decoded records of a window, in the order of time, and
returns a JSON value. ::

    def busiest_hour(records: list[dict]) -> dict: ...
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Final

from flowengine.errors import DefinitionError
from processors.windows.output import FoldError, Query

GROUP: Final = "flowengine.folds"


def installed_fold(name: str) -> Query:
    """The fold of this name. Raises DefinitionError when no package brings it."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise DefinitionError(f"fold must be an installed one ({known}); got {name!r}")
    function = found[name].load()

    def fold(records: list[dict[str, Any]]) -> Any:
        try:
            return function(records)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise FoldError(
                f"fold {name!r} must have a result for each window; got "
                f"{type(error).__name__}: {error}"
            ) from error

    return fold
