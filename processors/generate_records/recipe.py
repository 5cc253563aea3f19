"""From a schema to records, and what is wrong with a schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from processors.generate_records.providers import (
    Column,
    Definition,
    FakerFields,
    Instant,
    quick,
    seed_of,
)

if TYPE_CHECKING:
    from processors.generate_records.properties import RecordProperties


class Recipe:
    """How to make records, from properties that have been checked."""

    def __init__(self, properties: RecordProperties, now: Callable[[], int]) -> None:
        self._names: list[str] = []
        self._columns: list[Column] = []
        self.instant: Callable[[int], int] | None = None
        schema: Mapping[str, Definition] = properties.schema
        slow: dict[str, Definition] = {}
        for name, definition in schema.items():
            provider = quick(definition)
            seed = seed_of(properties.seed, name)
            if provider is None:
                slow[name] = definition
                continue
            self._names.append(name)
            self._columns.append(provider.column(seed, now))
            if name == properties.event_time and isinstance(provider, Instant):
                self.instant = provider.instant(seed, now)
        self._faker = FakerFields(slow, properties.locale, properties.seed) if slow else None
        self._order = list(schema)

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


def check_schema(schema: Mapping[str, Definition], locale: str) -> None:
    """Make each field once. Raises ValueError naming the first that cannot be made."""
    for name, definition in schema.items():
        try:
            if quick(definition) is None:
                FakerFields({name: definition}, locale, 0).make(0)
        except (ValueError, TypeError) as error:
            raise ValueError(f"must be made right: field {name!r} {_reason(error)}") from None


def is_instant(definition: Definition) -> bool:
    """Whether a field is a time."""
    return isinstance(quick(definition), Instant)


def _reason(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    place = f"argument {'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
    return f"{place}{first['msg'].removeprefix('Value error, ')}"
