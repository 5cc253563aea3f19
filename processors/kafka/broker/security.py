"""A listener with TLS, a password, or both, as real clusters have; used to test connections."""

from __future__ import annotations

import base64
import hashlib
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from processors.kafka.broker.java import Java
from processors.kafka.broker.ports import HOST

Protocol = Literal["plaintext", "sasl_plaintext", "ssl", "sasl_ssl"]
SCRAM_ITERATIONS = 4096
KEY_DAYS = 3650


@dataclass(frozen=True)
class Security:
    """How clients reach the broker. The user may log in by PLAIN and by SCRAM-SHA-256."""

    protocol: Protocol = "plaintext"
    user: str = "flow"
    password: str = "flow-password"

    @property
    def tls(self) -> bool:
        return self.protocol in ("ssl", "sasl_ssl")

    @property
    def sasl(self) -> bool:
        return self.protocol in ("sasl_plaintext", "sasl_ssl")

    def properties(self, directory: Path) -> dict[str, str]:
        """Broker settings of the listener CLIENT; the certificate lies in ``directory``."""
        settings: dict[str, str] = {}
        if self.tls:
            settings |= _tls_properties(directory, self._store_password)
        if self.sasl:
            settings |= self._sasl_properties()
        return {f"listener.name.client.{name}": value for name, value in settings.items()}

    def _sasl_properties(self) -> dict[str, str]:
        package = "org.apache.kafka.common.security"
        return {
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
            "plain.sasl.jaas.config": f"{package}.plain.PlainLoginModule required "
            f"user_{self.user}={_quoted(self.password)};",
            "scram-sha-256.sasl.jaas.config": f"{package}.scram.ScramLoginModule required;",
        }

    def format_options(self) -> list[str]:
        """What `StorageTool format` needs to know; salted, since other users see command lines."""
        if not self.sasl:
            return []
        salt = secrets.token_bytes(16)
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, SCRAM_ITERATIONS)
        fields = f'salt="{_base64(salt)}",saltedpassword="{_base64(salted)}"'
        credential = f"name={self.user},iterations={SCRAM_ITERATIONS},{fields}"
        return ["--add-scram", f"SCRAM-SHA-256=[{credential}]"]

    def prepare(self, directory: Path, java: Java) -> None:
        """Make the key and the certificate, unless they are there."""
        if self.tls and not authority_file(directory).exists():
            directory.mkdir(parents=True, exist_ok=True)
            self._keytool(java, directory, *_generate_arguments())
            self._keytool(java, directory, *_export_arguments(directory))

    def _keytool(self, java: Java, directory: Path, *arguments: str) -> None:
        store = ["-keystore", str(_store(directory)), "-storepass", self._store_password]
        subprocess.run([java.keytool, *arguments, *store], capture_output=True, check=True)

    @property
    def _store_password(self) -> str:
        """Not a secret: the store lies beside it, and both serve tests on loopback."""
        return "key-store-on-loopback"


def authority_file(directory: Path) -> Path:
    """The certificate (PEM) that clients must trust."""
    return directory / "authority.pem"


def _store(directory: Path) -> Path:
    return directory / "broker.p12"


def _tls_properties(directory: Path, password: str) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(_store(directory)),
        "ssl.keystore.password": password,
        "ssl.key.password": password,
    }


def _generate_arguments() -> list[str]:
    names = f"san=ip:{HOST},dns:localhost"
    key = ["-alias", "broker", "-keyalg", "EC", "-groupname", "secp256r1"]
    certificate = ["-dname", "CN=flowengine local broker", "-validity", str(KEY_DAYS)]
    return ["-genkeypair", *key, *certificate, "-ext", names, "-storetype", "PKCS12"]


def _export_arguments(directory: Path) -> list[str]:
    return ["-exportcert", "-rfc", "-alias", "broker", "-file", str(authority_file(directory))]


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
