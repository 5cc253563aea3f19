"""Regular expressions that cannot run for ever.

Python's ``re`` backtracks, and has no time limit. Patterns stand in the flow definition and so are
written by somebody who may edit the flow; what must not happen is that data hangs it. So a repeat
inside a repeat, such as ``(a+)+``, is refused with its exponential time, and so are alternatives
inside a repeat that can begin alike, such as ``(a|a)*``; the text searched is bounded.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

MAX_PATTERN: Final = 1_000  # characters
MAX_SUBJECT: Final = 10_000  # characters
_MANY: Final = 10  # repeats above this count as unbounded

# The parser that ``re`` itself uses; it has no public name.
_parser: Any = importlib.import_module("re._parser")
_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT"})


@lru_cache(maxsize=512)
def safe_pattern(pattern: str) -> re.Pattern[str]:
    """The compiled pattern. Raises ValueError when it is no pattern, or may run for ever."""
    if len(pattern) > MAX_PATTERN:
        raise ValueError(
            f"must be a pattern of at most {MAX_PATTERN} characters; got {len(pattern)}"
        )
    try:
        compiled = re.compile(pattern)
        parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"must be a regular expression; got {pattern!r}: {error}") from None
    if any(_explodes(body) for body in _unbounded_bodies(parsed)):
        raise ValueError(f"must not repeat what repeats, it may run for ever; got {pattern!r}")
    return compiled


def parse_replacement(replacement: str, pattern: re.Pattern[str]) -> None:
    """Raise re.error or IndexError when a replacement names a group that the pattern has not."""
    if len(replacement) > MAX_PATTERN:
        raise re.error(f"more than {MAX_PATTERN} characters")
    _parser.parse_template(replacement, pattern)


def searchable(text: str) -> str:
    """The text, unless it is too long to be searched with a regular expression."""
    if len(text) > MAX_SUBJECT:
        raise ValueError(f"must search at most {MAX_SUBJECT} characters; got {len(text)}")
    return text


def _operations(parsed: Any) -> Iterator[tuple[str, Any]]:
    """Every operation of a parsed pattern, outer ones first."""
    if isinstance(parsed, _parser.SubPattern):
        for operation, argument in parsed:
            yield str(operation), argument
            yield from _operations(argument)
    elif isinstance(parsed, tuple | list):
        for part in parsed:
            yield from _operations(part)


def _unbounded_bodies(parsed: Any) -> Iterator[Any]:
    for operation, argument in _operations(parsed):
        if operation in _REPEATS and argument[1] > _MANY:
            yield argument[2]


def _explodes(body: Any) -> bool:
    """Whether repeating this can match one text in exponentially many ways (errs towards yes)."""
    for operation, argument in _operations(body):
        if operation in _REPEATS and argument[1] > _MANY:
            return True
        if operation == "BRANCH" and not _begin_apart(argument[1]):
            return True
    return False


def _begin_apart(alternatives: list[Any]) -> bool:
    """Whether every alternative begins with a character of its own."""
    starts = [
        str(one[0]) if len(one) and str(one[0][0]) == "LITERAL" else "" for one in alternatives
    ]
    return "" not in starts and len(set(starts)) == len(starts)
