"""Hypothesis strategies: flow definitions as data, and the text that a user may type."""

import json
import random
from typing import Any

from hypothesis import strategies as st

SLUGS = st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,8}[a-z0-9])?", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
DURATIONS = st.builds(
    "{} {}".format, st.integers(0, 10_000), st.sampled_from(["ms", "sec", "min", "h", "days"])
)
SIZES = st.builds("{} {}".format, st.integers(0, 10_000), st.sampled_from(["B", "KB", "MB", "GB"]))
COUNTS = st.integers(0, 1_000_000)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
PRIORITIZERS = st.lists(
    st.sampled_from(["first in first out", "newest first", "oldest first", "priority attribute"]),
    unique=True,
    max_size=2,
)


def objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict]:
    """JSON objects with some of the optional keys."""
    return st.fixed_dictionaries(required, optional=optional)


def maps(values: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[dict]:
    """Objects from slugs to values."""
    return st.dictionaries(SLUGS, values, max_size=most)


PROPERTIES = st.dictionaries(TEXT, JSON, max_size=4)
RETRIES = objects(
    {}, {"count": COUNTS, "backoff": st.sampled_from(["penalize", "yield"]), "maximum": DURATIONS}
)
SCHEDULING = objects(
    {},
    {
        "every": DURATIONS,
        "cron": TEXT,
        "once": st.booleans(),
        "concurrent_tasks": st.integers(1, 64),
        "batch_size": st.integers(1, 1000),
        "run_duration": DURATIONS,
    },
)
PROCESSORS = objects(
    {"type": TEXT},
    {
        "name": TEXT,
        "properties": PROPERTIES,
        "auto_terminate": st.lists(TEXT, max_size=3),
        "retry": st.dictionaries(TEXT, RETRIES, max_size=2),
        "scheduling": SCHEDULING,
        "disabled": st.booleans(),
        "penalty": DURATIONS,
        "yield": DURATIONS,
        "bulletin_level": st.sampled_from(["debug", "info", "warning", "error", "none"]),
        "comments": TEXT,
    },
)
SERVICES = objects({"type": TEXT}, {"name": TEXT, "properties": PROPERTIES, "comments": TEXT})
CONNECTIONS = objects(
    {"from": TEXT, "to": TEXT},
    {
        "id": SLUGS,
        "name": TEXT,
        "relationships": st.lists(TEXT, max_size=3),
        "back_pressure": objects({}, {"objects": COUNTS, "bytes": SIZES}),
        "expiration": DURATIONS,
        "prioritizers": PRIORITIZERS,
    },
)
_PORTS = maps(objects({}, {"name": TEXT, "comments": TEXT}))
_LABELS = maps(objects({"text": TEXT}, {"width": st.integers(1, 999), "colour": TEXT}))
_SCALARS = TEXT | st.booleans() | NUMBERS
_REFERENCES = objects(
    {"flow": TEXT},
    {"name": TEXT, "parameters": st.dictionaries(TEXT, _SCALARS, max_size=2), "comments": TEXT},
)


def _body(groups: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "services": maps(SERVICES, 2),
        "inputs": _PORTS,
        "outputs": _PORTS,
        "processors": maps(PROCESSORS),
        "funnels": maps(objects({}, {"comments": TEXT})),
        "groups": maps(groups, 2),
        "connections": st.lists(CONNECTIONS, max_size=3),
        "labels": _LABELS,
    }


_GROUPS = st.recursive(
    _REFERENCES,
    lambda inner: objects({}, {"name": TEXT, "comments": TEXT, **_body(inner)}),
    max_leaves=2,
)
_PARAMETER_NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,8}", fullmatch=True)
_PARAMETERS = objects({}, {"value": _SCALARS, "env": TEXT, "description": TEXT})

