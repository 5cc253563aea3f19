"""The named operations on a draft. Pure: a document and operations give a new document.

Every operation gives its inverse, so that undo needs no second vocabulary. An inverse carries
``undo``: it is refused when somebody else has changed the same thing since (see ``merging``).

============  ==================================================================================
``add``       ``kind``, ``id``, ``value``; optional ``position`` and ``index`` in its section
``remove``    ``kind``, ``id``; takes connections and positions along, the inverse restores them
``set``       ``kind`` or ``flow``, ``id``, ``path``, ``value`` (null unsets), ``before``
``move``      ``positions`` {id: [x, y] or null}, ``before``, ``index`` {id: place}
``rename``    ``kind``, ``id``, ``to``: in the same group; ends, positions and ``#{…}`` follow
============  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flowengine.definition.model import SLUG, SLUG_RULE
from flowengine.errors import DefinitionError
from web import documents
from web.documents import ENDS, Json, joined, split
from web.renaming import rename_parameter, rename_slug


class OperationRefused(DefinitionError):
    """An operation that makes no sense on this document. ``component`` is what it is about."""

    def __init__(self, message: str, component: str = "", pointer: str = "") -> None:
        super().__init__(message)
        self.component = component
        self.pointer = pointer


class Missing(OperationRefused):
    """An operation on a component that is not there."""


def apply(document: Json, operations: Sequence[Json]) -> tuple[Json, list[Json]]:
    """The document after the operations, and what takes them back, in the order to apply it.

    Raises OperationRefused for one that cannot be applied; ``document`` is never changed.
    """
    after: Json = documents.copied(document)
    inverses: list[Json] = []
    for number, operation in enumerate(operations):
        try:
            back = apply_one(after, operation)
        except OperationRefused as error:
            error.pointer = f"/operations/{number}"
            raise
        inverses = back + inverses
    return after, inverses


def apply_one(document: Json, operation: Json) -> list[Json]:
    """Change the document in place; returns the inverse."""
    return [{**back, "undo": True} for back in _APPLY[operation["op"]](document, operation)]


# -- add ---------------------------------------------------------------------------------------


def _add(document: Json, operation: Json) -> list[Json]:
    kind, id, value = operation["kind"], operation["id"], documents.copied(operation["value"])
    present = documents.find(document, kind, id)
    if present is not None:
        if documents.same(present, value):
            return []  # the answer to the first try was lost
        raise OperationRefused(f"{kind} {id!r} must be a new id; got one that is used", id)
    if kind == "connections":
        id = _add_connection(document, id, value, operation.get("index"))
    else:
        _add_entry(document, kind, id, value, operation.get("index"))
    if operation.get("position") is not None:
        _set_position(document, id, operation["position"])
    _refuse_open_secret(document, kind, id)
    return [{"op": "remove", "kind": kind, "id": id, "before": value}]


def _add_entry(document: Json, kind: str, id: str, value: Any, index: int | None) -> None:
    groups, slug = split(kind, id)
    body = _body(document, groups, kind, id)
    taken = documents.kind_of(document, id) if kind in documents.DRAWN else None
    if taken is not None:
        raise OperationRefused(f"{kind} {id!r} must be a new id; got one of {taken}", id)
    if kind != "parameters" and not SLUG.fullmatch(slug):
        raise OperationRefused(f"{kind} {id!r} {SLUG_RULE}; got {slug!r}", id)
    body[kind] = _inserted(documents.section_of(body, kind), slug, value, index)


def _add_connection(document: Json, id: str, value: Any, index: int | None) -> str:
    if not isinstance(value, dict) or not all(isinstance(value.get(end), str) for end in ENDS):
        raise OperationRefused(f"connection {id!r} must have 'from' and 'to'; got neither", id)
    groups, value = _placed(id, value)
    body = _body(document, groups, "connections", id)
    for end in ENDS:
        if not _has_end(body, value[end]):
            raise Missing(
                f"connection {id!r}: {end!r} must name a component of its group; "
                f"got {value[end]!r}",
                id,
            )
    entries = documents.connections_of(body)
    entries.insert(len(entries) if index is None else index, value)
    body["connections"] = entries
    return joined(groups, documents.slug_of(value))


def _placed(id: str, value: Json) -> tuple[tuple[str, ...], Json]:
    """The group that a connection's id means, and its value with an id if that is not E8's."""
    slug = documents.slug_of(value)
    if id == slug:
        return (), value
    if id.endswith(f"/{slug}"):
        return tuple(id[: -len(slug) - 1].split("/")), value
    groups, own = split("connections", id)
    if value.get("id") or not SLUG.fullmatch(own):
        raise OperationRefused(
            f"connection {id!r} must be called {slug!r} or have that 'id'; got another", id
        )
    return groups, {"id": own, **value}


def _has_end(body: Json, name: str) -> bool:
    group, _, port = name.rpartition("/")
    if not group:
        near = ("processors", "funnels", "inputs", "outputs")
        return any(name in documents.section_of(body, kind) for kind in near)
    inner = documents.section_of(body, "groups").get(group)
    if not isinstance(inner, dict):
        return False
    ports = ("inputs", "outputs")
    return "flow" in inner or any(port in documents.section_of(inner, kind) for kind in ports)


def _inserted(entries: Json, key: str, value: Any, index: int | None) -> Json:
    """An object with one more entry, at a place."""
    items = list(entries.items())
    items.insert(len(items) if index is None else index, (key, value))
    return dict(items)


# -- remove ------------------------------------------------------------------------------------


def _remove(document: Json, operation: Json) -> list[Json]:
    kind, id = operation["kind"], operation["id"]
    if documents.find(document, kind, id) is None:
        return []  # gone is gone, whoever did it
    if kind == "connections":
        return [_take_connection(document, id)]
    groups, slug = split(kind, id)
    body = _body(document, groups, kind, id)
    taken = [_take_connection(document, one) for one in attached(document, kind, id)]
    entries = documents.section_of(body, kind)
    index = list(entries).index(slug)
    back = {"op": "add", "kind": kind, "id": id, "index": index, "value": entries.pop(slug)}
    _prune(body, kind)
    return [back, *reversed(taken), *_take_positions(document, kind, id)]


def attached(document: Json, kind: str, id: str) -> list[str]:
    """Ids of the connections that end at a component, the last ones of each list first."""
    groups, slug = split(kind, id)
    found = _ending_at(document, groups, slug, kind) if kind in documents.DRAWN else []
    if kind in ("inputs", "outputs") and groups:  # connections from outside the group
        found += _ending_at(document, groups[:-1], f"{groups[-1]}/{slug}", kind)
    return found


def _ending_at(document: Json, groups: tuple[str, ...], name: str, kind: str) -> list[str]:
    body = documents.body_of(document, groups)
    entries = documents.connections_of(body) if body is not None else []
    return [
        joined(groups, documents.slug_of(entry))
        for entry in reversed(entries)
        if isinstance(entry, dict)
        and any(documents.is_end(entry.get(end), name, kind) for end in ENDS)
    ]


def _take_connection(document: Json, id: str) -> Json:
    """Remove a connection; returns the operation that puts it back."""
    place = documents.find_connection(document, id)
    assert place is not None
    groups, entries, index = place
    value = entries.pop(index)
    body = documents.body_of(document, groups)
    if not entries and body is not None:
        del body["connections"]
    return {"op": "add", "kind": "connections", "id": id, "value": value, "index": index}


def _take_positions(document: Json, kind: str, id: str) -> list[Json]:
    """Remove the positions of a component and of what is in it; returns what puts them back."""
    layout = documents.layout_of(document)
    inside = f"{id}/"
    places = {name: number for number, name in enumerate(layout)}
    names = [name for name in layout if name == id or name.startswith(inside)]
    if kind not in documents.DRAWN or not names:
        return []
    taken = {name: layout.pop(name) for name in names}
    _prune(document, "layout")
    return [{"op": "move", "positions": taken, "index": {name: places[name] for name in names}}]


def _prune(body: Json, key: str) -> None:
    if key in body and not body[key]:
        del body[key]


# -- set ---------------------------------------------------------------------------------------


def _set(document: Json, operation: Json) -> list[Json]:
    kind, id, path = operation["kind"], operation.get("id", ""), list(operation["path"])
    component = documents.find(document, kind, id)
    if not isinstance(component, dict):
        raise Missing(f"{kind} {id!r} must be in the draft; got an unknown id", id)
    if kind == "flow" and path[0] in (*documents.KINDS, "layout", "format"):
        raise OperationRefused(
            f"flow property must be one of its own, such as 'description'; got {path[0]!r}", id
        )
    old, value = documents.value_at(component, path), operation.get("value")
    back: Json = {"op": "set", "kind": kind, "id": id, "path": path, "value": old, "before": value}
    if value is None:
        index = _unset(component, path)
        if index is not None:
            back["index"] = index
    else:
        _put(component, path, documents.copied(value), operation.get("index"), id)
    if kind == "connections":
        back["id"] = _renamed_connection(document, id, component)
    _refuse_open_secret(document, kind, id)
    return [back]


def _put(component: Json, path: list[Any], value: Any, index: int | None, id: str) -> None:
    parents: list[Any] = [component]
    for step in path[:-1]:
        parent = parents[-1]
        if isinstance(parent, dict):
            inner = parent.setdefault(str(step), {})
        else:
            inner = documents.value_at(parent, [step])
        if not isinstance(inner, dict | list):
            raise OperationRefused(
                f"path of {id!r} must lead through objects; got {step!r}, which is none", id
            )
        parents.append(inner)
    parent, key = parents[-1], path[-1]
    if isinstance(parent, list):
        if not isinstance(key, int) or not 0 <= key < len(parent):
            raise OperationRefused(f"path of {id!r} must name an entry; got {key!r}", id)
        parent[key] = value
    elif str(key) in parent or index is None:
        parent[str(key)] = value
    else:
        items = _inserted(parent, str(key), value, index)
        parent.clear()
        parent.update(items)


def _unset(component: Json, path: list[Any]) -> int | None:
    """Remove a key, and objects that are empty by that; returns its place among the keys."""
    parent = documents.value_at(component, path[:-1])
    key = str(path[-1])
    if not isinstance(parent, dict) or key not in parent:
        return None
    index = list(parent).index(key)
    del parent[key]
    for length in range(len(path) - 1, 0, -1):
        owner = documents.value_at(component, path[: length - 1])
        if isinstance(owner, dict) and owner.get(str(path[length - 1])) == {}:
            del owner[str(path[length - 1])]
    return index


def _renamed_connection(document: Json, id: str, connection: Json) -> str:
    """The id of a connection after a change; it must be the only one of that id."""
    for groups, body in documents.bodies(document):
        entries = documents.connections_of(body)
        if any(entry is connection for entry in entries):
            slug = documents.slug_of(connection)
            if [documents.slug_of(entry) for entry in entries].count(slug) > 1:
                raise OperationRefused(
                    f"connection {id!r} must have an 'id' of its own; got {slug!r}, which another "
                    "has",
                    id,
                )
            return joined(groups, slug)
    return id


# -- move and rename ---------------------------------------------------------------------------


def _move(document: Json, operation: Json) -> list[Json]:
    layout = documents.layout_of(document)
    old = {id: layout.get(id) for id in operation["positions"]}
    places = {id: number for number, id in enumerate(layout)}
    for id, position in operation["positions"].items():
        if position is not None and documents.kind_of(document, id) is None:
            raise Missing(f"component {id!r} must be in the draft to move; got an unknown id", id)
        _set_position(document, id, position, operation.get("index", {}).get(id))
    back: Json = {"op": "move", "positions": old, "before": dict(operation["positions"])}
    gone = [id for id, position in operation["positions"].items() if position is None]
    if index := {id: places[id] for id in gone if id in places}:
        back["index"] = index
    return [back]


def _set_position(document: Json, id: str, position: Any, index: int | None = None) -> None:
    layout = documents.layout_of(document)
    if position is None:
        layout.pop(id, None)
    elif id in layout:
        layout[id] = position
    else:
        layout = _inserted(layout, id, position, index)
    document["layout"] = layout
    _prune(document, "layout")


def _rename(document: Json, operation: Json) -> list[Json]:
    kind, id, to = operation["kind"], operation["id"], operation["to"]
    if documents.find(document, kind, id) is None:
        raise Missing(f"{kind} {id!r} must be in the draft; got an unknown id", id)
    (groups, old), (target, new) = split(kind, id), split(kind, to)
    if kind == "connections":
        raise OperationRefused(f"connection {id!r} must be renamed by its 'id'; got a rename", id)
    if groups != target:
        raise OperationRefused(f"{kind} {id!r} must stay in its group; got {to!r}", id)
    if kind != "parameters" and not SLUG.fullmatch(new):
        raise OperationRefused(f"{kind} {id!r} {SLUG_RULE}; got {new!r}", id)
    used = documents.find(document, kind, to) is not None
    if id != to and (used or (kind in documents.DRAWN and documents.kind_of(document, to))):
        raise OperationRefused(f"{kind} {id!r} must get a new id; got {to!r}, which is used", id)
    if kind == "parameters":
        rename_parameter(document, old, new)
    else:
        rename_slug(document, groups, kind, old, new)
    return [{"op": "rename", "kind": kind, "id": to, "to": id}]


# -- helpers -----------------------------------------------------------------------------------


def _body(document: Json, groups: tuple[str, ...], kind: str, id: str) -> Json:
    if kind == "parameters" and groups:
        raise OperationRefused(f"parameter {id!r} must stand in the flow itself", id)
    body = documents.body_of(document, groups)
    if body is None:
        raise Missing(
            f"{kind} {id!r} must stand in a group of this flow; got {'/'.join(groups)!r}", id
        )
    return body


def _refuse_open_secret(document: Json, kind: str, id: str) -> None:
    if kind == "parameters" and id in documents.names_secret(document):
        raise OperationRefused(
            f"parameter {id!r} must not hold a value when it is sensitive; name an 'env', a "
            "'file' or a 'store' instead",
            id,
        )


_APPLY: Mapping[str, Callable[[Json, Json], list[Json]]] = {
    "add": _add,
    "remove": _remove,
    "set": _set,
    "move": _move,
    "rename": _rename,
}
