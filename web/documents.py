"""Finding one's way in a flow definition that is still being drawn, as plain JSON data.

Ids are paths: ``group/inner/slug``. A draft may be wrong in many ways, so nothing here trusts more
than that the document is an object.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import orjson

Json: TypeAlias = dict[str, Any]

#: Kinds whose components are drawn and so share one space of ids in a group.
DRAWN = ("processors", "inputs", "outputs", "funnels", "groups", "labels")
KINDS = (*DRAWN, "services", "parameters", "connections")
ENDS = ("from", "to")


def copied(value: Any) -> Any:
    """A deep copy of JSON data."""
    return orjson.loads(orjson.dumps(value))


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; 1 is not true, and the order of keys does not count."""
    options = orjson.OPT_SORT_KEYS
    return orjson.dumps(one, option=options) == orjson.dumps(other, option=options)


def split(kind: str, id: str) -> tuple[tuple[str, ...], str]:
    """Groups around a component, and its own slug."""
    if kind == "parameters":
        return (), id
    *groups, slug = id.split("/")
    return tuple(groups), slug


def joined(groups: tuple[str, ...], slug: str) -> str:
    """The id of a slug in a group."""
    return "/".join((*groups, slug))


def body_of(document: Json, groups: tuple[str, ...]) -> Json | None:
    """The group (or the flow itself) with this path; None where there is none to edit."""
    body: Any = document
    for slug in groups:
        entries = body.get("groups")
        body = entries.get(slug) if isinstance(entries, dict) else None
        if not isinstance(body, dict) or "flow" in body:
            return None
    found: Json = body
    return found


def section_of(body: Json, kind: str) -> Json:
    """The entries of one kind in a group; an empty object when there are none."""
    entries = body.get(kind)
    return entries if isinstance(entries, dict) else {}


def connections_of(body: Json) -> list[Any]:
    """The connections of a group."""
    entries = body.get("connections")
    return entries if isinstance(entries, list) else []


def bodies(document: Json, groups: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The flow and all groups written in it, each with its path."""
    yield groups, document
    for slug, entry in section_of(document, "groups").items():
        if isinstance(entry, dict) and "flow" not in entry:
            yield from bodies(entry, (*groups, slug))


def slug_of(connection: Any) -> str:
    """The slug of a connection (E8): its id, else ``from-to``."""
    if not isinstance(connection, dict):
        return ""
    return str(connection.get("id") or f"{connection.get('from')}-{connection.get('to')}")


def find_connection(document: Json, id: str) -> tuple[tuple[str, ...], list[Any], int] | None:
    """Groups around a connection, the list it stands in, and its place there."""
    for groups, body in bodies(document):
        prefix = joined(groups, "")
        if not id.startswith(prefix):
            continue
        entries = connections_of(body)
        for index, entry in enumerate(entries):
            if slug_of(entry) == id[len(prefix) :]:
                return groups, entries, index
    return None


def find(document: Json, kind: str, id: str) -> Any:
    """The value of a component, or None. The flow itself has the kind ``flow``."""
    if kind == "flow":
        return document
    if kind == "connections":
        place = find_connection(document, id)
        return place[1][place[2]] if place else None
    groups, slug = split(kind, id)
    body = body_of(document, groups)
    return section_of(body, kind).get(slug) if body is not None else None


def kind_of(document: Json, id: str) -> str | None:
    """The kind of what is drawn under an id."""
    groups, slug = split("", id)
    body = body_of(document, groups)
    if body is None:
        return None
    return next((kind for kind in DRAWN if slug in section_of(body, kind)), None)


def value_at(value: Any, path: Sequence[str | int]) -> Any:
    """The part of a JSON value at a path; None where there is none."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def is_end(name: Any, slug: str, kind: str) -> bool:
    """Whether an end of a connection names a component of its own group."""
    if not isinstance(name, str):
        return False
    return name == slug or (kind == "groups" and name.startswith(f"{slug}/"))


def layout_of(document: Json) -> Json:
    """Positions by id."""
    return section_of(document, "layout")


def names_secret(document: Json) -> Iterator[str]:
    """Names of sensitive parameters whose value stands in the document all the same."""
    for name, entry in section_of(document, "parameters").items():
        if isinstance(entry, dict) and entry.get("sensitive") and entry.get("value") is not None:
            yield name


def masked(document: Json) -> Json:
    """The document without values of sensitive parameters; they should not stand there at all."""
    names = list(names_secret(document))
    if not names:
        return document
    shown: Json = copied(document)
    for name in names:
        shown["parameters"][name]["value"] = "******"
    return shown
