"""Several people on one draft: their operations merge unless they touch the same thing.

The server's order is the truth. A client sends operations made on the document of ``base``; what
others did since then is the *other* operations. Mine are applied on top, after following others'
renames, unless one of them

- sets, moves or removes something whose value is no longer what I saw (``before``), and another
  client has touched it since ``base``, or mine is an undo;
- needs something that another client has removed.

Then nothing is applied and the person chooses: sending again with the new ``base`` means "mine".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from web import documents, operations
from web.documents import Json
from web.operations import Missing, OperationRefused
from web.renaming import moved

Touch: TypeAlias = tuple[str, str, tuple[str, ...]]  # kind, id, path; a prefix touches all below


@dataclass(slots=True)
class Outcome:
    """What came of operations: a document, or conflicts and no change.

    applied: the operations as they were applied, with others' renames followed
    """

    document: Json
    applied: list[Json] = field(default_factory=list)
    inverses: list[Json] = field(default_factory=list)
    conflicts: list[Json] = field(default_factory=list)


def merge(
    document: Json, mine: Sequence[Json], others: Sequence[Json], *, unknown: bool = False
) -> Outcome:
    """Apply my operations over a document in which others' are already.

    unknown: others may have changed anything, since nobody kept what they did

    Raises OperationRefused for one that makes no sense whatever others did.
    """
    outcome = Outcome(documents.copied(document))
    touched = {touch for operation in others for touch in touches(operation)}
    for number, operation in enumerate(mine):
        followed = _following(operation, others)
        try:
            _step(outcome, followed, operation, touched, unknown)
        except OperationRefused as error:
            error.pointer = f"/operations/{number}"
            raise
    if outcome.conflicts:
        return Outcome(document, conflicts=outcome.conflicts)
    return outcome


def _step(
    outcome: Outcome, operation: Json, original: Json, touched: set[Touch], unknown: bool
) -> None:
    clash = [place for place in touches(operation) if unknown or _overlaps(place, touched)]
    theirs = _conflict(outcome.document, operation, bool(clash))
    theirs = theirs or _would_take_along(outcome.document, operation, touched)
    if theirs is not None:
        outcome.conflicts.append({"op": original, "theirs": theirs[0], "mine": _wanted(original)})
        return
    operation = _without_gone(outcome.document, operation) if touched or unknown else operation
    try:
        back = operations.apply_one(outcome.document, operation)
    except OperationRefused as error:
        gone = isinstance(error, Missing) and (touched or unknown)
        if not (clash or gone or operation.get("undo")):  # an undo made sense when it was given
            raise
        present = documents.find(outcome.document, operation.get("kind", ""), error.component)
        outcome.conflicts.append({"op": original, "theirs": present, "mine": _wanted(original)})
        return
    outcome.applied.append(operation)
    outcome.inverses = back + outcome.inverses


def _wanted(operation: Json) -> Any:
    names = {"add": "value", "set": "value", "move": "positions", "rename": "to"}
    return operation.get(names.get(operation["op"], ""))


def _conflict(document: Json, operation: Json, clash: bool) -> tuple[Any] | None:
    """What is there now, in a tuple, when somebody else must be asked; None when not."""
    if not (clash or operation.get("undo")):
        return None
    if operation["op"] == "move":
        return _moved_elsewhere(document, operation)
    now = _now(document, operation)
    wanted = operation.get("value") if operation["op"] == "set" else None
    if operation["op"] not in ("set", "remove") or documents.same(now, wanted):
        return None
    if "before" in operation:
        return None if documents.same(now, operation["before"]) else (now,)
    return (now,) if clash else None


def _would_take_along(
    document: Json, operation: Json, touched: set[Touch]
) -> tuple[list[str]] | None:
    """Connections of others that a removal would remove with its component."""
    if operation["op"] != "remove" or operation["kind"] == "connections":
        return None
    ends = operations.attached(document, operation["kind"], operation["id"])
    theirs = [id for id in ends if _overlaps(("connections", id, ()), touched)]
    return (theirs,) if theirs else None


def _now(document: Json, operation: Json) -> Any:
    component = documents.find(document, operation.get("kind", ""), operation.get("id", ""))
    return documents.value_at(component, operation.get("path", []))


def _moved_elsewhere(document: Json, operation: Json) -> tuple[Any] | None:
    layout, before = documents.layout_of(document), operation.get("before", {})
    theirs = {
        id: layout.get(id)
        for id, position in operation["positions"].items()
        if id in before
        and documents.kind_of(document, id) is not None
        and not documents.same(layout.get(id), before[id])
        and not documents.same(layout.get(id), position)
    }
    return (theirs,) if theirs else None


def _without_gone(document: Json, operation: Json) -> Json:
    """A move without components that somebody has removed."""
    if operation["op"] != "move":
        return operation
    here = {
        id: position
        for id, position in operation["positions"].items()
        if documents.kind_of(document, id) is not None
    }
    return {**operation, "positions": here}


def touches(operation: Json) -> Iterator[Touch]:
    """What an operation changes."""
    kind, id = operation.get("kind", ""), operation.get("id", "")
    if operation["op"] == "move":
        yield from (("layout", name, ()) for name in operation["positions"])
    elif operation["op"] == "set":
        yield kind, id, tuple(map(str, operation["path"]))
    else:
        yield kind, id, ()
        if operation["op"] == "rename":
            yield kind, operation["to"], ()


def _overlaps(place: Touch, touched: set[Touch]) -> bool:
    kind, id, path = place
    return any(
        kind == other[0]
        and _within(kind, id, other[1])
        and all(a == b for a, b in zip(path, other[2], strict=False))
        for other in touched
    )


def _within(kind: str, id: str, other: str) -> bool:
    """The same component; groups hold what is in them."""
    if id == other:
        return True
    return kind == "groups" and (id.startswith(f"{other}/") or other.startswith(f"{id}/"))


def _following(operation: Json, others: Sequence[Json]) -> Json:
    """My operation with the ids that others' renames gave."""
    renames = [one for one in others if one["op"] == "rename"]
    for rename in renames:
        operation = _renamed(operation, rename)
    return operation


