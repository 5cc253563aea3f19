"""Filters that make numbers, and work on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from flowengine.expressions.values import shown
from flowengine.units import parse_duration, parse_size

_ROUNDINGS: Final[dict[str, Callable[[Any], Any]]] = {
    "common": round,
    "ceil": math.ceil,
    "floor": math.floor,
}


def to_int(value: Any, default: int | None = None) -> Any:
    """A whole number; the default, when one is given, for what is none."""
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        if default is not None:
            return default
        raise ValueError(f"must be given a whole number; got {shown(value)}") from None


def to_float(value: Any, default: float | None = None) -> Any:
    """A number; the default, when one is given, for what is none."""
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        if default is not None:
            return default
        raise ValueError(f"must be given a number; got {shown(value)}") from None


def to_bool(value: Any) -> bool:
    """True for ``true``, false for ``false`` in any case; an error for all else."""
    spelled = {"true": True, "false": False}.get(str(value).strip().lower())
    if spelled is None:
        raise ValueError(f"must be given true or false; got {shown(value)}")
    return spelled


def round_number(value: Any, precision: int = 0, method: str = "common") -> float:
    """Rounded to decimals: ``common`` (half to even), ``ceil`` or ``floor``; never a whole number.

    ``| round | int`` makes one.
    """
    check_rounding(method=method)
    scale = 10.0**precision
    if method == "common":
        return float(round(_number(value), precision))
    return float(_ROUNDINGS[method](_number(value) * scale) / scale)


def absolute(value: Any) -> Any:
    """Without its sign."""
    return abs(_number(value))


def duration(text: str) -> int:
    """``30 sec`` in microseconds."""
    return int(parse_duration(text))


def data_size(text: str) -> int:
    """``1 MB`` in bytes."""
    return int(parse_size(text))


def check_rounding(precision: int = 0, method: str = "common") -> None:
    """Raise ValueError for an unknown way of rounding."""
    if method not in _ROUNDINGS:
        raise ValueError(f"must round 'common', 'ceil' or 'floor'; got {method!r}")


def _number(value: Any) -> Any:
    if isinstance(value, int | float):
        return value
    raise TypeError(f"must be given a number; got {shown(value)}; convert it with 'float'")
