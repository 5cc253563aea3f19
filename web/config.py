"""What a server is told when it starts, and which combinations are refused."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from flowengine.errors import DefinitionError
from flowengine.secret_store import FILE as SECRETS

TOKEN = "FLOWENGINE_SERVER_TOKEN"
OWN_FOLDER = ".server"
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How to serve.

    flows:        folder of flow files
    data_root:    folder with one data directory per flow; the server's own lie in ``.server``
    root_path:    path under which a proxy shows the server, such as ``/flows``; no slash at its end
    names:        host names beside loopback and addresses that a request may be for
    behind_proxy: a proxy in front does TLS and says so in ``X-Forwarded-Proto``
    keep_flows:   leave flows running when the server ends
    token:        what scripts and the first page know; None makes a new one at each start
    secret_store: encrypted store; None is the one beside the server's database
    secret_key_file: its key; None looks in systemd's credentials, then beside it
    """

    flows: Path
    data_root: Path
    host: str = "127.0.0.1"
    port: int = 8700
    root_path: str = ""
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    keep_flows: bool = False
    token: str | None = None
    secret_store: Path | None = None
    secret_key_file: Path | None = None
    static: Path = STATIC

    @property
    def database(self) -> Path:
        """The server's database."""
        return self.data_root / OWN_FOLDER / "server.db"

    @property
    def secrets(self) -> Path:
        """The encrypted store of secrets."""
        return self.secret_store or self.data_root / OWN_FOLDER / SECRETS

    def environment(self) -> dict[str, str]:
        """What the server's children inherit: where the encrypted store is, none of its values."""
        given = {**os.environ, "FLOWENGINE_SECRET_STORE": str(self.secrets)}
        given.pop(TOKEN, None)
        if self.secret_key_file is not None:
            given["FLOWENGINE_SECRET_KEY_FILE"] = str(self.secret_key_file)
        return given

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def https(self) -> bool:
        """Whether browsers see it over TLS."""
        return self.certificate is not None or self.behind_proxy

    def data_dir(self, flow: str) -> Path:
        """The data directory of a flow."""
        return self.data_root / flow


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def checked(config: ServerConfig, users: int) -> ServerConfig:
    """The configuration; raises DefinitionError for one that would be unsafe or cannot work."""
    if not config.flows.is_dir():
        raise DefinitionError(
            f"--flows must be a folder of flow files; got {str(config.flows)!r}. Make it, or name "
            "another"
        )
    if (config.certificate is None) != (config.key is None):
        raise DefinitionError("--tls-certificate and --tls-key must be given together; got one")
    if config.root_path and (not config.root_path.startswith("/") or config.root_path[-1] == "/"):
        raise DefinitionError(
            f"--root-path must begin with '/' and not end with one; got {config.root_path!r}"
        )
    if not config.loopback:
        _check_open(config, users)
    if config.token is not None and len(config.token) < 16:
        raise DefinitionError(f"{TOKEN} must have at least 16 characters; got a shorter one")
    return config


def _check_open(config: ServerConfig, users: int) -> None:
    if users == 0:
        raise DefinitionError(
            f"--host {config.host} must have users when other machines reach it; got none. Add "
            "one with `flowengine server users add NAME --role admin`, or serve on 127.0.0.1"
        )
    if not config.https:
        raise DefinitionError(
            f"--host {config.host} must have TLS when other machines reach it; got none. Give "
            "--tls-certificate and --tls-key, or --behind-proxy where a proxy does it"
        )


def token_from_environment() -> str | None:
    """The token that was set; taken out, so that no runner inherits it."""
    return os.environ.pop(TOKEN, None) or None
