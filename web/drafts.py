"""Drafts: the one shared document of each flow that people edit before it is deployed.

A draft follows its file until somebody edits it; from then on a change of the file is shown
(``file_changed``) and never overwrites the draft. Operations are kept, so that a client that was
away merges against what others did meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from flowengine.definition.canonical import canonical, revision
from flowengine.definition.parse import parse_definition
from flowengine.definition.source import Document
from web import documents
from web.documents import Json
from web.flowfiles import FlowFiles, refuse_unreadable
from web.merging import Outcome, merge
from web.problems import Problem
from web.store import Store, wall

KEPT = 5_000  # entries of a draft's history


@dataclass(slots=True)
class Entry:
    """Operations that were applied together; ``seq`` is the draft's number after them."""

    seq: int
    client: str
    operations: list[Json]


@dataclass(slots=True)
class Draft:
    """One draft. ``base`` is the revision of the file that it began with.

    kept_since: clients that know an older number than this cannot be merged exactly
    """

    flow: str
    seq: int
    base: str
    document: Json
    kept_since: int
    entries: list[Entry] = field(default_factory=list)
    written: tuple[int, str | None] = (-1, None)

    @property
    def text(self) -> str | None:
        """Canonical text; None where the structure is wrong."""
        if self.written[0] != self.seq:
            self.written = (self.seq, text_of(self.document))
        return self.written[1]


def text_of(document: Json) -> str | None:
    """Canonical text of a document; None where its structure is wrong."""
    definition, findings = parse_definition(Document("", "", document))
    return canonical(definition) if definition is not None and not findings else None


Listener = Callable[[str, int, str, Sequence[Json] | None], None]


class Drafts:
    """All drafts. ``listener`` hears (flow, seq, client, operations); None means "all is new"."""

    def __init__(self, store: Store, files: FlowFiles, listener: Listener) -> None:
        self._store = store
        self._files = files
        self._listener = listener
        self._open: dict[str, Draft] = {}

    def get(self, flow: str) -> Draft:
        """The draft of a flow, begun when there is none. Raises Problem 404 or 422."""
        file = self._files.read(flow)
        draft = self._open.get(flow) or self._load(flow)
        if draft is None:
            if file.document is None:
                refuse_unreadable(file)
            assert file.document is not None
            draft = Draft(flow, 0, file.revision, documents.copied(file.document), 0)
        self._open[flow] = draft
        if draft.base != file.revision:
            self._follow(draft)
        return draft

    def _load(self, flow: str) -> Draft | None:
        row = self._store.one("select * from drafts where flow=?", flow)
        if row is None:
            return None
        rows = self._store.all("select * from draft_operations where flow=? order by seq", flow)
        entries = [Entry(r["seq"], r["client"], orjson.loads(r["operations"])) for r in rows]
        document = orjson.loads(row["document"])
        return Draft(flow, row["seq"], row["base"], document, row["kept_since"], entries)

    def _follow(self, draft: Draft) -> None:
        """The file has changed: follow it when nothing of the draft is lost by that."""
        file = self._files.read(draft.flow)
        if file.document is None:
            return
        text = draft.text
        if text is not None and text == file.canonical:
            draft.base = file.revision
        elif not self.edited(draft):
            self._replace(draft, file.document, file.revision, "")

    def edited(self, draft: Draft) -> bool:
        """Whether the draft holds anything that its file did not when it began."""
        text = draft.text
        return text is None or revision(text) != draft.base

    def file_changed(self, draft: Draft) -> bool:
        """Whether file and draft have both changed."""
        return draft.base != self._files.read(draft.flow).revision

    def edit(
        self, flow: str, client: str, user: str, base: int, operations: Sequence[Json]
    ) -> tuple[Draft, Outcome, list[Json]]:
        """Apply operations made on the document of ``base``.

        Returns draft, outcome, and what others did since. With conflicts nothing is changed.
        """
        draft = self.get(flow)
        if base > draft.seq:
            raise Problem(
                409,
                f"base must be a number that the draft had, up to {draft.seq}; got {base}",
                conflicts=[],
                seq=draft.seq,
            )
        since = [entry for entry in draft.entries if entry.seq > base]
        others = [one for entry in since if entry.client != client for one in entry.operations]
        unknown = base < draft.kept_since
        outcome = merge(draft.document, operations, others, unknown=unknown)
        if outcome.applied and not outcome.conflicts:
            draft.document = outcome.document
            self._append(draft, Entry(draft.seq + 1, client, outcome.applied), user)
        return draft, outcome, others

    def _append(self, draft: Draft, entry: Entry, user: str) -> None:
        draft.seq = entry.seq
        draft.entries.append(entry)
        with self._store.together():
            self._store.run(
                "insert into draft_operations values (?,?,?,?,?,?)",
                *(draft.flow, entry.seq, entry.client, user, wall(), _json(entry.operations)),
            )
            if len(draft.entries) > KEPT:
                draft.kept_since = draft.entries[-KEPT].seq - 1
                del draft.entries[:-KEPT]
                self._store.run(
                    "delete from draft_operations where flow=? and seq<=?",
                    *(draft.flow, draft.kept_since),
                )
            self._save(draft)
        self._listener(draft.flow, draft.seq, entry.client, entry.operations)

    def discard(self, flow: str, client: str = "") -> Draft:
        """Make the draft what its file is."""
        draft, file = self.get(flow), self._files.read(flow)
        refuse_unreadable(file)
        assert file.document is not None
        self._replace(draft, file.document, file.revision, client)
        return draft

    def _replace(self, draft: Draft, document: Json, base: str, client: str) -> None:
        draft.document, draft.base = documents.copied(document), base
        draft.seq += 1
        draft.kept_since = draft.seq
        draft.entries.clear()
        with self._store.together():
            self._store.run("delete from draft_operations where flow=?", draft.flow)
            self._save(draft)
        self._listener(draft.flow, draft.seq, client, None)

    def deployed(self, flow: str, base: str) -> None:
        """The draft has become the file, whose revision is ``base``. Its history goes on."""
        draft = self.get(flow)
        draft.base = base
        with self._store.together():
            self._save(draft)

    def forget(self, flow: str) -> None:
        """The flow is gone."""
        self._open.pop(flow, None)

    def _save(self, draft: Draft) -> None:
        self._store.run(
            "insert or replace into drafts values (?,?,?,?,?)",
            *(draft.flow, draft.seq, draft.kept_since, draft.base, _json(draft.document)),
        )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
