"""Answers that say what is wrong: RFC 9457 problem documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from flowengine.errors import (
    DefinitionError,
    EnvironmentFault,
    FlowEngineError,
    PropertyError,
)

MEDIA_TYPE = "application/problem+json"


class Problem(FlowEngineError):
    """A request that cannot be answered as asked. ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more


def problem_response(status: int, detail: str, **more: Any) -> Response:
    """One problem document."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Response(msgspec.json.encode(body, enc_hook=str), status, media_type=MEDIA_TYPE)


def on_error(request: Request, error: Exception) -> Response:
    """The answer for an error of ours: who should do what decides the status."""
    if isinstance(error, Problem):
        return problem_response(error.status, str(error), **error.more)
    if isinstance(error, PropertyError):
        return problem_response(422, str(error))
    if isinstance(error, DefinitionError):
        return problem_response(409, str(error))
    return problem_response(503 if isinstance(error, EnvironmentFault) else 500, str(error))


def on_http_error(request: Request, error: Exception) -> Response:
    """The answer for an unknown path or method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem_response(status, f"{request.method} {request.url.path} must be a route of ours")


def on_invalid(request: Request, error: Exception) -> Response:
    """The answer for parameters or a body of the wrong shape. Values are not repeated: one may be
    a secret."""
    problems = [
        {"place": ".".join(map(str, one["loc"])), "problem": one["msg"]}
        for one in getattr(error, "errors", list)()
    ]
    return problem_response(422, "request must follow the description", problems=problems)
