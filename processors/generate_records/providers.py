"""Where the fields of a made-up record get their values.

Record ``n`` is a pure function of the seed and ``n``: nothing is drawn from a sequence, so that
going on at record one million costs nothing (E13). The quick providers hash the seed, the field
and ``n``, with SHAKE128 by the block or with SplitMix64 (Steele, Lea, Flood 2014) for a single
number; the others are Faker's, whose generator is seeded anew for each record. Faker is imported
only when a field names one of them.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b, shake_128
from itertools import accumulate
from struct import Struct
from typing import Any, ClassVar, Final, Literal, TypeAlias, TypeVar, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from flowengine.units import Duration, parse_duration

Value: TypeAlias = Any  # what JSON can hold
Column: TypeAlias = Callable[[int, int], list[Value]]  # of records from one number up to another
Definition: TypeAlias = str | dict[str, Any]

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
_BLOCK: Final = 64
_pack: Final = Struct("<QQ").pack
_unpack: Final = Struct(f"<{_BLOCK}Q").unpack


def mix(number: int) -> int:
    """64 bits that look random, the same for the same number (SplitMix64)."""
    number = number * _GOLDEN & _MASK
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & _MASK
    return number ^ (number >> 31)


def numbers(seed: int, first: int, last: int) -> list[int]:
    """Numbers ``first`` up to ``last`` of a sequence of 64 random bits each.

    SHAKE128 of the seed and a counter of blocks: a tenth of what ``mix`` costs in Python.
    """
    made: list[int] = []
    for block in range(first // _BLOCK, -(-last // _BLOCK)):
        made += _unpack(shake_128(_pack(seed, block)).digest(8 * _BLOCK))
    skip = first % _BLOCK
    return made[skip : skip + last - first]


class Provider(BaseModel):
    """A quick provider and its arguments. ``column`` gives the function that makes its values."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[str]

    def column(self, seed: int, now: Callable[[], int]) -> Column:
        """The function; ``now`` is the wall clock in µs."""
        raise NotImplementedError


class Sequence(Provider):
    """``start``, ``start + step``, …"""

    name = "sequence"
    start: int = 1
    step: int = 1

    def column(self, seed: int, now: Callable[[], int]) -> Column:
        start, step = self.start, self.step
        return lambda a, b: [start + n * step for n in range(a, b)]


class Constant(Provider):
    """Always the same value."""

    name = "constant"
    value: Any

    def column(self, seed: int, now: Callable[[], int]) -> Column:
        value = self.value
        return lambda a, b: [value] * (b - a)


class Uuid(Provider):
    """A random UUID, version 4."""

    name = "uuid"

    def column(self, seed: int, now: Callable[[], int]) -> Column:
        def uuids(a: int, b: int) -> list[str]:
            halves = numbers(seed, 2 * a, 2 * b)
            return [_uuid(*pair) for pair in zip(halves[::2], halves[1::2], strict=True)]

        return uuids


class RandomInt(Provider):
    """A whole number from ``min`` to ``max``, both included."""

    name = "random_int"
    min: int = 0
    max: int = 9999

    @model_validator(mode="after")
    def _ordered(self) -> RandomInt:
        return _ordered(self)

    def column(self, seed: int, now: Callable[[], int]) -> Column:
        low, span = self.min, self.max - self.min + 1
        return lambda a, b: [low + x % span for x in numbers(seed, a, b)]


class RandomFloat(Provider):
    """A number from ``min`` up to ``max``."""

    name = "random_float"
    min: float = 0.0
    max: float = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> RandomFloat:
        return _ordered(self)

    def column(self, seed: int, now: Callable[[], int]) -> Column:
        low, scale = self.min, (self.max - self.min) / 2**64
        return lambda a, b: [low + x * scale for x in numbers(seed, a, b)]


class Choice(Provider):
    """One of ``values``, in the proportion of ``weights`` where they are given."""

    name = "choice"
    values: tuple[Any, ...] = Field(min_length=1)
    weights: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _as_many(self) -> Choice:
        fits = not self.weights or len(self.weights) == len(self.values)
        if not fits or min(self.weights, default=1) < 0 or sum(self.weights or (1,)) <= 0:
            raise ValueError("weights must be one number per value, not negative and not all 0")
        return self

    def column(self, seed: int, now: Callable[[], int]) -> Column:
        values, count = self.values, len(self.values)
        if not self.weights:
            return lambda a, b: [values[x % count] for x in numbers(seed, a, b)]
        bounds = list(accumulate(self.weights))
        scale, last = bounds[-1] / 2**64, count - 1
        return lambda a, b: [
            values[bisect(bounds, x * scale, 0, last)] for x in numbers(seed, a, b)
        ]


