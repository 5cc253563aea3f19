"""Durations, data sizes, rates and secrets as a user writes them, and as properties hold them.

The spellings are NiFi's: ``30 sec``, ``100 ms``, ``1 MB`` (1 MB is 1024 × 1024 bytes). A value is
an integer from then on: microseconds or bytes. The pydantic types :data:`Duration`,
:data:`DataSize`, :data:`Rate` and :class:`Secret` take the text, publish a JSON Schema format and
write the canonical text back.

A bare number is refused for durations and sizes, since it does not say its unit: ``5`` would be
five microseconds. A default is text, or what a parser returned, which mypy prefers::

    timeout: Duration = Field(parse_duration("30 sec"), description="…")
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, NoReturn

from flowengine.errors import PropertyError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

MASK: Final = "******"

_LARGEST: Final = 2**63 - 1
_QUANTITY: Final = re.compile(r"\s*(\d{1,20}(?:\.\d{1,20})?)\s*([A-Za-zµμ]+)\s*", re.ASCII)
_COUNT: Final = re.compile(r"\s*(\d{1,18})\s*", re.ASCII)

# Microseconds, except that nanoseconds are a fraction of one.
_DURATIONS: Final[dict[str, Decimal]] = {
    spelling: Decimal(micros)
    for spellings, micros in (
        ("ns nano nanos nanosecond nanoseconds", "0.001"),
        ("us µs μs micro micros microsecond microseconds", "1"),
        ("ms milli millis millisecond milliseconds", "1000"),
        ("s sec secs second seconds", "1000000"),
        ("m min mins minute minutes", "60000000"),
        ("h hr hrs hour hours", "3600000000"),
        ("d day days", "86400000000"),
        ("w wk wks week weeks", "604800000000"),
    )
    for spelling in spellings.split()
}
_SIZES: Final[dict[str, Decimal]] = {
    unit: Decimal(1024**power) for power, unit in enumerate(("b", "kb", "mb", "gb", "tb"))
}
_DURATION_NAMES: Final = (
    (86_400_000_000, "day", "days"),
    (3_600_000_000, "hour", "hours"),
    (60_000_000, "min", "min"),
    (1_000_000, "sec", "sec"),
    (1_000, "ms", "ms"),
)
_SIZE_NAMES: Final = ((1024**4, "TB"), (1024**3, "GB"), (1024**2, "MB"), (1024, "KB"))

_DURATION_RULE: Final = "must be a duration such as '30 sec'"
_SIZE_RULE: Final = "must be a data size such as '1 MB'"
_RATE_RULE: Final = "must be a data rate such as '1 MB'"


def parse_duration(text: str) -> Microseconds:
    """``'30 sec'`` → microseconds. Fractions are fine; below a microsecond is rounded up.

    Raises PropertyError for anything else, a bare or negative number included.
    """
    return Microseconds(_parse(text, _DURATIONS, _DURATION_RULE))


def format_duration(microseconds: int) -> str:
    """Microseconds → the canonical text, in the largest unit that needs no fraction."""
    if microseconds == 0:
        return "0 sec"
    for length, one, many in _DURATION_NAMES:
        count, rest = divmod(microseconds, length)
        if not rest:
            return f"{count} {one if count == 1 else many}"
    return f"{microseconds} us"


def parse_size(text: str) -> Bytes:
    """``'1 MB'`` → bytes, 1024-based like NiFi; a fraction of a byte is rounded up.

    Raises PropertyError for anything else, a bare or negative number included.
    """
    return Bytes(_parse(text, _SIZES, _SIZE_RULE))


def format_size(size: int) -> str:
    """Bytes → the canonical text, in the largest unit that needs no fraction."""
    for length, unit in _SIZE_NAMES:
        if size and size % length == 0:
            return f"{size // length} {unit}"
    return f"{size} B"


class Microseconds(int):
    """What :func:`parse_duration` returned: an integer whose unit was written once."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _core_schema(_validated_duration, format_duration)


