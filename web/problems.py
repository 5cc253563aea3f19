"""Answers that say what is wrong and where: RFC 9457 problem documents.

``problems`` lists every single finding: component, property, JSON pointer, place, remedy.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from flowengine.errors import DefinitionError, EnvironmentFault, FlowEngineError
from flowengine.findings import Finding, FlowInvalid

MEDIA_TYPE = "application/problem+json"


class Problem(FlowEngineError):
    """A request that cannot be answered as asked. ``more`` becomes members of the document."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer that nobody keeps."""
    body = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    shown = {"Cache-Control": "no-store", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return Response(body, status, media_type="application/json", headers=shown)


def problem_response(status: int, detail: str, **more: Any) -> Response:
    """One problem document."""
    headers = more.pop("headers", {})
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "problems": [],
        **more,
    }
    return Response(
        orjson.dumps(body, default=str),
        status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **headers},
    )


def problems_of(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as members of a problem document."""
    return [
        {
            "component": finding.component,
            "property": _property(finding.path),
            "pointer": finding.path,
            "message": finding.message,
            "remedy": finding.remedy,
            "severity": finding.severity.value,
            "line": finding.line,
            "column": finding.column,
        }
        for finding in findings
    ]


def _property(pointer: str) -> str:
    """The part of a JSON pointer inside its component: ``properties.topic``."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    while len(parts) >= 2 and parts[0] in _SECTIONS:
        is_group = parts[0] == "groups"
        parts = parts[2:]
        if not is_group:
            break
    return ".".join(parts)


_SECTIONS = frozenset(
    [
        "processors",
        "groups",
        "funnels",
        "inputs",
        "outputs",
        "labels",
        "services",
        "parameters",
        "connections",
    ]
)


def on_error(request: Request, error: Exception) -> Response:
    """The answer for an error of ours: who should do what decides the status."""
    if isinstance(error, Problem):
        return problem_response(error.status, str(error), **error.more)
    if isinstance(error, FlowInvalid):
        found = problems_of(error.findings)
        return problem_response(422, "flow definition must be valid", problems=found)
    if isinstance(error, DefinitionError):
        return problem_response(422, str(error), problems=[_about(error)])
    return problem_response(503 if isinstance(error, EnvironmentFault) else 500, str(error))


def _about(error: DefinitionError) -> dict[str, Any]:
    return {
        "component": getattr(error, "component", ""),
        "property": "",
        "pointer": getattr(error, "pointer", ""),
        "message": str(error),
        "remedy": "",
        "severity": "error",
    }


def on_http_error(request: Request, error: Exception) -> Response:
    """The answer for an unknown path or method, and what the framework refuses."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    allowed = getattr(error, "headers", None) or {}
    detail = str(getattr(error, "detail", "")) or "request must be answerable"
    if status in (404, 405):
        detail = f"{request.method} {request.url.path[:200]} must be a route of this server"
    return problem_response(status, detail, headers=dict(allowed))


def on_invalid(request: Request, error: Exception) -> Response:
    """The answer for a request of the wrong shape. Values are not repeated: one may be a secret."""
    found = [
        {
            "component": "",
            "property": ".".join(map(str, one["loc"][1:])),
            "pointer": "".join(f"/{part}" for part in one["loc"][1:]),
            "message": f"{one['loc'][0]} must follow the description; got: {one['msg']}",
            "remedy": "",
            "severity": "error",
        }
        for one in getattr(error, "errors", list)()
    ]
    return problem_response(422, "request must follow the description", problems=found)


def on_unexpected(request: Request, error: Exception) -> Response:
    """The answer for a bug; what it was is in the server's log only."""
    return problem_response(500, "server must not fail; got an error that its log explains")
