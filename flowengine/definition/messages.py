"""Pydantic's errors in our words: ``must <rule>; got <value>``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from flowengine.definition.source import show
from flowengine.registry import suggest

_RULES: Mapping[str, str] = {
    "bool_type": "be true or false",
    "bool_parsing": "be true or false",
    "dict_type": "be an object",
    "float_parsing": "be a number",
    "float_type": "be a number",
    "finite_number": "be a finite number",
    "int_from_float": "be a whole number",
    "int_parsing": "be a whole number",
    "int_parsing_size": "be a whole number within 64 bits",
    "int_type": "be a whole number",
    "list_type": "be an array",
    "mapping_type": "be an object",
    "model_attributes_type": "be an object",
    "model_type": "be an object",
    "none_required": "be null",
    "path_type": "be a path",
    "set_type": "be an array",
    "string_type": "be text",
    "tuple_type": "be an array",
    "union_tag_not_found": "be an object",
}
_LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("be greater than {}", "gt"),
    "greater_than_equal": ("be at least {}", "ge"),
    "less_than": ("be less than {}", "lt"),
    "less_than_equal": ("be at most {}", "le"),
    "multiple_of": ("be a multiple of {}", "multiple_of"),
    "string_too_short": ("have at least {} characters", "min_length"),
    "string_too_long": ("have at most {} characters", "max_length"),
    "string_pattern_mismatch": ("match {}", "pattern"),
    "too_short": ("have at least {} items", "min_length"),
    "too_long": ("have at most {} items", "max_length"),
}


def rule_and_value(error: ErrorDetails) -> str:
    """``must <rule>; got <value>`` of one pydantic error."""
    text = _own_words(error) or f"must {_rule(error)}"
    return text if "; got " in text else f"{text}; got {show(error.get('input'))}"


def remedy_of(error: ErrorDetails) -> str:
    """A remedy that the check itself named, or what was probably meant."""
    context = error.get("ctx", {})
    if error["type"] in ("literal_error", "enum"):
        return _did_you_mean(error.get("input"), _choices(str(context.get("expected", ""))))
    return str(context.get("remedy", ""))


def key_findings(
    error: ErrorDetails, allowed: Callable[[], Iterable[str]], noun: str
) -> tuple[str, str] | None:
    """Message and remedy of an unknown or a missing key; None for any other error."""
    key = str(error["loc"][-1]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return f"{noun} {show(key)} must be a known one", suggest(key, allowed())
    if error["type"] == "missing":
        return f"{noun} {show(key)} must be given; got none", ""
    return None


def _own_words(error: ErrorDetails) -> str:
    """The message of a check that speaks in our form already; empty otherwise."""
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message if message.startswith("must ") else ""


def _rule(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _RULES:
        return _RULES[kind]
    if kind in _LIMITS:
        words, key = _LIMITS[kind]
        text = words.format(context.get(key))
        return text.replace("1 items", "1 item").replace("1 characters", "1 character")
    if kind in ("literal_error", "enum"):
        return f"be {context.get('expected')}"
    return _last_resort(error["msg"])


def _last_resort(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input should ")
    return message if message.startswith("be ") else f"be valid ({message})"


def _choices(expected: str) -> list[str]:
    """The values in pydantic's ``'a', 'b' or 'c'``."""
    return expected.strip("'").replace("' or '", "', '").split("', '") if expected else []


def _did_you_mean(value: Any, choices: list[str]) -> str:
    remedy = suggest(value, choices) if isinstance(value, str) else ""
    return remedy if remedy.startswith("did") else ""
