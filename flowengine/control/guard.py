"""Who may use the control API over TCP.

The Unix socket is protected by its directory. TCP is not: any user of the machine and any web page
in a browser on it can connect to loopback. So a token is asked for when one is set, the Host
header must name this address (DNS rebinding), and requests that a web page sent are refused.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

from fastapi.datastructures import Headers

from flowengine.control.address import TOKEN
from flowengine.control.refusals import problem_response


class Guard:
    """An ASGI app in front of another one."""

    def __init__(self, app: Any, host: str, token: str | None) -> None:
        self._app = app
        self._host = host
        self._token = token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let a request pass, or answer 401 or 403."""
        headers = Headers(scope=scope)
        if self._token is not None and not self._knows_token(headers):
            answer = problem_response(
                401, f"request must carry `Authorization: Bearer <token>` with the token of {TOKEN}"
            )
            answer.headers["WWW-Authenticate"] = "Bearer"
            await answer(scope, receive, send)
        elif not self._trusted(headers):
            answer = problem_response(403, "request must come from a program, not from a web page")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _knows_token(self, headers: Headers) -> bool:
        given = headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())

    def _trusted(self, headers: Headers) -> bool:
        if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
            return False
        return self._token is not None or self._names_us(headers.get("host", ""))

    def _names_us(self, host: str) -> bool:
        name = host.rpartition(":")[0] if not host.endswith("]") else host
        name = (name or host).strip("[]")
        if name in ("localhost", self._host):
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False
