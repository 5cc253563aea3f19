"""The lens process: answers questions about what services reach, many at the same time.

``python -m web.lens_process`` reads one JSON question per line, each with a number of its own, and
writes lines ``number kind JSON`` in any order. Kind ``answer`` and ``refused`` end a question; a
question that is followed has ``opened`` and events before ``end``. A service is opened at the first
question about it and closed when nobody has asked for a while. The process ends with its standard
input, so nothing is left behind.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from flowengine.cli.parameters import sources
from flowengine.config import read_settings
from flowengine.definition.flatten import Drafts, DraftService
from flowengine.definition.load import Options, draft_text
from flowengine.errors import FlowEngineError
from flowengine.findings import Finding
from flowengine.inspection import Inspectable, InspectionError, Inspector, Refusal, Use, Using
from flowengine.processor import ControllerService
from web.problems import problems_of

STATUS: Final = {
    Refusal.UNKNOWN: 404,
    Refusal.CONFLICT: 409,
    Refusal.INVALID: 422,
    Refusal.UNREACHABLE: 502,
}
MOST: Final = 200  # questions at the same time
IDLE: Final = 60.0  # s that a service stays open for the next question
_LINE: Final = 32 << 20

Answer = dict[str, Any]


class Refused(Exception):
    """A question without an answer, as a status and members of a problem document."""

    def __init__(self, status: int, error: str, **more: Any) -> None:
        super().__init__(error)
        self.fields = {"status": status, "error": error, **more}


# -- services ------------------------------------------------------------------------------------


class Opening:
    """One service that is open. Its own task opens and closes it."""

    def __init__(self, service: InspectableService) -> None:
        self.service = service
        self.inspector: asyncio.Future[Inspector] = asyncio.get_running_loop().create_future()
        self._users = 0
        self._used = asyncio.Event()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Inside the block it is not closed."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            self._used.set()

    async def serve(self) -> None:
        """Hold the service open while it is used, and for a while after."""
        async with self.service.inspector() as inspector:
            self.inspector.set_result(inspector)
            idle = False
            while self._users or not idle:
                self._used.clear()
                try:
                    async with asyncio.timeout(IDLE):
                        idle = not await self._used.wait()
                except TimeoutError:
                    idle = True


class Services:
    """Open services by folder and id; with other properties it is another one."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._open: dict[tuple[str, str], Opening] = {}

    @asynccontextmanager
    async def using(self, question: Mapping[str, Any]) -> AsyncIterator[Inspector]:
        """The inspector of the service that a question is about."""
        base, id = str(question["base"]), str(question["service"])
        service = service_of(base, question["root"], question["text"], id)
        opening = self._open.get((base, id))
        if opening is None or opening.service.properties != service.properties:
            opening = self._open[base, id] = Opening(service)
            self._tasks.create_task(self._serve((base, id), opening), name=f"service {id}")
        with opening.in_use():
            yield await asyncio.shield(opening.inspector)

    async def _serve(self, key: tuple[str, str], opening: Opening) -> None:
        try:
            await opening.serve()
        except Exception as error:  # noqa: BLE001 - a plug-in's bug is an answer, not the end
            if not opening.inspector.done():
                opening.inspector.set_exception(error)
        finally:
            if self._open.get(key) is opening:
                del self._open[key]


class InspectableService(ControllerService, Inspectable):
    """What :func:`service_of` finds, for the type checker."""


def service_of(base: str, root: str, text: str, id: str) -> InspectableService:
    """A service of a definition. Raises Refused."""
    drafts, findings = _drafts(base, root, text)
    found = drafts.services.get(id)
    if found is None:
        known = ", ".join(drafts.services) or "none"
        raise Refused(404, f"flow must have the service {id!r}; got only {known}")
    service = _made(found)
    if service is None:
        own = [one for one in problems_of(findings) if one["component"] == id]
        raise Refused(422, f"service {id!r} must be valid; got problems", problems=own)
    if not isinstance(service, Inspectable):
        rule = f"service {id!r} must be one that can be asked; got {found.definition.type}"
        raise Refused(404, rule)
    return cast(InspectableService, service)


def _drafts(base: str, root: str, text: str) -> tuple[Drafts, list[Finding]]:
    return draft_text(text, Path(base), Options(sources=sources(read_settings()), root=Path(root)))


def _made(draft: DraftService) -> ControllerService | None:
    """The service, where its own definition is valid."""
    if draft.cls is None or draft.properties is None:
        return None
    return draft.cls(draft.properties)


