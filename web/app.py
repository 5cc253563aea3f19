"""The server's app: API, pages, the editor's files, behind the shield."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from flowengine.errors import FlowEngineError
from web import pages, problems, reference
from web.api import drafting, flows, general, kafka, looking, people, running, secrets
from web.api.description import EVERYWHERE, describe
from web.problems import Problem
from web.security.accounts import Caller
from web.security.shield import Shield
from web.site import Site

API = "/api/v1"
_READING = ("GET", "HEAD", "OPTIONS")
_ROUTERS = (
    *(flows.router, drafting.router, running.router, looking.router),
    *(kafka.router, general.router, people.router, secrets.router, general.health),
)


def create_app(site: Site) -> FastAPI:
    """The app before one site; the site is opened and closed with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with site.opened():
            yield

    app = FastAPI(
        title="flowengine",
        version=general.program_version(),
        summary="Flows: edit, deploy, run, look inside.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
    )
    app.state.site = site
    for router in _ROUTERS:
        app.include_router(router, prefix=API, responses=EVERYWHERE)
    app.add_api_route(
        "/static/{path:path}", static_file, methods=["GET", "HEAD"], include_in_schema=False
    )
    app.include_router(reference.router)
    app.include_router(pages.router)  # the last one: it takes every path
    _check_roles(app)
    describe(app)
    _add_handlers(app)
    app.middleware("http")(_audit)
    app.add_middleware(
        Shield,
        names=site.config.names,
        https=site.config.https,
        root_path=site.config.root_path,
    )
    return app


def _operation_id(route: APIRoute) -> str:
    module = getattr(route.endpoint, "__module__", "").rpartition(".")[2]
    return f"{module}_{route.name}".rstrip("_")


def _check_roles(app: FastAPI) -> None:
    """A route of the API without a role would be open to everybody: refuse to start with one."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path.startswith(API):
            assert "x-role" in (route.openapi_extra or {}), f"{route.path} must declare a role"


def _add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(FlowEngineError, _html_or(problems.on_error))
    app.add_exception_handler(HTTPException, _html_or(problems.on_http_error))
    app.add_exception_handler(RequestValidationError, problems.on_invalid)
    app.add_exception_handler(Exception, _html_or(problems.on_unexpected))


def _html_or(
    handler: Callable[[Request, Exception], Response],
) -> Callable[[Request, Exception], Response]:
    """A page for browsers that ask for one outside the API, else the problem document."""

    def handle(request: Request, error: Exception) -> Response:
        response = handler(request, error)
        wants_page = "text/html" in request.headers.get("accept", "")
        if request.url.path.startswith("/api/") or not wants_page:
            return response
        known = isinstance(error, FlowEngineError | HTTPException)
        detail = str(error) if known else "The server failed; its log says why."
        return pages.error_page(request, response.status_code, detail)

    return handle


async def _audit(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Write down who changed what, also what was refused."""
    response = await call_next(request)
    if request.method not in _READING and request.url.path.startswith(API):
        caller: Caller | None = getattr(request.state, "caller", None)
        user, role = (caller.user, caller.role.label) if caller else ("nobody", "none")
        action = f"{request.method} {request.url.path.removeprefix(API)}"[:500]
        peer = request.client.host if request.client else "unknown"
        request.app.state.site.store.audit(user, role, action, response.status_code, peer)
    return response


async def static_file(request: Request, path: str) -> Response:
    """A file of the built editor. Names of assets hold a hash, so they may be kept for ever."""
    folder: Path = request.app.state.site.config.static.resolve()
    file = (folder / path).resolve()
    hidden = any(part.startswith(".") for part in Path(path).parts)
    if hidden or not file.is_relative_to(folder) or not file.is_file():
        raise Problem(404, f"file must be one of the editor; got {path[:200]!r}")
    kept = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return FileResponse(file, media_type=kind, headers={"Cache-Control": kept})
