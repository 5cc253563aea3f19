"""The FastAPI app of a runner's control API. Imported when somebody connects."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from flowengine.control import commands, deploying, groups, history, observing, queues
from flowengine.control.desk import Desk
from flowengine.control.refusals import on_error, on_http_error, on_invalid
from flowengine.errors import FlowEngineError


def create_app(desk: Desk) -> FastAPI:
    """The control API before one engine. Problems are RFC 9457 documents."""
    app = FastAPI(title="flowengine runner", docs_url=None, redoc_url=None)
    app.state.desk = desk
    parts = (commands, deploying, groups, queues, history, observing)
    for part in parts:  # the last one catches all other paths
        app.include_router(part.router)
    app.add_exception_handler(FlowEngineError, on_error)
    for status in (404, 405):
        app.add_exception_handler(status, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    return app
