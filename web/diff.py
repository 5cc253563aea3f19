"""What changed between two definitions, by component and property."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from web import documents
from web.documents import Json, joined

Change: TypeAlias = dict[str, Any]
_OPEN = ("properties", "scheduling", "retry", "back_pressure", "parameters")
_BODY = (*documents.KINDS, "layout", "format")


def changes(before: Json, after: Json) -> list[Change]:
    """The changes that make ``after`` out of ``before``: flow, components, then positions."""
    old, new = _components(before), _components(after)
    found = list(_inside("", "flow", _own(before), _own(after)))
    for key in [*old, *(key for key in new if key not in old)]:
        kind, id = key
        if key not in new:
            found.append({"kind": "removed", "type": kind, "component": id, "before": old[key]})
        elif key not in old:
            found.append({"kind": "added", "type": kind, "component": id, "after": new[key]})
        else:
            found += _inside(id, kind, old[key], new[key])
    return found + list(_moved(before, after))


def _components(document: Json) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for groups, body in documents.bodies(document):
        for kind in documents.KINDS:
            if kind == "connections":
                continue
            for slug, value in documents.section_of(body, kind).items():
                own = _own(value) if kind == "groups" and isinstance(value, dict) else value
                found[kind, joined(groups, slug)] = own
        for connection in documents.connections_of(body):
            found["connections", joined(groups, documents.slug_of(connection))] = connection
    return found


def _own(body: Json) -> Json:
    """A flow or group without what is in it; a reference keeps its parameters."""
    if "flow" in body:
        return body
    return {key: value for key, value in body.items() if key not in _BODY}


def _inside(id: str, kind: str, before: Any, after: Any) -> Iterator[Change]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        if not documents.same(before, after):
            yield _changed(id, kind, "", before, after)
        return
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if key in _OPEN and all(isinstance(one, dict | None) for one in (old, new)):
            for name in dict.fromkeys([*(old or {}), *(new or {})]):
                one, other = (old or {}).get(name), (new or {}).get(name)
                if not documents.same(one, other):
                    yield _changed(id, kind, f"{key}.{name}", one, other)
        elif not documents.same(old, new):
            yield _changed(id, kind, key, old, new)


def _changed(id: str, kind: str, name: str, before: Any, after: Any) -> Change:
    return {
        "kind": "changed",
        "type": kind,
        "component": id,
        "property": name,
        "before": before,
        "after": after,
    }


def _moved(before: Json, after: Json) -> Iterator[Change]:
    old, new = documents.layout_of(before), documents.layout_of(after)
    kept = {id for kind in documents.DRAWN for k, id in _components(after) if k == kind}
    for id in dict.fromkeys([*old, *new]):
        if id in kept and id in old and not documents.same(old[id], new.get(id)):
            yield _changed(id, "layout", "position", old[id], new.get(id))
