"""Who may use a route. Every route of the API declares its role with :func:`allowed`."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request

from web.problems import Problem
from web.security.accounts import Accounts, Caller
from web.security.roles import Role

COOKIE = "flowengine_session"
HEADER = "X-Requested-With"
VALUE = "flowengine"
_READING = ("GET", "HEAD", "OPTIONS")


def caller_of(request: Request) -> Caller | None:
    """Who asks, by header or cookie; None for somebody unknown."""
    accounts: Accounts = request.app.state.site.accounts
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind:
        return accounts.by_token(token.strip()) if kind.lower() == "bearer" else None
    session = request.cookies.get(COOKIE)
    return accounts.by_session(session) if session else None


def allowed(role: Role) -> dict[str, Any]:
    """Keywords of a route that only this role, and those above it, may use."""

    def check(request: Request) -> Caller:
        caller = caller_of(request)
        if caller is None:
            raise Problem(
                401,
                "request must come from somebody known; got no valid session or token. Open the "
                "address that the server printed, log in, or send `Authorization: Bearer TOKEN`",
                headers={"WWW-Authenticate": "Bearer"},
            )
        request.state.caller = caller
        if caller.role < role:
            raise Problem(
                403,
                f"user {caller.user!r} must be {role.label} or above for this; "
                f"got {caller.role.label}",
            )
        if caller.by_cookie and request.method not in _READING:
            check_origin(request)
        return caller

    return {"dependencies": [Depends(check)], "openapi_extra": {"x-role": role.label}}


def check_origin(request: Request) -> None:
    """Raise Problem 403 for a write that another site's page may have caused."""
    if request.headers.get(HEADER) != VALUE:
        raise Problem(403, f"a browser's write must carry the header {HEADER}: {VALUE}; got none")
    refuse_foreign(request)


def refuse_foreign(request: Request) -> None:
    """Raise Problem 403 for a request that a page of another site sent."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem(403, f"a browser's write must come from our own page; got {origin[:100]!r}")
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Problem(403, "a browser's write must come from our own page; got another site's")


def known_caller(request: Request) -> Caller:
    """The caller that the route's role check has found."""
    caller: Caller = request.state.caller
    return caller


CallerHere = Annotated[Caller, Depends(known_caller)]
VIEWER, OPERATOR, EDITOR, ADMIN = (allowed(role) for role in Role)
