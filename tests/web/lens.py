"""Looking through the Kafka lens of a real server at a real broker, and real readers to see."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from aiokafka import AIOKafkaConsumer

from tests.web.serving import Server

T = TypeVar("T")
FLOW = "lens"


def services(bootstrap: str, **more: dict[str, Any]) -> dict[str, Any]:
    """A flow that is only a KafkaConnection; it cannot run, and need not."""
    kafka = {"type": "KafkaConnection", "properties": {"bootstrap_servers": bootstrap}}
    return {"format": 1, "name": FLOW, "services": {"kafka": kafka, **more}}


class Lens:
    """The lens of the service ``kafka`` of one flow."""

    def __init__(self, server: Server, service: str = "kafka", flow: str = FLOW) -> None:
        self.server = server
        self.base = f"/kafka/{flow}/{service}"

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        return self.server.ask(method, f"{self.base}/{path}", **how)

    def get(self, path: str, **params: Any) -> Any:
        return self.server.get(f"{self.base}/{path}", **params)

    def group(self, name: str) -> Any:
        return self.get(f"groups/{quote(name, safe='')}")

    def refused(self, method: str, path: str, **how: Any) -> tuple[int, str]:
        """Status and detail of a problem document."""
        answer = self.ask(method, path, **how)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, answer.json()["detail"]

    def write(self, topic: str, value: str | None, **more: Any) -> Any:
        answer = self.ask("POST", f"topics/{topic}/records", json={"value": value, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    @contextmanager
    def tail(self, topic: str, **params: Any) -> Iterator[Iterator[tuple[str, Any]]]:
        """Events of a live tail, as kind and data."""
        url = f"/api/v1{self.base}/topics/{topic}/tail"
        with self.server.http.stream("GET", url, params=params) as response:
            if response.status_code != 200:
                raise AssertionError(response.read())
            yield _events(response)

    def read(self, topic: str, **params: Any) -> list[Any]:
        """Records of a bounded read, which must end by itself."""
        with self.tail(topic, **{"from": "beginning", "limit": 100, **params}) as events:
            found = list(events)
        assert found[-1] == ("end", {})
        return [data for kind, data in found if kind == "record"]


def _events(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    kind = ""
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


class Readers:
    """Members of consumer groups, reading on a loop of their own."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._members: dict[str, AIOKafkaConsumer] = {}
        self._reading: dict[str, Future[None]] = {}

    def __enter__(self) -> Readers:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        for name in list(self._members):
            self.leave(name)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def join(self, name: str, group: str, topic: str, **options: Any) -> None:
        """A new member with this client id; it reads and commits."""
        member = self._run(self._joined(name, group, topic, options))
        self._members[name] = member
        self._reading[name] = asyncio.run_coroutine_threadsafe(_read(member), self._loop)

    async def _joined(
        self, name: str, group: str, topic: str, options: dict[str, Any]
    ) -> AIOKafkaConsumer:
        member = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self._bootstrap,
            client_id=name,
            group_id=group,
            auto_offset_reset="earliest",
            auto_commit_interval_ms=100,
            heartbeat_interval_ms=300,
            session_timeout_ms=6000,
            **options,
        )
        await member.start()
        return member

    def leave(self, name: str) -> None:
        """A member says that it goes."""
        self._reading.pop(name).cancel()
        self._run(self._members.pop(name).stop())


async def _read(member: AIOKafkaConsumer) -> None:
    async for _ in member:
        pass
