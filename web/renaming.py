"""What follows when a component gets another id."""

from __future__ import annotations

import re
from typing import Any

from web import documents
from web.documents import ENDS, Json, joined


def rename_slug(document: Json, groups: tuple[str, ...], kind: str, old: str, new: str) -> None:
    """Give an entry of a section another key, at the same place; ends and positions follow."""
    body = documents.body_of(document, groups)
    assert body is not None
    body[kind] = {new if key == old else key: entry for key, entry in body[kind].items()}
    if kind not in documents.DRAWN:
        return
    _rename_ends(body, kind, old, new)
    if kind in ("inputs", "outputs") and groups:
        outer = documents.body_of(document, groups[:-1])
        assert outer is not None
        _rename_ends(outer, kind, f"{groups[-1]}/{old}", f"{groups[-1]}/{new}")
    _rename_positions(document, joined(groups, old), joined(groups, new))


def _rename_ends(body: Json, kind: str, old: str, new: str) -> None:
    for connection in documents.connections_of(body):
        for end in ENDS:
            name = connection.get(end) if isinstance(connection, dict) else None
            if isinstance(name, str) and documents.is_end(name, old, kind):
                connection[end] = new + name[len(old) :]


def _rename_positions(document: Json, old: str, new: str) -> None:
    layout = documents.layout_of(document)
    if layout:
        document["layout"] = {moved(id, old, new): place for id, place in layout.items()}


def moved(id: str, old: str, new: str) -> str:
    """An id after ``old``, or a group of that id, was renamed."""
    return new + id[len(old) :] if id == old or id.startswith(f"{old}/") else id


def rename_parameter(document: Json, old: str, new: str) -> None:
    """Give a parameter another name, wherever ``#{old}`` stands as well."""
    entries = document["parameters"]
    document["parameters"] = {new if key == old else key: one for key, one in entries.items()}
    reference = re.compile(r"(#+)\{" + re.escape(old) + r"\}")

    def renamed(match: re.Match[str]) -> str:
        hashes = match.group(1)
        return f"{hashes}{{{new}}}" if len(hashes) % 2 else match.group()

    for _, body in documents.bodies(document):
        for kind, key in (("processors", "properties"), ("services", "properties")):
            for entry in documents.section_of(body, kind).values():
                if isinstance(entry, dict) and key in entry:
                    entry[key] = _replaced(entry[key], reference, renamed)
        for entry in documents.section_of(body, "groups").values():
            if isinstance(entry, dict) and "flow" in entry and "parameters" in entry:
                entry["parameters"] = _replaced(entry["parameters"], reference, renamed)


def _replaced(value: Any, reference: re.Pattern[str], renamed: Any) -> Any:
    if isinstance(value, str):
        return reference.sub(renamed, value)
    if isinstance(value, dict):
        return {key: _replaced(inner, reference, renamed) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, reference, renamed) for inner in value]
    return value
