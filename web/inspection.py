"""Asking the inspection process, with a limit to every wait.

One process answers short questions one after the other; it is killed when it takes too long, and
started again at the next question. ``verify`` talks to the outside and gets a process of its own.
"""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from web.flowfiles import FlowFiles
from web.problems import Problem

_LINE = 64 << 20
_CHECKS = 256
SHORT = 20.0  # s for what only computes; the first question imports all processors
IDLE = 600.0  # s
LONG = 60.0  # s for what talks to others

Answer = dict[str, Any]


class Process:
    """One inspection process, started at the first question."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def ask(self, question: Mapping[str, Any], timeout: float) -> Answer:
        """The answer to a question. Raises Problem when there is none in time."""
        async with self._turn:
            try:
                async with asyncio.timeout(timeout):
                    return await self._answer(question)
            except TimeoutError:
                await self.close()
                raise Problem(
                    504,
                    f"inspection must answer {question['ask']!r} within {timeout:g} s; got no "
                    "answer. A processor or service may hang while it is looked at",
                ) from None
            except BaseException:  # cancelled half-way: the next answer would be to this question
                await self.close()
                raise

    async def _answer(self, question: Mapping[str, Any]) -> Answer:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps(question) + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise Problem(
                503,
                f"inspection must answer {question['ask']!r}; got the end of its process. A "
                "processor or service may have crashed it",
            )
        found: Answer = orjson.loads(line)
        return found

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "web.inspector"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_LINE,
                start_new_session=True,  # Ctrl-C is for the server, which ends us
                env={**self._environment, "PYTHONUNBUFFERED": "1"},
            )
        return self._process

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())


class Inspection:
    """Questions about definitions and types. Answers about a text are kept."""

    def __init__(self, files: FlowFiles, environment: Mapping[str, str]) -> None:
        self._files = files
        self._environment = environment
        self._process = Process(environment)
        self._catalogue: Answer | None = None
        self._reference: Answer | None = None
        self._asked = 0
        self._checks: OrderedDict[tuple[str, str], Answer] = OrderedDict()

    async def close(self) -> None:
        """End the process."""
        await self._process.close()

    async def serve(self) -> None:
        """End the process when nobody has asked for a while; the next question starts another."""
        while True:
            asked = self._asked
            await asyncio.sleep(IDLE)
            if self._asked == asked:
                await self.close()

    async def catalogue(self) -> Answer:
        """All installed types. What is installed does not change while a server runs."""
        if self._catalogue is None:
            self._catalogue = await self._ask("catalogue")
        return self._catalogue

    async def reference(self) -> Answer:
        """Documentation of all installed types, as Markdown, by kind and name."""
        if self._reference is None:
            self._reference = await self._ask("reference")
        return self._reference

    async def flow_document(self, text: str) -> str:
        """The printable documentation of a definition, as HTML."""
        found: str = (await self._ask("flow_document", text=text))["html"]
        return found

    async def check(self, flow: str, text: str) -> Answer:
        """Findings of a definition that stands, or would stand, in a flow's file."""
        key = (flow, text)
        if key not in self._checks or _mentions_others(text):
            self._checks[key] = await self._ask("check", text=text, **self._place(flow))
        self._checks.move_to_end(key)
        while len(self._checks) > _CHECKS:
            self._checks.popitem(last=False)
        return self._checks[key]

    async def removed(self, flow: str, text: str, data_dir: Path) -> dict[str, int]:
        """FlowFiles in queues that a definition no longer has, of a stopped flow."""
        found = await self._ask("removed", text=text, data_dir=str(data_dir), **self._place(flow))
        queues: dict[str, int] = found["removed"]
        return queues

    async def expression(
        self, text: str, kind: str, attributes: Mapping[str, str] | None
    ) -> Answer:
        """Whether an expression compiles, and its value."""
        return await self._ask("expression", text=text, kind=kind, attributes=attributes)

    async def verify(self, flow: str, text: str, component: str) -> Answer:
        """Check a service or processor against the world, step by step."""
        question = {"text": text, "component": component, **self._place(flow)}
        process = Process(self._environment)
        try:
            return _accepted(await process.ask({"ask": "verify", **question}, LONG))
        finally:
            await process.close()

    async def _ask(self, name: str, **question: Any) -> Answer:
        self._asked += 1
        return _accepted(await self._process.ask({"ask": name, **question}, SHORT))

    def _place(self, flow: str) -> dict[str, str]:
        return {"base": str(self._files.path_of(flow).parent), "root": str(self._files.folder)}


def _mentions_others(text: str) -> bool:
    """Whether findings depend on more than the text: other files, the environment."""
    return any(f'"{key}":' in text for key in ("flow", "env", "file", "store"))


def _accepted(found: Answer) -> Answer:
    if "refused" in found:
        raise Problem(found["refused"], found["error"], problems=found.get("problems", []))
    return found
