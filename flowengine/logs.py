"""Structured logs: one JSON object a line in ``<data directory>/logs/flow.log``, rotated by size.

What libraries log at WARNING and above goes into the file too; the console gets warnings and
errors of the flow, for people. A secret that was registered never reaches either.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

import msgspec
import structlog
from pydantic import BaseModel
from structlog.typing import EventDict, Processor, WrappedLogger

from flowengine.definition.flat import LoadedFlow
from flowengine.units import Secret

FLOW_LOGGER = "flowengine"
FILE_BYTES = 10_000_000
FILES = 5
MASK = "******"

_secrets: set[str] = set()


# -- secrets -----------------------------------------------------------------------------------


def register_secrets(secrets: Iterable[Secret]) -> None:
    """Never let these be seen in a log or an answer of the control API."""
    _secrets.update(value for secret in secrets if (value := secret.reveal()))


def secrets_of(flow: LoadedFlow) -> Iterator[Secret]:
    """Every secret that a flow's processors and services hold."""
    for processor in flow.processors.values():
        yield from _secrets_in(processor.properties)
    for service in flow.services.values():
        yield from _secrets_in(service.properties)


def _secrets_in(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets_in(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _secrets_in(inner)


def redacted(value: Any) -> Any:
    """The same text, list or mapping with registered secrets masked."""
    if isinstance(value, str):
        for secret in _secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, Mapping):
        return {key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def redacted_json(encoded: bytes) -> bytes:
    """The same JSON with registered secrets masked; costs a search when there are none."""
    if not any(json.dumps(s, ensure_ascii=False)[1:-1].encode() in encoded for s in _secrets):
        return encoded
    return msgspec.json.encode(redacted(msgspec.json.decode(encoded)))


def _redact(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    if not _secrets:
        return event
    internal = {key: value for key, value in event.items() if key.startswith("_")}
    shown = {key: value for key, value in event.items() if not key.startswith("_")}
    return {**redacted(shown), **internal}


# -- setting up --------------------------------------------------------------------------------


def configure(data_dir: Path, *, console: bool = True, level: str = "INFO") -> None:
    """Log into the data directory from now on, and warnings for people to standard error.

    level: the lowest level of the flow's own messages that the file gets
    """
    close()
    _configure_structlog()
    path = log_path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    handlers = [_file_handler(path)]
    if console:
        handlers.append(_console_handler(sys.stderr))
    root, flow = logging.getLogger(), logging.getLogger(FLOW_LOGGER)
    root.setLevel(logging.WARNING)
    flow.setLevel(level)
    for handler in handlers:
        root.addHandler(handler)


def close() -> None:
    """Undo :func:`configure`."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if hasattr(handler, "flowengine")]:
        root.removeHandler(handler)
        handler.close()
    logging.getLogger(FLOW_LOGGER).setLevel(logging.NOTSET)
    structlog.reset_defaults()


@contextmanager
def logging_to(data_dir: Path, *, console: bool = True, level: str = "INFO") -> Iterator[None]:
    """:func:`configure`, undone at the end."""
    configure(data_dir, console=console, level=level)
    try:
        yield
    finally:
        close()


def _shared() -> list[Processor]:
    """What both our own events and records of libraries go through."""
    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _formatter(renderer: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _redact,
            renderer,
        ],
    )


def _file_handler(path: Path) -> logging.Handler:
    handler = RotatingFileHandler(
        path, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8"
    )
    handler.setFormatter(_formatter(structlog.processors.JSONRenderer(ensure_ascii=False)))
    handler.flowengine = True  # type: ignore[attr-defined]
    return handler


def _console_handler(stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="timestamp")
    handler.setFormatter(_formatter(renderer))
    handler.setLevel(logging.WARNING)
    handler.addFilter(logging.Filter(FLOW_LOGGER))
    handler.flowengine = True  # type: ignore[attr-defined]
    return handler


# -- reading -----------------------------------------------------------------------------------


def log_path(data_dir: Path) -> Path:
    """The newest log file of a data directory."""
    return data_dir / "logs" / "flow.log"


def tail(path: Path, lines: int) -> list[dict[str, Any]]:
    """The last lines of a log, oldest first, the file before it included when need be."""
    found: deque[dict[str, Any]] = deque(maxlen=lines)
    for file in (path.with_name(f"{path.name}.1"), path):
        if not file.exists():
            continue
        with file.open(encoding="utf-8", errors="replace") as stream:
            for line in deque(stream, maxlen=lines):
                found.append(_parsed(line))
    return list(found)


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        value = line.rstrip("\n")
    return value if isinstance(value, dict) else {"event": value}
