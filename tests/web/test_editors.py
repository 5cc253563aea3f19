"""Three people edit one draft at the same time, over plain HTTP: nobody loses anything."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.web.editing import Editor, random_operation
from tests.web.serving import TOKEN, Server, pipeline
from web.documents import Json, same
from web.operations import OperationRefused, apply

EACH = 300
NAMES = ("ann", "bob", "cleo")


@dataclass(frozen=True)
class Accepted:
    """Operations that the server took, in its words."""

    seq: int
    client: str
    base: int
    applied: list[Json]
    inverses: list[Json]


@dataclass
class Session:
    """One person at work: edits in small batches, undoes now and then, chooses in a conflict."""

    server: Server
    name: str
    accepted: list[Accepted] = field(default_factory=list)
    conflicts: int = 0
    undone: int = 0

    def work(self) -> Session:
        chance = random.Random(self.name)
        draft = self.server.get("/flows/shared/draft")
        self.editor = Editor(self.name, draft["document"], draft["seq"])
        with self.server.client({"Authorization": f"Bearer {TOKEN}"}) as self.http:
            made = 0
            while made < EACH:
                batch = self.batch(chance, min(8, EACH - made))
                made += len(batch)
                self.edit(batch, mine=chance.random() < 0.5)
                last = self.accepted[-1].inverses if self.accepted else []
                if last and chance.random() < 0.15:  # to remove what is gone leaves nothing to undo
                    self.undone += self.edit(last, mine=False)
            self.edit([{"op": "move", "positions": {}}], mine=False)  # hears of all others
        return self

    def batch(self, chance: random.Random, most: int) -> list[Json]:
        document, operations = self.editor.document, []
        for _ in range(chance.randint(1, most)):
            operations.append(random_operation(document, chance))
            document, _ = apply(document, operations[-1:])
        return operations

    def edit(self, operations: list[Json], *, mine: bool) -> bool:
        """Send operations; whether they were taken, perhaps after a conflict."""
        base = self.editor.seq
        answer = self.send(operations)
        if answer.status_code == 409:
            self.conflicts += 1
            told = answer.json()
            assert told["conflicts"]
            self.editor.document, self.editor.seq = told["document"], told["seq"]
            if not mine:
                return False
            base, answer = told["seq"], self.send(operations)
            if answer.status_code in (409, 422):  # again somebody, or it makes no sense any more
                return False
        assert answer.status_code == 200, answer.text
        told = answer.json()
        if told["applied"]:
            kept = told["applied"], told["inverses"]
            self.accepted.append(Accepted(told["seq"], self.name, base, *kept))
        self.editor.take(told, told["applied"])
        return True

    def send(self, operations: list[Json]):
        body = {"client": self.name, "base": self.editor.seq, "operations": operations}
        return self.http.post("/api/v1/flows/shared/draft/operations", json=body)


@pytest.fixture
def evening(server):
    """What three people did to one draft: (sessions, all that was accepted in order, the end)."""
    server.create("shared")
    with ThreadPoolExecutor(len(NAMES)) as pool:
        sessions = list(pool.map(Session.work, [Session(server, name) for name in NAMES]))
    history = sorted((one for s in sessions for one in s.accepted), key=lambda one: one.seq)
    end = server.get("/flows/shared/draft")
    server.ask("DELETE", "/flows/shared/draft")
    return sessions, history, end


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_editors_lose_nothing_and_end_on_one_document(evening):
    sessions, history, end = evening
    assert [one.seq for one in history] == list(range(1, end["seq"] + 1))
    assert all(session.conflicts and session.undone for session in sessions)
    document, writers = pipeline(), {}
    for one in history:
        for operation in one.applied:
            _refuse_lost_update(document, one, operation, writers)
            document, _ = apply(document, [operation])
    assert same(document, end["document"])
    for session in sessions:  # each has heard of everything before its last edit
        copy = pipeline()
        for one in history[: session.editor.seq]:
            copy, _ = apply(copy, one.applied)
        assert same(session.editor.document, copy)
    for one in reversed(history):  # undo is the exact way back
        document, _ = apply(document, one.inverses)
    assert same(document, pipeline())


def _refuse_lost_update(document: Json, one: Accepted, operation: Json, writers: dict) -> None:
    """A value that another has set since the base must not be overwritten unseen."""
    if operation["op"] != "set":
        return
    place = (operation["kind"], operation["id"], *operation["path"])
    client, seq, value = writers.get(place, (one.client, 0, None))
    unseen = client != one.client and seq > one.base
    assert not unseen or same(value, operation.get("before")) or same(value, operation["value"])
    writers[place] = (one.client, one.seq, operation["value"])


def test_a_batch_with_one_bad_operation_changes_nothing(server):
    server.create("shared")
    good = {"op": "set", "kind": "flow", "path": ["description"], "value": "x"}
    bad = {"op": "rename", "kind": "processors", "id": "nothing", "to": "x"}
    answer = server.edit("shared", 0, good, bad)
    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (422, "/operations/1")
    assert server.get("/flows/shared/draft")["seq"] == 0
    with pytest.raises(OperationRefused):
        apply(pipeline(), [good, bad])
