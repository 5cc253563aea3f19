"""An editor as tests play it: random operations that make sense on what it sees."""

from __future__ import annotations

import random

from web import documents
from web.documents import Json, joined
from web.operations import OperationRefused, apply


def random_operation(document: Json, chance: random.Random) -> Json:
    """An operation that can be applied to the document."""
    while True:
        operation = chance.choice(_MAKERS)(document, chance)
        if operation is None:
            continue
        try:
            apply(document, [operation])
        except OperationRefused:
            continue
        return operation


def _processors(document: Json) -> list[str]:
    return [
        joined(groups, slug)
        for groups, body in documents.bodies(document)
        for slug in documents.section_of(body, "processors")
    ]


def _add(document: Json, chance: random.Random) -> Json | None:
    id = f"p{chance.randrange(10**9)}"
    value = {"type": "UpdateAttribute", "properties": {"attributes": {"a": id}}}
    position = [chance.randrange(1000), chance.randrange(1000)]
    return {"op": "add", "kind": "processors", "id": id, "value": value, "position": position}


def _remove(document: Json, chance: random.Random) -> Json | None:
    ids = _processors(document)
    if len(ids) < 3:
        return None
    return {"op": "remove", "kind": "processors", "id": chance.choice(ids)}


def _set(document: Json, chance: random.Random) -> Json | None:
    id = chance.choice(_processors(document) or [""])
    path = chance.choice([["name"], ["comments"], ["properties", "label"], ["penalty"]])
    before = documents.value_at(documents.find(document, "processors", id), path)
    value = chance.choice([None, f"v{chance.randrange(1000)}"])
    return {
        "op": "set",
        "kind": "processors",
        "id": id,
        "path": path,
        "value": value,
        "before": before,
    }


def _connect(document: Json, chance: random.Random) -> Json | None:
    near = [id for id in _processors(document) if "/" not in id]
    if len(near) < 2:
        return None
    one, other = chance.sample(near, 2)
    value = {"from": one, "relationships": ["success"], "to": other}
    return {"op": "add", "kind": "connections", "id": f"{one}-{other}", "value": value}


def _move(document: Json, chance: random.Random) -> Json | None:
    id = chance.choice(_processors(document) or [""])
    before = documents.layout_of(document).get(id)
    position = [chance.randrange(1000), chance.randrange(1000)]
    return {"op": "move", "positions": {id: position}, "before": {id: before}}


def _rename(document: Json, chance: random.Random) -> Json | None:
    id = chance.choice(_processors(document) or [""])
    groups, _ = documents.split("processors", id)
    to = joined(groups, f"r{chance.randrange(10**9)}")
    return {"op": "rename", "kind": "processors", "id": id, "to": to}


_MAKERS = (_add, _add, _remove, _set, _set, _set, _connect, _connect, _move, _rename)


class Editor:
    """One person's copy of a draft: edits at once, hears of others now and then.

    mine: values that this editor set and that nobody was told to have replaced
    """

    def __init__(self, name: str, document: Json, seq: int) -> None:
        self.name = name
        self.document = document
        self.seq = seq

    def take(self, answer: Json, operations: list[Json]) -> None:
        """The server has accepted operations."""
        if "document" in answer:
            self.document = answer["document"]
        else:
            self.document, _ = apply(self.document, operations)
        self.seq = answer["seq"]
