"""How to reach a Kafka cluster. Source: NiFi ``Kafka3ConnectionService``.

The service only describes; each processor makes its own clients from :meth:`client_options`, on
the I/O loop.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from importlib.util import find_spec
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from flowengine.errors import EnvironmentFault
from flowengine.inspection import Inspector
from flowengine.processor import (
    ControllerService,
    ProcessorProperties,
    ServiceContext,
    VerifyStep,
    When,
)
from flowengine.units import Secret
from processors.kafka.client_properties import ClientKind, ClientValue, chosen, refusal

LOCAL = "local"


class SecurityProtocol(StrEnum):
    """Whether the connection is encrypted and whether the client logs in."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How the client proves who it is."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    GSSAPI = "GSSAPI"


def _refuse(kind: str, message: str) -> None:
    raise PydanticCustomError(kind, "{message}", {"message": message})


def _check_servers(text: str) -> str:
    for server in text.split(","):
        host, _, port = server.strip().rpartition(":")
        known = server.strip() == LOCAL and text.strip() == LOCAL
        if not known and not (host and port.isascii() and port.isdigit() and int(port) < 65536):
            _refuse("servers", f"must be 'local' or host:port, comma separated; got {text!r:.80}")
    return ",".join(server.strip() for server in text.split(","))


def _check_properties(properties: dict[str, ClientValue]) -> dict[str, ClientValue]:
    for name in properties:
        if message := refusal(name):
            _refuse("client_property", message)
    return properties


_WITH_LOGIN = When(security_protocol=("SASL_PLAINTEXT", "SASL_SSL"))
_WITH_TLS = When(security_protocol=("SSL", "SASL_SSL"))


