"""Asking services of flows what they reach, whether the flow runs or not.

One process answers everything, many questions at the same time; it is started by the first and
ended when nobody has asked for a while. What it sends is read at once and handed to whoever asked,
so a slow browser holds up nobody: it is dropped when too much waits for it.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from web.documents import Json, bodies, section_of
from web.drafts import Drafts
from web.flowfiles import FlowFiles
from web.problems import Problem
from web.store import Store

_LINE = 64 << 20
PATIENCE = 15.0  # s for an answer; a service gives its own within ten, the first imports it
IDLE = 600.0  # s
WAITING = 4 << 20  # bytes that may wait for one browser
_USES = 512

Frame = tuple[str, bytes]  # kind and JSON
ENDED: Frame = ("gone", b"{}")


class Asked:
    """What comes back for one question."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._waiting = 0
        self.dropped = asyncio.Event()

    def put(self, frame: Frame) -> None:
        """Hand over a frame, or give up on somebody who takes none."""
        if frame is not ENDED and self._waiting + len(frame[1]) > WAITING and self._waiting:
            self.dropped.set()
            return
        self._waiting += len(frame[1])
        self._frames.put_nowait(frame)

    async def get(self) -> Frame:
        """The next frame."""
        frame = await self._frames.get()
        self._waiting -= len(frame[1])
        return frame


