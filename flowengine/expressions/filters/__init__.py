"""Every filter of the expression language, with what the compiler has to know about it.

A filter's documentation is the docstring of its function; ``docs/expressions.md`` names each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from flowengine.expressions import values
from flowengine.expressions.filters import encodings, numbers, text, times
from flowengine.expressions.regexes import safe_pattern

Kind = Literal["text", "whole", "real", "truth", "any"]
NUMBERS: Final = frozenset({"whole", "real"})


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter.

    function: takes the value and the arguments; refuses with a ValueError or TypeError
    result:   kind of what it gives
    takes:    ``text`` turns numbers into text first; ``number`` refuses what is known to be text
    quick:    a builtin that gives the same for the value alone, where it gives anything
    method:   a method of ``str`` that does the same to text
    check:    refuses constant arguments when the flow is validated
    """

    function: Callable[..., Any]
    result: Kind = "text"
    takes: Literal["text", "number", "any"] = "text"
    quick: Callable[..., Any] | None = None
    method: str = ""
    check: Callable[..., object] | None = None

    @property
    def parameters(self) -> inspect.Signature:
        """The signature without the filtered value."""
        return without_value(inspect.signature(self.function))

    def __call__(self, value: Any, *arguments: Any, **named: Any) -> Any:
        if self.takes == "text":
            value = values.to_text(value)
        return self.function(value, *arguments, **named)


def without_value(signature: inspect.Signature) -> inspect.Signature:
    """The signature without its first parameter."""
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def default(value: Any, replacement: Any, empty: bool = False) -> Any:
    """The replacement for a missing attribute, and for an empty value when ``empty`` is true.

    Stands directly behind the attribute: ``{{ country | default('NL') | lower }}``.
    """
    return value if value or not empty else replacement


def to_text(value: Any) -> str:
    """As text: numbers in digits, ``true`` or ``false``."""
    return values.to_text(value)


def upper(value: str) -> str:
    """In capital letters."""
    return value.upper()


def lower(value: str) -> str:
    """In small letters."""
    return value.lower()


def join(value: Any, separator: str = "") -> str:
    """The items of a list as one text."""
    return values.concatenate(value, separator)


def _check_pattern(pattern: str, *_: object, **__: object) -> None:
    safe_pattern(pattern)


FILTERS: Final[dict[str, Filter]] = {
    "abs": Filter(numbers.absolute, "any", "number"),
    "base64": Filter(encodings.base64_encode),
    "base64_decode": Filter(encodings.base64_decode),
    "bool": Filter(numbers.to_bool, "truth", "any"),
    "contains": Filter(text.contains, "truth"),
    "data_size": Filter(numbers.data_size, "whole"),
    "default": Filter(default, "any", "any"),
    "duration": Filter(numbers.duration, "whole"),
    "ends_with": Filter(text.ends_with, "truth", method="endswith"),
    "escape_json": Filter(encodings.escape_json),
    "escape_xml": Filter(encodings.escape_xml),
    "extract": Filter(text.extract, check=_check_pattern),
    "find": Filter(text.find, "truth", check=_check_pattern),
    "first": Filter(text.first, "any", "any"),
    "float": Filter(numbers.to_float, "real", "any", quick=float),
    "format_time": Filter(times.format_time, "text", "any", check=times.check_format_time),
    "from_json": Filter(encodings.from_json, "any"),
    "hash": Filter(encodings.hash_text, check=encodings.check_hash),
    "int": Filter(numbers.to_int, "whole", "any", quick=int),
    "join": Filter(join, "text", "any"),
    "last": Filter(text.last, "any", "any"),
    "length": Filter(text.length, "whole", "any", quick=len),
    "lower": Filter(lower, method="lower"),
    "matches": Filter(text.matches, "truth", check=_check_pattern),
    "pad_left": Filter(text.pad_left),
    "pad_right": Filter(text.pad_right),
    "parse_time": Filter(times.parse_time, "whole", check=times.check_format_time),
    "replace": Filter(text.replace),
    "replace_regex": Filter(text.replace_regex, check=text.check_replacement),
    "round": Filter(numbers.round_number, "real", "number", check=numbers.check_rounding),
    "sha256": Filter(encodings.sha256),
    "split": Filter(text.split, "any", method="split"),
    "starts_with": Filter(text.starts_with, "truth", method="startswith"),
    "string": Filter(to_text),
    "substring": Filter(text.substring),
    "substring_after": Filter(text.substring_after),
    "substring_after_last": Filter(text.substring_after_last),
    "substring_before": Filter(text.substring_before),
    "substring_before_last": Filter(text.substring_before_last),
    "to_json": Filter(encodings.to_json, "text", "any"),
    "trim": Filter(text.trim, method="strip"),
    "upper": Filter(upper, method="upper"),
    "urldecode": Filter(encodings.urldecode),
    "urlencode": Filter(encodings.urlencode),
}

# Jinja2's own, which make lists or are rare: an expression with one of them runs in its sandbox.
# Name → how many arguments it may have. None of these arguments names a Python attribute.
JINJA_FILTERS: Final[dict[str, int]] = {
    "capitalize": 0,
    "filesizeformat": 1,
    "list": 0,
    "map": 4,
    "max": 0,
    "min": 0,
    "reject": 2,
    "reverse": 0,
    "select": 2,
    "sort": 1,
    "sum": 0,
    "title": 0,
    "truncate": 4,
    "unique": 0,
    "wordcount": 0,
}