def _renamed(operation: Json, rename: Json) -> Json:
    old, new, kind = rename["id"], rename["to"], rename["kind"]
    drawn = kind in documents.DRAWN
    mine = operation.get("kind", "")
    changed = dict(operation)
    if mine == kind or (drawn and mine in documents.DRAWN) or (kind == "groups" and mine):
        changed["id"] = moved(operation["id"], old, new)
    if operation["op"] == "move" and drawn:
        for key in ("positions", "before"):
            if key in operation:
                pairs = operation[key].items()
                changed[key] = {moved(id, old, new): place for id, place in pairs}
    if mine == "connections" and drawn:
        changed |= _renamed_connection(operation, rename)
    return changed


def _renamed_connection(operation: Json, rename: Json) -> Json:
    """A new connection's ends, and the E8 id of an old one, after a rename of one end."""
    (_, old), (_, new) = documents.split("", rename["id"]), documents.split("", rename["to"])
    value = operation.get("value")
    if operation["op"] == "add" and isinstance(value, dict):
        before = documents.slug_of(value)
        value = {k: moved(v, old, new) if k in documents.ENDS else v for k, v in value.items()}
        slug = documents.slug_of(value)
        id = operation["id"]
        return {"value": value, "id": id.removesuffix(before) + slug if before != slug else id}
    groups, slug = documents.split("connections", operation["id"])
    ends = slug.partition("-")
    if ends[0] == old:
        return {"id": documents.joined(groups, f"{new}-{ends[2]}")}
    if slug.endswith(f"-{old}"):
        return {"id": documents.joined(groups, slug.removesuffix(old) + new)}
    return {}
