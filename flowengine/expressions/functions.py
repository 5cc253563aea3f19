"""Functions and tests of the expression language, and the FlowFile's own fields."""

from __future__ import annotations

import random
import socket
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from flowengine.expressions.filters import Kind


def attribute(name: str) -> str:
    """The attribute of this name, for names that no expression can spell: ``Content-Type``."""
    raise NotImplementedError("the compiler replaces it by the attribute")


def now() -> int:
    """The time of this trigger in microseconds since the epoch, for ``format_time``."""
    raise NotImplementedError("the compiler replaces it by an argument")


def new_uuid() -> str:
    """A new random UUID for each FlowFile."""
    return str(uuid.uuid4())


@lru_cache(maxsize=1)
def hostname() -> str:
    """The name of the machine that runs the flow."""
    return socket.gethostname()


def random_number() -> float:
    """A random number from 0 up to before 1, such as for ``random() < 0.1``."""
    return random.random()


FUNCTIONS: Final[dict[str, tuple[Callable[..., Any], Kind]]] = {
    "attribute": (attribute, "text"),
    "hostname": (hostname, "text"),
    "now": (now, "whole"),
    "random": (random_number, "real"),
    "uuid": (new_uuid, "text"),
}

# Written ``flowfile.size``; no attribute of this name can be read without ``attribute()``.
FIELDS: Final[dict[str, Kind]] = {"size": "whole", "uuid": "text", "entry_time": "whole"}


def divisibleby(value: int, number: int) -> bool:
    """Whether a number can be divided without a rest."""
    return value % number == 0


def empty(value: Any) -> bool:
    """Whether text has nothing but white space, or a list or mapping nothing at all."""
    return not (value.strip() if isinstance(value, str) else value)


TESTS: Final[dict[str, Callable[..., bool]]] = {
    "boolean": lambda value: isinstance(value, bool),
    "divisibleby": divisibleby,
    "empty": empty,
    "even": lambda value: divisibleby(value, 2),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "odd": lambda value: not divisibleby(value, 2),
    "string": lambda value: isinstance(value, str),
}

# Tests that are compiled in place. Those with operators are what the operators are.
COMPARING_TESTS: Final = {
    "eq": "eq",
    "ne": "ne",
    "lt": "lt",
    "le": "lteq",
    "gt": "gt",
    "ge": "gteq",
    "in": "in",
}
OTHER_TESTS: Final = ("defined", "undefined", "none")
