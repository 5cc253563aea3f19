"""Asking a server from the shell or a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import httpx

from flowengine.errors import DefinitionError, EnvironmentFault, FlowEngineError
from web.client_api.api import Api


class Refused(FlowEngineError):
    """The server answered with a problem. ``problem`` is the RFC 9457 document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        lines = [str(problem.get("detail", f"server must accept; got status {status}"))]
        lines += [_line(one) for one in problem.get("problems", ())]
        super().__init__("\n".join(lines))
        self.status = status
        self.problem = problem


def _line(one: dict[str, Any]) -> str:
    place = f"{one['line']}:{one['column']}: " if one.get("line") else ""
    remedy = f"; {one['remedy']}" if one.get("remedy") else ""
    return f"{place}{one.get('message', '')}{remedy}"


class ServerClient:
    """The REST API of one server.

    >>> with ServerClient("http://127.0.0.1:8700", "…") as server:  # doctest: +SKIP
    ...     server.api.running_start("users-producer").state
    """

    def __init__(self, url: str, token: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise DefinitionError(f"--server must be an address such as http://…; got {url!r}")
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"}, timeout=90, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    @property
    def api(self) -> Api:
        """All operations, with types."""
        return Api(self)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> httpx.Response:
        """An answer. Raises Refused for a problem, EnvironmentFault when there is none."""
        kind = {"Content-Type": "application/json"} if content is not None else {}
        return self._ask(method, path, params=params, headers={**kind, **headers}, content=content)

    @contextmanager
    def stream(
        self, method: str, path: str, *, params: Mapping[str, Any]
    ) -> Iterator[httpx.Response]:
        """An answer that is read while it comes, such as server-sent events."""
        asked = self._http.stream(method, self._url(path), params=params)
        with self._unreachable(), asked as answer:
            if answer.is_error or answer.is_redirect:
                answer.read()
                raise Refused(answer.status_code, _document(answer))
            yield answer

    def get(self, path: str, **params: Any) -> Any:
        """The decoded answer of a GET."""
        return self._ask("GET", path, params=params).json()

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """The decoded answer of a POST."""
        return self._ask("POST", path, json=body, headers=headers).json()

    def put(self, path: str, body: Any, **headers: str) -> Any:
        """The decoded answer of a PUT."""
        return self._ask("PUT", path, json=body, headers=headers).json()

    def content(self, path: str) -> bytes:
        """An answer as it is."""
        return self._ask("GET", path).content

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        with self._unreachable():
            answer = self._http.request(method, self._url(path), **how)
        if answer.is_error or answer.is_redirect:
            raise Refused(answer.status_code, _document(answer))
        return answer

    def _url(self, path: str) -> str:
        return f"{self.url}/api/v1{path}"

    @contextmanager
    def _unreachable(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise EnvironmentFault(
                f"server {self.url!r} must answer; got {error}. Start one with `flowengine serve`, "
                "or name another with --server"
            ) from None


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
