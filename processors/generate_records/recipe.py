"""From a schema to records, and what is wrong with a schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from processors.generate_records.providers import (
    Column,
    Definition,
    FakerFields,
    Instant,
    Provider,
    quick,
    seed_of,
)

if TYPE_CHECKING:
    from processors.generate_records.properties import RecordProperties


class Recipe:
    """How to make records. Raises ValueError when the properties do not fit together."""

    def __init__(self, properties: RecordProperties, now: Callable[[], int]) -> None:
        self._names: list[str] = []
        self._columns: list[Column] = []
        self.instant: Callable[[int], int] | None = None
        schema: Mapping[str, Definition] = properties.schema
        slow: dict[str, Definition] = {}
        for name, definition in schema.items():
            provider = _parsed(name, definition)
            seed = seed_of(properties.seed, name)
            if provider is None:
                slow[name] = definition
                continue
            self._names.append(name)
            self._columns.append(provider.column(seed, now))
            if name == properties.event_time and isinstance(provider, Instant):
                self.instant = provider.instant(seed, now)
        self._faker = _faker(slow, properties)
        self._order = list(schema)
        _check(properties, self)

    @property
    def slow(self) -> bool:
        """Whether Faker takes part."""
        return self._faker is not None

    def records(self, first: int, last: int) -> list[dict[str, Any]]:
        """Records from ``first`` up to ``last``, their fields in the order of the schema."""
        if not self._columns:
            made: list[dict[str, Any]] = [{} for _ in range(first, last)]
        else:
            columns, names = [column(first, last) for column in self._columns], self._names
            made = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        if self._faker is None:
            return made
        for n, record in enumerate(made, first):
            record.update(self._faker.make(n))
        return [{name: record[name] for name in self._order} for record in made]


def _parsed(name: str, definition: Definition) -> Provider | None:
    try:
        return quick(definition)
    except ValueError as error:
        raise _wrong(f"field {name!r} {_reason(error)}") from None


def _reason(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    place = ".".join(map(str, first["loc"])) or "its arguments"
    return f"argument {place}: {first['msg'].removeprefix('Value error, ')}"


def _faker(slow: Mapping[str, Definition], properties: RecordProperties) -> FakerFields | None:
    if not slow:
        return None
    try:
        faker = FakerFields(slow, properties.locale, properties.seed)
        faker.make(0)
    except (ValueError, TypeError) as error:
        raise _wrong(f"fields {', '.join(slow)}: {error}") from None
    return faker


def _check(properties: RecordProperties, recipe: Recipe) -> None:
    unknown = [name for name in properties.attributes.values() if name not in properties.schema]
    if unknown:
        raise _wrong(f"attributes must name fields of the schema; got {unknown[0]!r}")
    if properties.event_time is not None and recipe.instant is None:
        raise _wrong(
            f"event_time must name a field made by timestamp or now; got {properties.event_time!r}"
        )
    if properties.format == "json" and properties.records_per_flowfile > 1:
        count = properties.records_per_flowfile
        raise _wrong(f"records_per_flowfile must be 1 with format json; got {count}. Use ndjson")


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("schema", "{message}", {"message": message})
