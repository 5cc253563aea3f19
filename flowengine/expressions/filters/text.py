"""Filters on text and on lists of texts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from flowengine.expressions.regexes import parse_replacement, safe_pattern, searchable
from flowengine.expressions.values import MAX_TEXT, bounded, shown


def trim(text: str, characters: str | None = None) -> str:
    """Without white space, or these characters, at both ends."""
    return text.strip(characters)


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """With every ``old`` replaced by ``new``, at most ``count`` times."""
    found = text.count(old)
    replaced = found if count < 0 else min(found, count)
    if len(text) + replaced * (len(new) - len(old)) > MAX_TEXT:
        raise ValueError(f"must give at most {MAX_TEXT} characters; got more")
    return text.replace(old, new, count)


def replace_regex(text: str, pattern: str, replacement: str) -> str:
    r"""With every match of a regular expression replaced; ``\1`` is its first group."""
    check_replacement(pattern, replacement)
    return bounded(safe_pattern(pattern).sub(replacement, searchable(text)))


@lru_cache(maxsize=256)
def check_replacement(pattern: str, replacement: str) -> None:
    """Raise ValueError when the pattern, or a group that the replacement names, is wrong."""
    try:
        parse_replacement(replacement, safe_pattern(pattern))
    except (re.error, IndexError) as error:
        raise ValueError(f"must replace with known groups; got {replacement!r}: {error}") from None


def matches(text: str, pattern: str) -> bool:
    """Whether the regular expression matches the whole text."""
    return safe_pattern(pattern).fullmatch(searchable(text)) is not None


def find(text: str, pattern: str) -> bool:
    """Whether the regular expression matches somewhere in the text."""
    return safe_pattern(pattern).search(searchable(text)) is not None


def extract(text: str, pattern: str, group: int | str = 1) -> str:
    """What a group of the first match of a regular expression matched; an error if none did."""
    match = safe_pattern(pattern).search(searchable(text))
    if match is None or match[group] is None:
        raise ValueError(f"must find {pattern!r}; got {shown(text)}")
    return match[group]


def starts_with(text: str, prefix: str) -> bool:
    """Whether the text begins so."""
    return text.startswith(prefix)


def ends_with(text: str, suffix: str) -> bool:
    """Whether the text ends so."""
    return text.endswith(suffix)


def contains(text: str, part: str) -> bool:
    """Whether the part stands in the text; the same as ``part in text``."""
    return part in text


def substring(text: str, start: int, end: int | None = None) -> str:
    """From one position up to before another, counted from 0; the same as ``text[start:end]``."""
    return text[start:end]


def substring_before(text: str, separator: str) -> str:
    """What stands before the first separator; the whole text without one."""
    return text.partition(separator)[0]


def substring_before_last(text: str, separator: str) -> str:
    """What stands before the last separator; the whole text without one."""
    before, found, after = text.rpartition(separator)
    return before if found else after


def substring_after(text: str, separator: str) -> str:
    """What stands after the first separator; the whole text without one."""
    before, found, after = text.partition(separator)
    return after if found else before


def substring_after_last(text: str, separator: str) -> str:
    """What stands after the last separator; the whole text without one."""
    return text.rpartition(separator)[2]


def pad_left(text: str, width: int, character: str = " ") -> str:
    """Filled up on the left to a width."""
    return text.rjust(_width(width), character)


def pad_right(text: str, width: int, character: str = " ") -> str:
    """Filled up on the right to a width."""
    return text.ljust(_width(width), character)


def split(text: str, separator: str | None = None, maximum: int = -1) -> list[str]:
    """A list of the parts between separators (white space by default), ``maximum`` cuts."""
    return text.split(separator, maximum)


def length(value: Any) -> int:
    """The number of characters, or of items."""
    return len(value)


def first(value: Any) -> Any:
    """The first item or character; an error when there is none."""
    return _item(value, 0)


def last(value: Any) -> Any:
    """The last item or character; an error when there is none."""
    return _item(value, -1)


def _item(value: Any, index: int) -> Any:
    items = value if isinstance(value, str | list | tuple) else list(value)
    if not items:
        raise ValueError("must have an item to take; got none")
    return items[index]


def _width(width: int) -> int:
    if width > MAX_TEXT:
        raise ValueError(f"must fill up to at most {MAX_TEXT} characters; got {width}")
    return width
