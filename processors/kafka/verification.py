"""Check step by step whether a Kafka cluster can be reached, and say what to do where not."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from flowengine.errors import EnvironmentFault
from flowengine.processor import VerifyStep

if TYPE_CHECKING:
    from processors.kafka.connection import KafkaConnection

PATIENCE: Final = 10.0  # seconds for one connection


class StepFailed(Exception):
    """A step did not work; the message says why and what to do."""


async def verify_cluster(connection: KafkaConnection) -> list[VerifyStep]:
    """Results of the steps in order; the first failure is the last one."""
    results: list[VerifyStep] = []
    for name, step in steps_of(Probe(connection)):
        try:
            message = await step()
        except StepFailed as failure:
            results.append(VerifyStep(name, False, str(failure)))
            break
        if message:
            results.append(VerifyStep(name, True, message))
    return results


def steps_of(probe: Probe) -> tuple[tuple[str, Callable[[], Awaitable[str]]], ...]:
    """Names and steps in their order. A step raises StepFailed; an empty message: not needed."""
    return (
        ("configuration", probe.configure),
        ("name resolution", probe.resolve),
        ("tcp connection", probe.connect),
        ("tls handshake", probe.shake_hands),
        ("login and metadata", probe.ask),
    )


class Probe:
    """What the steps learn from one another.

    patience: seconds for one try of one step
    """

    def __init__(self, connection: KafkaConnection, patience: float = PATIENCE) -> None:
        self.connection = connection
        self.patience = patience
        self.options: dict[str, Any] = {}
        self.servers: list[tuple[str, int]] = []

    async def configure(self) -> str:
        try:
            self.options = self.connection.client_options()
        except EnvironmentFault as error:
            raise StepFailed(str(error)) from None
        for server in self.options["bootstrap_servers"].split(","):
            host, _, port = server.rpartition(":")
            self.servers.append((host.strip("[]"), int(port)))
        return f"{self.options['bootstrap_servers']} by {self.options['security_protocol']}"

    async def resolve(self) -> str:
        return await self._any("resolve", self._resolve, "check the name and the DNS")

    async def connect(self) -> str:
        remedy = "is the broker running, and the port right? `flowengine kafka start` runs one"
        return await self._any("connect to", self._connect, remedy)

    async def shake_hands(self) -> str:
        if "ssl_context" not in self.options:
            return ""
        remedy = "check 'tls_ca_file', the host name, and that this port speaks TLS"
        return await self._any("shake hands with", self._shake_hands, remedy)

    async def ask(self) -> str:
        remedy = "check 'security_protocol', the mechanism, user and password"
        return await self._any("talk to", self._ask, remedy)

    async def _any(
        self, verb: str, attempt: Callable[[str, int], Awaitable[str]], remedy: str
    ) -> str:
        """One server that works is enough."""
        from aiokafka.errors import KafkaError

        failures = []
        for host, port in self.servers:
            try:
                async with asyncio.timeout(self.patience):
                    return await attempt(host, port)
            except TimeoutError:
                failures.append(f"{host}:{port} (no answer within {self.patience:g} s)")
            except (OSError, KafkaError) as error:
                failures.append(f"{host}:{port} ({describe(error)})")
        raise StepFailed(f"cannot {verb} {', '.join(failures)}; {remedy}")

    async def _resolve(self, host: str, port: int) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(host, port)
        return f"{host} is {', '.join(sorted({str(entry[4][0]) for entry in found}))}"

    async def _connect(self, host: str, port: int) -> str:
        _, writer = await asyncio.open_connection(host, port)
        await _close(writer)
        return f"{host}:{port} answers"

    async def _shake_hands(self, host: str, port: int) -> str:
        _, writer = await asyncio.open_connection(host, port, ssl=self.options["ssl_context"])
        version = writer.get_extra_info("ssl_object").version()
        await _close(writer)
        return f"{host}:{port} speaks {version}"

    async def _ask(self, host: str, port: int) -> str:
        from aiokafka.conn import create_conn
        from aiokafka.protocol.metadata import MetadataRequest

        options = {k: v for k, v in self.options.items() if k in _CONNECTION_OPTIONS}
        connection = await create_conn(host, port, **options)
        try:
            answer = await connection.send(MetadataRequest([]))
        finally:
            connection.close()
        return f"{len(answer.brokers)} broker(s)"


_CONNECTION_OPTIONS: Final = frozenset(
    {
        "client_id",
        "request_timeout_ms",
        "sasl_kerberos_domain_name",
        "sasl_kerberos_service_name",
        "sasl_mechanism",
        "sasl_plain_password",
        "sasl_plain_username",
        "security_protocol",
        "ssl_context",
    }
)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except (OSError, ssl.SSLError):
        return  # the other side was quicker


def describe(error: BaseException) -> str:
    """An error in a few words: its class and, where it has one, its text."""
    text = str(error)
    if isinstance(error, ConnectionError) and error.errno:
        text = os.strerror(error.errno)  # asyncio adds the address, which stands there already
    name = type(error).__name__
    return f"{name}: {text}" if text and not text.startswith(name) else text or name