#: Definitions whose structure is right, whatever their types and graph are.
DEFINITIONS = objects(
    {"format": st.just(1), "name": SLUGS},
    {
        "description": TEXT,
        "parameters": st.dictionaries(_PARAMETER_NAMES, _PARAMETERS, max_size=3),
        **_body(_GROUPS),
        "layout": st.dictionaries(TEXT, st.tuples(NUMBERS, NUMBERS).map(list), max_size=3),
    },
)


def mutated(text: str, rng: random.Random) -> bytes:
    """A flow file with one to three things wrong, as hands and disks make them."""
    data: str | bytes = text
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(_MUTATIONS)(data, rng)
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")


def _on_value(change: Any) -> Any:
    def mutate(data: str | bytes, rng: random.Random) -> str | bytes:
        try:
            value = json.loads(data)
        except ValueError:
            return data
        holders = [holder for holder in _holders(value) if holder]
        if holders:
            holder = rng.choice(holders)
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            change(holder, rng.choice(keys), rng, value)
        return json.dumps(value, indent=rng.choice([None, 2]), ensure_ascii=False)

    return mutate


def _holders(value: Any) -> list[Any]:
    """All objects and arrays of a JSON value, however deep it is."""
    found, waiting = [], [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict | list):
            found.append(holder)
            waiting += holder.values() if isinstance(holder, dict) else holder
    return found


def _delete(holder: Any, key: Any, rng: random.Random, root: Any) -> None:
    del holder[key]


_ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "#{x}",
    "##{",
    "{{",
    "🙈",
    [],
    {},
    [[]],
    {"a": 1},
]


def _replace(holder: Any, key: Any, rng: random.Random, root: Any) -> None:
    holder[key] = rng.choice(_ODD)


def _swap(holder: Any, key: Any, rng: random.Random, root: Any) -> None:
    other = rng.choice([found for found in _holders(root) if found])
    holder[key] = (
        json.loads(json.dumps(other[rng.choice(list(other))]))
        if isinstance(other, dict)
        else json.loads(json.dumps(rng.choice(other)))
    )


def _typo_key(holder: Any, key: Any, rng: random.Random, root: Any) -> None:
    if isinstance(holder, dict):
        holder[_typo(key, rng)] = holder.pop(key)
    else:
        holder[key] = _typo(str(holder[key]), rng)


def _typo(text: str, rng: random.Random) -> str:
    place = rng.randint(0, len(text))
    letter = rng.choice(["", "x", " ", "/", "ß", "\u0000", text[place : place + 1] * 2])
    return text[:place] + letter + text[place + rng.randint(0, 1) :]


def _nest(holder: Any, key: Any, rng: random.Random, root: Any) -> None:
    for _ in range(rng.choice([1, 5, 100])):
        holder[key] = {key: holder[key]} if isinstance(holder, dict) else [holder[key]]


def _truncate(data: str | bytes, rng: random.Random) -> str | bytes:
    return data[: rng.randint(0, len(data))]


def _insert(data: str | bytes, rng: random.Random) -> str | bytes:
    place = rng.randint(0, len(data))
    if isinstance(data, bytes):
        return data[:place] + rng.randbytes(3) + data[place:]
    piece: str = rng.choice([*'{}[]",:\\ \n0-.eE#', "NaN", "null", "\\ud800", "//", "\u2028"])
    return data[:place] + piece + data[place + rng.randint(0, 2) :]


def _break_bytes(data: str | bytes, rng: random.Random) -> str | bytes:
    raw = bytearray(data if isinstance(data, bytes) else data.encode())
    if raw:
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


def _duplicate(data: str | bytes, rng: random.Random) -> str | bytes:
    lines: list[Any] = data.splitlines(keepends=True)
    if lines:
        lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return b"".join(lines) if isinstance(data, bytes) else "".join(lines)


_MUTATIONS = [
    *(_on_value(change) for change in (_delete, _replace, _swap, _typo_key, _nest)),
    *(_on_value(change) for change in (_delete, _replace, _swap, _typo_key)),
    _truncate,
    _insert,
    _break_bytes,
    _duplicate,
]