class LensProcess:
    """The process, started at the first question."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._asked: dict[int, Asked] = {}
        self._quiet_since = 0.0

    @asynccontextmanager
    async def asking(self, question: Mapping[str, Any]) -> AsyncIterator[Asked]:
        """Ask, and take what comes back inside the block; leaving it ends the question."""
        number, asked = next(self._numbers), Asked()
        self._asked[number] = asked
        try:
            process = await self._running()
            await self._send(process, {"number": number, **question})
            yield asked
        finally:
            self._asked.pop(number, None)
            self._quiet_since = asyncio.get_running_loop().time()
            await self._cancel(number)

    async def _running(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-m", "web.lens_process"),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    limit=_LINE,
                    start_new_session=True,  # Ctrl-C is for the server, which ends us
                    env=self._environment,
                )
                assert self._tasks is not None
                self._tasks.create_task(self._read(self._process), name="lens")
            return self._process

    async def _send(self, process: asyncio.subprocess.Process, question: Json) -> None:
        assert process.stdin is not None
        process.stdin.write(orjson.dumps(question) + b"\n")
        await process.stdin.drain()

    async def _cancel(self, number: int) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            try:
                await self._send(process, {"number": number, "ask": "cancel"})
            except ConnectionError:
                return  # it has ended, and so has the question

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Hand out what the process says, until it ends."""
        assert process.stdout is not None
        while line := await process.stdout.readline():
            number, kind, data = line.split(b" ", 2)
            asked = self._asked.get(int(number))
            if asked is not None:
                asked.put((kind.decode(), data.rstrip()))
        for asked in self._asked.values():
            asked.put(ENDED)

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())

    async def serve(self) -> None:
        """Take questions. End the process when nobody has asked for a while; the next question
        starts another."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                await asyncio.sleep(IDLE)
                if not self._asked and loop.time() - self._quiet_since >= IDLE:
                    await self.close()


class Lens:
    """Questions about services of flows, by flow and id of the service."""

    def __init__(
        self, files: FlowFiles, drafts: Drafts, store: Store, environment: Mapping[str, str]
    ) -> None:
        self._files = files
        self._drafts = drafts
        self._store = store
        self.process = LensProcess(environment)
        self._uses: OrderedDict[tuple[str, str], list[Json]] = OrderedDict()

    async def ask(self, flow: str, service: str, question: str, **arguments: Any) -> Any:
        """The answer to a question. Raises Problem."""
        asked = self._question(flow, service, "answer", question, arguments)
        async with self.process.asking(asked) as answers:
            return orjson.loads(await _first(answers, question))

    @asynccontextmanager
    async def following(
        self, flow: str, service: str, question: str, arguments: Mapping[str, Any]
    ) -> AsyncIterator[Asked]:
        """Events of something that goes on, once it has begun. Raises Problem when it cannot."""
        asked = self._question(flow, service, "follow", question, arguments)
        async with self.process.asking(asked) as events:
            await _first(events, question)
            yield events

    def _question(
        self, flow: str, service: str, ask: str, question: str, arguments: Mapping[str, Any]
    ) -> Json:
        return {
            "ask": ask,
            "service": service,
            "question": question,
            "arguments": dict(arguments),
            "text": self._text(flow, service),
            **self._place(flow),
        }

    def _place(self, flow: str) -> dict[str, str]:
        return {"base": str(self._files.path_of(flow).parent), "root": str(self._files.folder)}

    # -- definitions ---------------------------------------------------------------------------

    def _text(self, flow: str, service: str) -> str:
        """The services of the draft; of the deployed definition where the draft has none such."""
        draft = services_of(self._drafts.get(flow).document)
        if not has_service(draft, service) and (deployed := self._deployed(flow)) is not None:
            old = services_of(deployed)
            if has_service(old, service):
                return orjson.dumps(old).decode()
        return orjson.dumps(draft).decode()

    def _deployed(self, flow: str) -> Json | None:
        version = self._store.deployed(flow)
        return None if version is None else orjson.loads(version.text)

    # -- who uses a thing ----------------------------------------------------------------------

    async def used_by(self, flow: str, service: str, name: str) -> list[Json]:
        """Processors of all flows that name a thing behind the service, or one that reaches
        the same."""
        by_flow = {id: await self._uses_of(id) for id in self._files.ids()}
        here = await self._places(flow, service)
        fitting = await self._fitting(name, by_flow)
        return [
            {
                "flow": id,
                "processor": use["processor"],
                "type": use["type"],
                "reads": use["reads"],
                "writes": use["writes"],
                "role": use["role"],
            }
            for id, uses in by_flow.items()
            for use in uses
            if fitting[use["name"]] and here & set(use["places"])
        ]

    async def _fitting(self, name: str, by_flow: Mapping[str, list[Json]]) -> dict[str, bool]:
        """Which names and patterns of uses mean a name. Patterns are tried in the process: one
        that never ends holds up nobody else."""
        uses = [use for uses in by_flow.values() for use in uses]
        found = {use["name"]: use["name"] == name for use in uses}
        if patterns := sorted({use["name"] for use in uses if use["pattern"]}):
            question = {"ask": "fitting", "name": name, "patterns": patterns}
            async with self.process.asking(question) as answers:
                found |= orjson.loads(await _first(answers, "fitting"))
        return found

    async def _places(self, flow: str, service: str) -> set[str]:
        question = {"ask": "places", "service": service, **self._place(flow)}
        async with self.process.asking({**question, "text": self._text(flow, service)}) as answers:
            return set(orjson.loads(await _first(answers, "places")))

    async def _uses_of(self, flow: str) -> list[Json]:
        """Uses of the draft and, where it is another one, of the deployed definition."""
        try:
            draft = self._drafts.get(flow)
        except Problem:
            return []  # the file cannot be read; that is shown as its error
        texts = {draft.text or orjson.dumps(draft.document).decode()}
        if (version := self._store.deployed(flow)) is not None:
            texts.add(version.text)
        found: list[Json] = []
        for text in sorted(texts):
            found += [use for use in await self._uses_in(flow, text) if use not in found]
        return found

    async def _uses_in(self, flow: str, text: str) -> list[Json]:
        key = (flow, text)
        if key not in self._uses:
            question = {"ask": "uses", "text": text, **self._place(flow)}
            async with self.process.asking(question) as answers:
                self._uses[key] = orjson.loads(await _first(answers, "uses"))
        self._uses.move_to_end(key)
        while len(self._uses) > _USES:
            self._uses.popitem(last=False)
        return self._uses[key]


async def _first(asked: Asked, question: str) -> bytes:
    """The first thing that comes back. Raises Problem for a refusal, or when nothing comes."""
    try:
        async with asyncio.timeout(PATIENCE):
            kind, data = await asked.get()
    except TimeoutError:
        raise Problem(
            504, f"lens must answer {question!r} within {PATIENCE:g} s; got no answer"
        ) from None
    if kind == "refused":
        fields = orjson.loads(data)
        raise Problem(fields.pop("status"), fields.pop("error"), **fields)
    if kind == ENDED[0]:
        raise Problem(503, f"lens must answer {question!r}; got the end of its process")
    return data


def services_of(document: Json) -> Json:
    """A definition with only what services need: parameters, groups, and themselves."""
    kept = {"format": document.get("format", 1), "name": document.get("name", "lens")}
    return kept | _only_services(document)


def _only_services(body: Json) -> Json:
    found: Json = {}
    for kind in ("parameters", "services"):
        if section := section_of(body, kind):
            found[kind] = section
    groups = {
        slug: entry if "flow" in entry else _only_services(entry)
        for slug, entry in section_of(body, "groups").items()
        if isinstance(entry, dict)
    }
    return found | ({"groups": groups} if groups else {})


def has_service(document: Json, id: str) -> bool:
    """Whether a definition has a service, or refers to another one that may have it."""
    for groups, body in bodies(document):
        prefix = "/".join((*groups, ""))
        if any(f"{prefix}{slug}" == id for slug in section_of(body, "services")):
            return True
        for slug, entry in section_of(body, "groups").items():
            if "flow" in entry and id.startswith(f"{prefix}{slug}/"):
                return True
    return False
