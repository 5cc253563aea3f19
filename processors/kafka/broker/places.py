"""Where the local broker keeps its downloads, its data and its state.

``FLOWENGINE_CACHE`` and ``FLOWENGINE_KAFKA_HOME`` name them; without these the XDG folders do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def cache_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """What can be downloaded or made again: jars and class archives."""
    if named := environ.get("FLOWENGINE_CACHE"):
        return Path(named).expanduser()
    return _xdg(environ, "XDG_CACHE_HOME", ".cache") / "flowengine"


def kafka_home(environ: Mapping[str, str] = os.environ) -> Path:
    """What must stay: the topics of the local broker and the file that says where it runs."""
    if named := environ.get("FLOWENGINE_KAFKA_HOME"):
        return Path(named).expanduser()
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / "flowengine" / "kafka"


def prepared_jars(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that ``flowengine kafka fetch --to`` made, as ``FLOWENGINE_KAFKA_JARS`` says."""
    named = environ.get("FLOWENGINE_KAFKA_JARS")
    return Path(named).expanduser() if named else None


def _xdg(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    named = environ.get(variable)
    if named and Path(named).is_absolute():  # the XDG rules: a relative value is ignored
        return Path(named)
    return Path(environ.get("HOME") or Path.home()) / fallback