def uses(base: str, root: str, text: str) -> list[Answer]:
    """What the processors of a definition use behind services, as far as each is valid."""
    drafts, _ = _drafts(base, root, text)
    places = {id: _places(_made(draft)) for id, draft in drafts.services.items()}
    return [
        {
            "processor": id,
            "type": draft.type,
            **msgspec.to_builtins(use),
            "places": places.get(use.service, []),
        }
        for id, draft in drafts.processors.items()
        if draft.properties is not None
        for use in _uses_of(draft.cls, draft.properties)
    ]


def _places(service: object) -> list[str]:
    return sorted(service.places()) if isinstance(service, Inspectable) else []


def _uses_of(cls: object, properties: Any) -> Iterable[Use]:
    return cls.uses(properties) if isinstance(cls, Using) else ()


def places(base: str, root: str, text: str, service: str) -> list[str]:
    """What a service reaches."""
    return _places(service_of(base, root, text, service))


def fitting(name: str, patterns: list[str]) -> dict[str, bool]:
    """Which patterns match a whole name."""
    return {pattern: re.fullmatch(pattern, name) is not None for pattern in patterns}


ABOUT: Final[Mapping[str, Callable[..., Any]]] = {
    "fitting": fitting,
    "places": places,
    "uses": uses,
}


# -- the process ---------------------------------------------------------------------------------


class Answering:
    """Questions that are being answered."""

    def __init__(self, writer: asyncio.StreamWriter, tasks: asyncio.TaskGroup) -> None:
        self._writer = writer
        self._tasks = tasks
        self._services = Services(tasks)
        self._asked: dict[int, asyncio.Task[None]] = {}

    def take(self, question: Answer) -> None:
        """Begin to answer; ``cancel`` ends an earlier question."""
        number = int(question["number"])
        if question["ask"] == "cancel":
            if number in self._asked:
                self._asked[number].cancel()
            return
        task = self._tasks.create_task(self._answer(number, question), name=f"question {number}")
        self._asked[number] = task
        task.add_done_callback(lambda _: self._asked.pop(number, None))

    async def _answer(self, number: int, question: Answer) -> None:
        try:
            if len(self._asked) > MOST:
                raise Refused(503, f"lens must have at most {MOST} questions at a time; got more")
            await self._told(number, question)
        except Refused as refused:
            await self._tell(number, "refused", refused.fields)
        except InspectionError as error:
            fields = {"status": STATUS[error.refusal], "error": str(error)}
            await self._tell(number, "refused", fields)
        except FlowEngineError as error:
            await self._tell(number, "refused", {"status": 503, "error": str(error)})
        except Exception as error:  # noqa: BLE001 - a plug-in's bug is an answer, not the end
            rule = f"plug-in must not raise; got {type(error).__name__}"
            await self._tell(number, "refused", {"status": 500, "error": rule})

    async def _told(self, number: int, question: Answer) -> None:
        if (about := ABOUT.get(question["ask"])) is not None:
            given = {k: v for k, v in question.items() if k not in ("ask", "number")}
            await self._tell(number, "answer", await asyncio.to_thread(about, **given))
            return
        arguments = question["arguments"]
        async with self._services.using(question) as inspector:
            if question["ask"] == "answer":
                found = await inspector.answer(question["question"], arguments)
                await self._tell(number, "answer", found)
                return
            events = inspector.follow(question["question"], arguments)
            async with aclosing(events) as following:
                async for kind, fields in following:
                    await self._tell(number, kind, fields)

    async def _tell(self, number: int, kind: str, fields: Any) -> None:
        data = msgspec.json.encode(fields, enc_hook=str)
        self._writer.write(b"%d %s %s\n" % (number, kind.encode(), data))
        await self._writer.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer until the reader ends."""
    async with asyncio.TaskGroup() as tasks:
        answering = Answering(writer, tasks)
        while line := await reader.readline():
            answering.take(msgspec.json.decode(line))
        os._exit(0)  # the server has gone: nobody waits for what is still asked


async def main() -> None:
    """Connect standard input and output; what a plug-in prints is no answer."""
    loop = asyncio.get_running_loop()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    reader = asyncio.StreamReader(limit=_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, answers)
    await serve(reader, asyncio.StreamWriter(transport, protocol, None, loop))


if __name__ == "__main__":
    asyncio.run(main())
