"""Reading bodies: JSON as the standard has it, which Python's own reader does not insist on."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response


class StrictRequest(Request):
    """Refuses what nothing could store: half of a surrogate pair, NaN, numbers beyond 64 bits,
    endless nesting, other bytes than UTF-8. FastAPI turns the error into a 422."""

    async def json(self) -> Any:
        """The decoded body."""
        body = await self.body()
        try:
            value = json.loads(body.decode(), parse_constant=_refuse)
            orjson.dumps(value)
        except (UnicodeDecodeError, RecursionError, TypeError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from None
        return value


def _refuse(constant: str) -> None:
    raise json.JSONDecodeError(f"{constant} is no JSON", "", 0)


class StrictRoute(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly
