"""Answers that say what is wrong: RFC 9457 problem documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.requests import Request
from fastapi.responses import Response

from flowengine.control.problems import Problem
from flowengine.errors import DefinitionError, EnvironmentFault, PropertyError
from flowengine.logs import redacted_json

MEDIA_TYPE = "application/problem+json"


def problem_response(status: int, detail: str, **more: Any) -> Response:
    """One problem document."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    encoded = redacted_json(msgspec.json.encode(body, enc_hook=str))
    return Response(encoded, status, media_type=MEDIA_TYPE)


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
    status = int(getattr(error, "status_code", 500))
    return problem_response(status, f"{request.method} {request.url.path} must be a route of ours")


def on_invalid(request: Request, error: Exception) -> Response:
    """The answer for parameters or a body of the wrong shape. Values are not repeated: one may be
    a secret."""
    problems = [
        {"place": ".".join(map(str, one["loc"])), "problem": one["msg"]}
        for one in getattr(error, "errors", list)()
    ]
    return problem_response(422, "request must follow the description", problems=problems)
