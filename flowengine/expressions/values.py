"""What values mean: how they become text, what is true, and arithmetic with bounded results.

The compiled form and Jinja2's sandbox call the same functions, so both give the same results.
Every refusal is a ValueError or TypeError whose message says the rule and the value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

MAX_TEXT: Final = 1 << 20  # characters that one filter or operator may make
MAX_POWER_BITS: Final = 4096  # of a whole number that ``**`` makes


def shown(value: object) -> str:
    """A value as an error message shows it: its Python literal, shortened."""
    literal = repr(value)
    return literal if len(literal) <= 80 else f"{literal[:77]}..."


def to_text(value: Any) -> str:
    """Text as it is, numbers in digits, ``true`` and ``false``. Nothing else is text."""
    if isinstance(value, str):
        return str(value)
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | float):
        return str(value)
    remedy = "; 'join' makes text of a list" if _is_list(value) else ""
    raise TypeError(f"must give text, a number or true/false; got {kind_name(value)}{remedy}")


def to_truth(value: Any) -> bool:
    """The value of a predicate: only true and false, since the text ``false`` would count as true.

    Text that spells one of them is refused too: the predicate has to compare it.
    """
    if value is True or value is False:
        return bool(value)
    raise TypeError(f"must give true or false; got {shown(value)}; compare it with something")


def bounded(text: str) -> str:
    """The text, unless a filter made it longer than any attribute should be."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"must give at most {MAX_TEXT} characters; got {len(text)}")
    return text


def multiply(left: Any, right: Any) -> Any:
    """``left * right`` of numbers, or of text and a whole number; no list is repeated."""
    for one, other in ((left, right), (right, left)):
        if not isinstance(one, str | int | float):
            raise TypeError(f"must multiply numbers or repeat text; got {kind_name(one)}")
        if isinstance(one, str) and isinstance(other, int) and len(one) * other > MAX_TEXT:
            raise ValueError(f"must repeat to at most {MAX_TEXT} characters; got {other} times")
    return left * right


def power(base: Any, exponent: Any) -> Any:
    """``base ** exponent``; a whole number may have at most MAX_POWER_BITS bits."""
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and base.bit_length() * abs(exponent) > MAX_POWER_BITS:
        raise ValueError(f"must give at most {MAX_POWER_BITS} bits; got {base}**{exponent}")
    return base**exponent


def modulo(left: Any, right: Any) -> Any:
    """``left % right`` of numbers; on text ``%`` would be Python's formatting, which is refused."""
    if isinstance(left, str):
        raise TypeError(f"must take % of a number; got {shown(left)}; convert it with 'int'")
    return left % right


def concatenate(parts: Iterable[Any], separator: str = "") -> str:
    """All parts as one text."""
    if isinstance(parts, str):
        raise TypeError(f"must join a list; got text {shown(parts)}; 'split' makes one")
    texts: list[str] = []
    size = 0
    for part in parts:
        texts.append(to_text(part))
        size += len(texts[-1]) + len(separator)
        if size > MAX_TEXT:
            raise ValueError(f"must join to at most {MAX_TEXT} characters; got more")
    return separator.join(texts)


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, dict)


def kind_name(value: object) -> str:
    """What a value is, in words."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if _is_list(value) else f"a value of type {type(value).__name__}"
