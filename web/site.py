"""The server's parts, put together: files, drafts, runners, live figures, accounts."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
from watchfiles import Change, awatch

from flowengine.bulletins import Bulletin
from flowengine.errors import FlowEngineError
from flowengine.secret_store import SecretStore
from web.config import ServerConfig, checked
from web.documents import Json, masked
from web.drafts import Draft, Drafts
from web.events import Hub
from web.flowfiles import FlowFiles
from web.inspection import Inspection
from web.lens import Lens
from web.problems import Problem
from web.security.accounts import Accounts
from web.security.limits import LoginLimit
from web.store import Store
from web.supervisor import Supervisor

_SETTLE = 100  # ms of quiet after which changes of files are looked at


class Site:
    """Everything that routes use. Open it on the server's loop."""

    def __init__(self, config: ServerConfig) -> None:
        self.store = Store(config.database)
        users = self.store.all("select name from users")
        self.config = checked(config, len(users))
        self.token = config.token or secrets.token_urlsafe(32)
        self.files = FlowFiles(config.flows)
        self.hub = Hub()
        self.accounts = Accounts(
            self.store, self.token if config.loopback or config.token else None
        )
        self.limit = LoginLimit()
        self.secrets = SecretStore(config.secrets, config.secret_key_file)
        self.drafts = Drafts(self.store, self.files, self._drafted)
        self.inspection = Inspection(self.files, config.environment())
        self.lens = Lens(self.files, self.drafts, self.store, config.environment())
        self.supervisor = Supervisor(config, self.store, self.files, self._changed)
        self.hub.supervisor = self.supervisor
        self.closing = asyncio.Event()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Serve flows while the block lasts."""
        async with AsyncExitStack() as stack:
            stack.callback(self.store.close)
            stack.push_async_callback(self.inspection.close)
            stack.push_async_callback(self.lens.process.close)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            helpers = [
                group.create_task(self.hub.serve(), name="hub"),
                group.create_task(self._watch_files(), name="files"),
                group.create_task(self._warm_up(), name="catalogue"),
                group.create_task(self.inspection.serve(), name="inspection"),
                group.create_task(self.lens.process.serve(), name="lens"),
            ]
            async with self.supervisor.opened():
                yield
            for helper in helpers:
                helper.cancel()

    def close(self) -> None:
        """The server is about to end: streams must not keep it."""
        self.closing.set()
        self.hub.close()

    async def _warm_up(self) -> None:
        """Import the processors before the first person waits for them."""
        try:
            await self.inspection.catalogue()
        except FlowEngineError:
            return  # whoever asks next is told

    # -- what happens --------------------------------------------------------------------------

    def _drafted(self, flow: str, seq: int, client: str, operations: Sequence[Json] | None) -> None:
        event = {"flow": flow, "seq": seq, "client": client, "operations": operations}
        self.hub.tell("draft", event, flow)

    def _changed(self, flow: str, bulletin: Bulletin | None) -> None:
        if bulletin is not None:
            self.hub.bulletin(flow, bulletin)
        self.tell_state(flow)

    def tell_state(self, flow: str) -> None:
        """Tell everybody what is shown of a flow in the list."""
        try:
            self.hub.tell("flow", self.brief(flow))
        except FlowEngineError:
            self.hub.tell("flow", {"id": flow, "state": "removed"})

    async def _watch_files(self) -> None:
        """Tell when a flow file changes on disk; drafts nobody has edited follow it."""
        folder = self.files.folder
        async for changes in awatch(
            folder,
            stop_event=self.closing,
            step=_SETTLE,
            debounce=_SETTLE * 4,
            yield_on_timeout=False,
        ):
            for id in sorted(self._ids_in(changes)):
                try:
                    self.drafts.get(id)
                except FlowEngineError:
                    self.drafts.forget(id)
                self.tell_state(id)

    def _ids_in(self, changes: set[tuple[Change, str]]) -> set[str]:
        paths = (self.files.folder / path for _, path in changes)
        ids = (self.files.id_of(path) for path in paths if not path.name.startswith("."))
        return {id for id in ids if id is not None and self._is_ours(id)}

    def _is_ours(self, id: str) -> bool:
        return id in self.files.ids() or self.store.fact(id, "id") is not None

    # -- what is shown -------------------------------------------------------------------------

    def brief(self, flow: str) -> Json:
        """State and revisions of a flow, without asking anybody else."""
        file = self.files.read(flow)
        version = self.store.deployed(flow)
        supervised = self.supervisor.flow(flow)
        deployed = version.revision if version else None
        return {
            "id": flow,
            "state": supervised.state,
            "reason": supervised.reason,
            "deployed_revision": deployed,
            "deployed_version": version.number if version else None,
            "revision": file.revision,
            "draft_ahead": self._draft_ahead(flow),
            "file_ahead": deployed is not None and deployed != file.revision,
        }

    def _draft_ahead(self, flow: str) -> bool:
        try:
            return self.drafts.edited(self.drafts.get(flow))
        except Problem:
            return False  # the file cannot be read; that is shown as its error

    async def draft_answer(self, draft: Draft) -> Json:
        """A draft with its problems."""
        version = self.store.deployed(draft.flow)
        text = draft.text
        return {
            "document": masked(draft.document),
            "seq": draft.seq,
            "deployed_revision": version.revision if version else None,
            "ahead": version is None or text != version.text,
            "edited": self.drafts.edited(draft),
            "file_changed": self.drafts.file_changed(draft),
            **await self.checked(draft.flow, text, draft.document),
        }

    async def checked(self, flow: str, text: str | None, document: Json) -> Json:
        """Problems of a definition, and the relationships of its processors where known."""
        if text is None:
            text = orjson.dumps(document).decode()
        found: dict[str, Any] = await self.inspection.check(flow, text)
        return {"problems": found["problems"], "relationships": found["relationships"]}