class Instant(Provider):
    """Base of the providers whose value is a time, and may be the event time of a FlowFile."""

    format: Literal["iso", "ms", "us"] = "iso"

    def instant(self, seed: int, now: Callable[[], int]) -> Callable[[int], int]:
        """The function of a record's number that gives µs since the epoch."""
        raise NotImplementedError

    def column(self, seed: int, now: Callable[[], int]) -> Column:
        instant = self.instant(seed, now)
        if self.format == "iso":
            return lambda a, b: [_iso(instant(n)) for n in range(a, b)]
        unit = 1000 if self.format == "ms" else 1
        return lambda a, b: [instant(n) // unit for n in range(a, b)]


class Timestamp(Instant):
    """``start``, ``start + step``, …, each up to ``jitter`` earlier."""

    name = "timestamp"
    start: AwareDatetime = datetime(2026, 1, 1, tzinfo=UTC)
    step: Duration = parse_duration("1 sec")
    jitter: Duration = parse_duration("0 sec")

    def instant(self, seed: int, now: Callable[[], int]) -> Callable[[int], int]:
        start, step, spread = int(self.start.timestamp() * 1_000_000), self.step, self.jitter + 1
        return lambda n: start + n * step - mix(seed + n) % spread


class Now(Instant):
    """The time at which the record is made: the only value that does not follow from the seed."""

    name = "now"

    def instant(self, seed: int, now: Callable[[], int]) -> Callable[[int], int]:
        return lambda n: now()


QUICK: Final[Mapping[str, type[Provider]]] = {
    cls.name: cls
    for cls in (Sequence, Constant, Uuid, RandomInt, RandomFloat, Choice, Timestamp, Now)
}


def quick(definition: Definition) -> Provider | None:
    """The quick provider that a field asks for, or None when it asks for one of Faker's.

    Raises pydantic's ValidationError, a ValueError, when an argument is wrong.
    """
    name, arguments = split(definition)
    cls = QUICK.get(name)
    return None if cls is None else TypeAdapter(cls).validate_python(arguments)


def split(definition: Definition) -> tuple[str, dict[str, Any]]:
    """A field's definition as the name of its provider and the arguments."""
    if isinstance(definition, str):
        return definition, {}
    arguments = dict(definition)
    name = arguments.pop("provider", None)
    if not isinstance(name, str):
        raise ValueError("must name a 'provider'")
    return name, arguments


def seed_of(seed: int, text: str) -> int:
    """A number of 64 bits from the seed and a name, the same on every machine."""
    return int.from_bytes(blake2b(f"{seed}/{text}".encode(), digest_size=8).digest())


Range = TypeVar("Range", RandomInt, RandomFloat)


class FakerFields:
    """The fields of a record that Faker makes, for one locale."""

    def __init__(self, definitions: Mapping[str, Definition], locale: str, seed: int) -> None:
        from faker import Factory

        try:
            self._generator = Factory.create(locale)
        except AttributeError:
            raise ValueError(f"locale must be one of Faker's; got {locale!r}") from None
        self._seed = seed_of(seed, "faker")
        self._calls = [(name, *self._call(d)) for name, d in definitions.items()]

    def _call(self, definition: Definition) -> tuple[Callable[..., Value], dict[str, Any]]:
        provider, arguments = split(definition)
        method = getattr(self._generator, provider, None)
        if method is None or hasattr(type(self._generator), provider) or not callable(method):
            raise ValueError(
                f"provider must be {', '.join(QUICK)} or one of Faker's; got {provider!r}"
            )
        return cast(Callable[..., Value], method), arguments

    def make(self, n: int) -> dict[str, Value]:
        """The fields of record ``n``."""
        self._generator.seed_instance(mix(self._seed + n))
        return {name: method(**arguments) for name, method, arguments in self._calls}


def _ordered(provider: Range) -> Range:
    if provider.min > provider.max:
        raise ValueError(f"min must not be above max; got {provider.min} and {provider.max}")
    return provider


def _uuid(high: int, low: int) -> str:
    text = f"{high:016x}{low & (_MASK >> 2) | 1 << 63:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{text[16:20]}-{text[20:]}"


def _iso(instant: int) -> str:
    seconds, micros = divmod(instant, 1_000_000)
    text = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros).isoformat()
    return text.replace("+00:00", "Z")