class KafkaConnection(ControllerService):
    """Describe how to reach a Kafka cluster: addresses, encryption, login, client properties."""

    tags = ("kafka", "connection", "sasl", "tls")

    class Properties(ProcessorProperties):
        bootstrap_servers: Annotated[str, AfterValidator(_check_servers)] = Field(
            LOCAL,
            description="host:port of some brokers, comma separated. 'local' is the broker that "
            "`flowengine kafka start` runs.",
        )
        security_protocol: SecurityProtocol = Field(
            SecurityProtocol.PLAINTEXT, description="Encryption (SSL) and login (SASL)."
        )
        sasl_mechanism: Annotated[SaslMechanism, _WITH_LOGIN] = Field(
            SaslMechanism.PLAIN, description="How the client logs in, with a SASL protocol."
        )
        sasl_username: Annotated[str | None, _WITH_LOGIN] = Field(
            None, description="Name to log in with."
        )
        sasl_password: Annotated[Secret | None, _WITH_LOGIN] = Field(
            None, description="Password to log in with."
        )
        tls_ca_file: Annotated[str | None, _WITH_TLS] = Field(
            None,
            description="PEM file with the authorities to trust; unset trusts the system's.",
        )
        tls_certificate_file: Annotated[str | None, _WITH_TLS] = Field(
            None, description="PEM file with the client's certificate, where the broker asks."
        )
        tls_key_file: Annotated[str | None, _WITH_TLS] = Field(
            None, description="PEM file with the key; unset takes it from the certificate file."
        )
        tls_key_password: Annotated[Secret | None, _WITH_TLS] = Field(
            None, description="Password of the key file."
        )
        client_properties: Annotated[dict[str, ClientValue], AfterValidator(_check_properties)] = (
            Field(
                default_factory=dict,
                description="Further aiokafka client properties, such as request_timeout_ms.",
            )
        )

        @model_validator(mode="after")
        def _login_is_complete(self) -> Self:
            login = self.sasl_mechanism is not SaslMechanism.GSSAPI
            if self.security_protocol.startswith("SASL") and login:
                for name in ("sasl_username", "sasl_password"):
                    if not getattr(self, name):
                        _refuse("login", f"must have {name!r} for {self.security_protocol}")
            return self

    properties: Properties

    @property
    def is_local(self) -> bool:
        """Whether it is the broker on this machine, where groups may rebalance quickly."""
        return self.properties.bootstrap_servers == LOCAL

    def bootstrap(self) -> str:
        """The addresses. Raises EnvironmentFault when 'local' does not run."""
        if not self.is_local:
            return self.properties.bootstrap_servers
        from processors.kafka.broker import local_bootstrap

        return local_bootstrap()

    def client_options(self, kind: ClientKind = "admin") -> dict[str, Any]:
        """Keyword arguments of an aiokafka client of this kind.

        Raises EnvironmentFault when a TLS file cannot be used, a library is missing for the login,
        or 'local' does not run.
        """
        own = self.properties
        options: dict[str, Any] = {
            **chosen(kind, own.client_properties),
            "bootstrap_servers": self.bootstrap(),
            "security_protocol": own.security_protocol.value,
        }
        if own.security_protocol.startswith("SASL"):
            _refuse_gssapi_without_library(own.sasl_mechanism)
            options["sasl_mechanism"] = own.sasl_mechanism.value
            options["sasl_plain_username"] = own.sasl_username
            options["sasl_plain_password"] = own.sasl_password and own.sasl_password.reveal()
        if own.security_protocol.endswith("SSL"):
            options["ssl_context"] = self._ssl_context()
        return options

    def _ssl_context(self) -> ssl.SSLContext:
        own = self.properties
        password = own.tls_key_password
        try:
            context = ssl.create_default_context(cafile=own.tls_ca_file)
            if own.tls_certificate_file:
                context.load_cert_chain(
                    own.tls_certificate_file,
                    own.tls_key_file,
                    password.reveal() if password else None,
                )
        except OSError as error:  # ssl.SSLError is one
            raise EnvironmentFault(
                f"kafka connection TLS files must be readable PEM files; got "
                f"{_file_named_by(error, own)}: {error.strerror or error}"
            ) from None
        return context

    async def verify(self, context: ServiceContext) -> AsyncIterator[VerifyStep]:
        """Name resolution, TCP, TLS, login, metadata: one result each, up to the first failure."""
        from processors.kafka.verification import verify_cluster

        for step in await context.io.run(verify_cluster(self)):
            yield step

    @asynccontextmanager
    async def inspector(self) -> AsyncIterator[Inspector]:
        """Open the lens: brokers, topics, groups, records, for people who look."""
        from processors.kafka.lens.lens import lens

        async with lens(self) as opened:
            yield opened

    def places(self) -> frozenset[str]:
        """The brokers as host:port; 'local' also as the one that runs, if it does."""
        named = frozenset(self.properties.bootstrap_servers.split(","))
        try:
            return named | frozenset(self.bootstrap().split(","))
        except EnvironmentFault:
            return named

    @asynccontextmanager
    async def on_enabled(self, context: ServiceContext) -> AsyncIterator[None]:
        """Raises EnvironmentFault that says which step failed and what to do."""
        async for step in self.verify(context):
            if not step.ok:
                raise EnvironmentFault(
                    f"service {context.id!r} (KafkaConnection) must pass the step "
                    f"'{step.name}'; got {step.message}"
                )
        yield


def _refuse_gssapi_without_library(mechanism: SaslMechanism) -> None:
    """aiokafka would end with an assertion."""
    if mechanism is SaslMechanism.GSSAPI and find_spec("gssapi") is None:
        raise EnvironmentFault(
            "kafka connection with the mechanism GSSAPI must have the package 'gssapi', which "
            "needs Kerberos' own libraries; got none; install it with `pip install gssapi`"
        )


def _file_named_by(error: OSError, properties: KafkaConnection.Properties) -> str:
    """The file that an error names or, where it names none, those that it may mean."""
    named = error.filename
    files = (
        properties.tls_ca_file,
        properties.tls_certificate_file,
        properties.tls_key_file,
    )
    return repr(named) if named else ", ".join(repr(file) for file in files if file)