class Bytes(int):
    """What :func:`parse_size` returned: an integer whose unit was written once."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _core_schema(_validated_size, format_size)


class RateValue(NamedTuple):
    """How much may pass in some period that stands elsewhere.

    amount:  bytes when ``is_data``, else a number of things, at least 1
    is_data: whether a unit of data was written
    """

    amount: int
    is_data: bool

    def __str__(self) -> str:
        return format_size(self.amount) if self.is_data else str(self.amount)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _core_schema(_validated_rate, format_rate)


def parse_rate(value: str | int) -> RateValue:
    """``'1 MB'`` → bytes, ``100`` or ``'100'`` → a count. Nothing, or less, is no rate."""
    count = _count(value)
    rate = RateValue(count, False) if count is not None else _data_rate(value)
    if rate.amount < 1:
        _refuse(_RATE_RULE, value)
    return rate


def format_rate(rate: RateValue) -> str | int:
    """The canonical form: a JSON number for a count, text for an amount of data."""
    return str(rate) if rate.is_data else rate.amount


class Secret:
    """Text that hides itself: only :meth:`reveal` gives it away.

    It cannot be pickled, is the same object when copied, and is ``******`` in every dump.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself. Call it where it is used, never to keep the result."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret must not be pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _core_schema(cls._validate, lambda value: MASK)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "secret", "writeOnly": True}

    @classmethod
    def _validate(cls, value: object) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, str):
            return cls(value)
        # The value may be the secret itself, written without quotes: name its type alone.
        raise PropertyError(f"must be text; got a value of type {type(value).__name__}")


class _Unit:
    """Metadata that makes ``Annotated[int, …]`` a property type read from and written as text."""

    def __init__(
        self, parse: Callable[[Any], Any], write: Callable[[Any], Any], schema: JsonSchemaValue
    ) -> None:
        self.parse, self.write, self.schema = parse, write, schema

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        # A default is written to the JSON Schema as it stands, often already as text.
        return _core_schema(self.parse, lambda v: v if isinstance(v, str) else self.write(v))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self.schema)


def _parse(value: object, units: dict[str, Decimal], rule: str) -> int:
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    unit = units.get(match[2].lower()) if match else None
    if match is None or unit is None:
        _refuse(rule, value)
    amount = int((Decimal(match[1]) * unit).to_integral_value(ROUND_CEILING))
    if amount > _LARGEST:
        _refuse(f"{rule} and below 2^63", value)
    return amount


def _count(value: object) -> int | None:
    """The number of things that a rate counts, or None where it is not a bare number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _COUNT.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match else None


def _data_rate(value: object) -> RateValue:
    return RateValue(_parse(value, _SIZES, _RATE_RULE), True)


def _validated_duration(value: Any) -> int:
    return int(value if isinstance(value, Microseconds) else parse_duration(value))


def _validated_size(value: Any) -> int:
    return int(value if isinstance(value, Bytes) else parse_size(value))


def _validated_rate(value: Any) -> RateValue:
    return value if isinstance(value, RateValue) else parse_rate(value)


def _refuse(rule: str, value: object) -> NoReturn:
    raise PropertyError(f"{rule}; got {value!r:.80}")


def _core_schema(parse: Callable[[Any], Any], write: Callable[[Any], Any]) -> CoreSchema:
    """Validation by ``parse``, its message kept as it is, and serialisation by ``write``."""
    from pydantic_core import PydanticCustomError, core_schema

    def validate(value: Any) -> Any:
        try:
            return parse(value)
        except PropertyError as error:
            raise PydanticCustomError("unit", "{message}", {"message": str(error)}) from None

    return core_schema.no_info_plain_validator_function(
        validate, serialization=core_schema.plain_serializer_function_ser_schema(write)
    )


if TYPE_CHECKING:
    Duration = int
    DataSize = int
    Rate = RateValue
else:
    Duration = Annotated[
        int,
        _Unit(_validated_duration, format_duration, {"type": "string", "format": "duration"}),
    ]
    DataSize = Annotated[
        int, _Unit(_validated_size, format_size, {"type": "string", "format": "data-size"})
    ]
    Rate = Annotated[
        RateValue,
        _Unit(_validated_rate, format_rate, {"type": ["string", "integer"], "format": "rate"}),
    ]
