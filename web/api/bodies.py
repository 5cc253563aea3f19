"""Reading bodies: JSON as the standard has it, which Python's own reader does not insist on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response


class StrictRequest(Request):
    """Refuses half of a surrogate pair, NaN and other bytes than UTF-8: nothing could store them.

    FastAPI turns the error into a 422, since it is one of ``json.JSONDecodeError``.
    """

    async def json(self) -> Any:
        """The decoded body."""
        return orjson.loads(await self.body())


class StrictRoute(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strictly
