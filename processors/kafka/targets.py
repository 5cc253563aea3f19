"""Which cluster a command is for: the local one, an address, a file, or a flow's own connection.

No secret stands on a command line, where every user of the machine could read it: a password comes
from a file, or from the parameter of a flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from flowengine.errors import DefinitionError
from processors.kafka.client_properties import KNOWN
from processors.kafka.connection import KafkaConnection

SECRETS: Final = frozenset({"sasl_password", "tls_key_password"})
# As other clients write them; librdkafka's names, which its users have in files.
_ELSEWHERE: Final[Mapping[str, str]] = {
    "sasl_mechanisms": "sasl_mechanism",
    "ssl_ca_location": "tls_ca_file",
    "ssl_certificate_location": "tls_certificate_file",
    "ssl_key_location": "tls_key_file",
    "ssl_key_password": "tls_key_password",
}


@dataclass(frozen=True)
class Target:
    """What the options of a command say about the cluster.

    flow:       name or file of a flow whose KafkaConnection is taken
    service:    its id; may be left out where the flow has one only
    properties: name=value of the connection
    file:       more of them; those of the command line win
    """

    bootstrap: str | None = None
    flow: str | None = None
    service: str | None = None
    properties: tuple[str, ...] = ()
    file: Path | None = None

    def connection(self) -> KafkaConnection:
        """The connection that is meant. Raises DefinitionError or EnvironmentFault."""
        given = {**_read(self.file), **_parsed(self.properties)}
        if self.bootstrap is not None:
            given["bootstrap_servers"] = self.bootstrap
        if self.flow is not None:
            return _changed(_of_flow(self.flow, self.service), given)
        if self.service is not None:
            raise DefinitionError("option '--service' must come with '--flow'; got none")
        return _made(given)

    def client(self) -> tuple[str, dict[str, Any]]:
        """Addresses and further options of an aiokafka client."""
        options = self.connection().client_options("admin")
        return options.pop("bootstrap_servers"), options


def _read(file: Path | None) -> dict[str, Any]:
    from flowengine.cli.parameters import read_file

    if file is None:
        return {}
    return _known(read_file(file), f"properties file {str(file)!r}")


def _parsed(pairs: Iterable[str]) -> dict[str, Any]:
    from flowengine.cli.parameters import parse_pairs

    given = _known(parse_pairs(pairs, "--property"), "option '--property'")
    for name in sorted(SECRETS & given.keys()):
        raise DefinitionError(
            f"option '--property' must not carry the secret {name!r}, which other users of this "
            "machine could read; got one; write it into a file and use '--properties-file', or "
            "take the connection of a flow with '--flow'"
        )
    return given


def _known(given: Mapping[str, str], where: str) -> dict[str, Any]:
    """Values by the names that KafkaConnection has; client properties apart."""
    own = KafkaConnection.Properties.model_fields.keys() - {"client_properties"}
    found: dict[str, Any] = {}
    for written, value in given.items():
        plain = written.replace(".", "_").replace("-", "_").lower()
        name = _ELSEWHERE.get(plain, plain)
        if name in own:
            found[name] = value
        elif name in KNOWN:
            found.setdefault("client_properties", {})[name] = _number(value)
        else:
            close = get_close_matches(name, [*own, *KNOWN], n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(own))}"
            raise DefinitionError(
                f"{where} must name a property of a Kafka connection; got {written!r}; {hint}"
            )
    return found


def _number(text: str) -> bool | int | float | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _made(given: Mapping[str, Any]) -> KafkaConnection:
    try:
        return KafkaConnection(KafkaConnection.Properties.model_validate(given))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = f" {'.'.join(map(str, first['loc']))!r}" if first["loc"] else ""
        raise DefinitionError(f"kafka connection{place} {first['msg']}") from None


def _changed(connection: KafkaConnection, given: Mapping[str, Any]) -> KafkaConnection:
    own = connection.properties
    fields = {name: getattr(own, name) for name in type(own).model_fields}
    both = {**own.client_properties, **given.get("client_properties", {})}
    return _made({**fields, **given, "client_properties": both})


def _of_flow(name: str, service: str | None) -> KafkaConnection:
    from flowengine.cli.parameters import sources
    from flowengine.cli.places import flow_file
    from flowengine.config import read_settings
    from flowengine.definition.load import Options, draft_text
    from flowengine.errors import EnvironmentFault

    file = flow_file(name)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"flow {str(file)!r} must be readable; got {error}") from error
    drafts, findings = draft_text(
        text, file.absolute().parent, Options(sources=sources(read_settings()))
    )
    found = {id: one for id, one in drafts.services.items() if one.cls is KafkaConnection}
    if service is None and len(found) == 1:
        (service,) = found
    if service not in found:
        known = ", ".join(found) or "none"
        wanted = f"have the KafkaConnection {service!r}" if service else "have one KafkaConnection"
        rule = f"flow {name!r} must {wanted}; got {known}; choose one with '--service'"
        raise DefinitionError(rule)
    properties = found[service].properties
    if properties is None:
        told = "; ".join(one.message for one in findings if one.component == service)
        raise DefinitionError(f"service {service!r} of flow {name!r} must be valid; got {told}")
    return KafkaConnection(properties)
