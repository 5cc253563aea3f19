"""``flowengine --server URL COMMAND``: the command of a server instead of this machine's own.

The commands are those of the plug-in ``server``; ``flowengine server COMMAND --server URL`` is the
long form. With ``FLOWENGINE_SERVER`` set the short form needs no option.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.main import get_command

from flowengine import registry
from flowengine.cli.application import REMOTE
from flowengine.errors import EnvironmentFault

if TYPE_CHECKING:
    from typer._click import Command

GROUP = "server"


def remote_command(name: str, url: str) -> Command | None:
    """A command that asks the server at ``url``; None for one that is not about a server."""
    if name not in REMOTE:
        return None
    if GROUP not in registry.command_types():
        raise EnvironmentFault(
            f"option '--server' must have the command {GROUP!r}; got an installation without it"
        )
    group: Any = get_command(registry.command(GROUP))
    found: Any = group.commands[name]
    for parameter in found.params:
        if parameter.name == "url" and url:
            parameter.default, parameter.envvar = url, None
    return found  # type: ignore[no-any-return]
