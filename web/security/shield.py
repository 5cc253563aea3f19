"""What every request passes before any route: host, sizes, headers.

- The Host header must name this server: a page of another site cannot reach it under a name of its
  own (DNS rebinding). Addresses are safe, since nobody else can own one.
- Bodies and queries are bounded, also those that do not say their length.
- Answers say that they are no page of anybody else's: CSP with a nonce, nosniff, no framing.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Iterable
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import problem_response

MOST_BYTES = 20 << 20
MOST_QUERY = 8 << 10


class TooLarge(Exception):
    """A body grew beyond the bound."""


class Shield:
    """An ASGI app in front of another one. ``names`` are the host names that are ours.

    root_path: taken off the path, whether a proxy in front has done so or not
    """

    def __init__(
        self, app: ASGIApp, names: Iterable[str], *, https: bool, root_path: str = ""
    ) -> None:
        self._app = app
        self._root_path = root_path
        self._names = {"localhost", socket.gethostname().lower(), *(n.lower() for n in names)}
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer 413, 414 or 421."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        guarded = _with_headers(send, nonce, https=self._https)
        refusal = self._refusal(Headers(scope=scope), scope)
        if refusal is not None:
            await problem_response(*refusal)(scope, receive, guarded)
            return
        await self._bounded(self._without_root(scope), receive, guarded)

    def _without_root(self, scope: Scope) -> Scope:
        root, path = self._root_path, scope["path"]
        if not root or not (path == root or path.startswith(f"{root}/")):
            return scope
        return {**scope, "path": path[len(root) :] or "/", "raw_path": b""}

    def _refusal(self, headers: Headers, scope: Scope) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return 421, f"request must be for this server; got Host {host[:100]!r}"
        if len(scope["query_string"]) > MOST_QUERY:
            return 414, f"query must have at most {MOST_QUERY} bytes; got more"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return 413, f"body must have at most {MOST_BYTES >> 20} MB; got more"
        return None

    def _is_ours(self, host: str) -> bool:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        name = name.strip("[]").lower()
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 to a body that grows too large, whatever the app makes of that."""
        taken, started = 0, False

        async def counting() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES:
                raise TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if started or taken <= MOST_BYTES:
                started = True
                await send(message)

        with suppress(TooLarge):
            await self._app(scope, counting, watched)
        if not started and taken > MOST_BYTES:
            detail = f"body must have at most {MOST_BYTES >> 20} MB; got more"
            await problem_response(413, detail)(scope, receive, send)


def policy(nonce: str) -> str:
    """The content security policy: nothing inline, nothing from elsewhere."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "style-src-attr 'unsafe-inline'",  # positions that a library writes, never a script
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _with_headers(send: Send, nonce: str, *, https: bool) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = policy(nonce)
            headers["X-Content-Type-Options"] = "nosniff"
            # With "no-referrer" browsers send our own forms with the origin "null".
            headers["Referrer-Policy"] = "same-origin"
            headers["X-Frame-Options"] = "DENY"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            if https:
                headers["Strict-Transport-Security"] = "max-age=31536000"
        await send(message)

    return guarded
