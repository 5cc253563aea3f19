"""Pages made with Jinja2: the editor's shell, login, status without JavaScript, errors.

Documents are in :mod:`web.reference`.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

import orjson
from fastapi import APIRouter, Query, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import RedirectResponse, Response

from web.api.common import SiteHere
from web.api.flows import summaries
from web.api.general import program_version
from web.problems import Problem
from web.security.access import COOKIE, caller_of, refuse_foreign
from web.security.accounts import LIFETIME, LOCAL, Caller
from web.security.roles import Role
from web.site import Site

router = APIRouter(include_in_schema=False)
MANIFEST = Path(".vite") / "manifest.json"
ICON = "favicon.svg"
_MOST_FORM = 8 << 10

_templates = Environment(
    loader=PackageLoader("web", "templates"), autoescape=True, undefined=StrictUndefined
)


@dataclass(frozen=True, slots=True)
class Assets:
    """Files of the built editor that its page must load, relative to ``static/``."""

    script: str
    styles: tuple[str, ...]
    preload: tuple[str, ...]


def read_assets(static: Path) -> Assets | None:
    """What Vite's manifest says about the entry; None where the editor is not built."""
    try:
        manifest: dict[str, Any] = orjson.loads((static / MANIFEST).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    entry = next((one for one in manifest.values() if one.get("isEntry")), None)
    if entry is None:
        return None
    reached = _reached(manifest, entry, {})
    styles = dict.fromkeys(css for one in (entry, *reached.values()) for css in one.get("css", ()))
    return Assets(entry["file"], tuple(styles), tuple(one["file"] for one in reached.values()))


def _reached(
    manifest: dict[str, Any], chunk: dict[str, Any], seen: dict[str, Any]
) -> dict[str, Any]:
    """Chunks that a chunk imports at once, with theirs."""
    for name in chunk.get("imports", ()):
        if name not in seen and name in manifest:
            seen[name] = manifest[name]
            _reached(manifest, manifest[name], seen)
    return seen


def page(request: Request, template: str, code: int = 200, **values: Any) -> Response:
    """A page. It may hold what only this person may see, so nobody keeps it."""
    site: Site = request.app.state.site
    common = {
        "base": f"{site.config.root_path}/",
        "nonce": request.state.nonce,
        "version": program_version(),
        "caller": caller_of(request),
        "icon": (site.config.static / ICON).is_file(),
    }
    text = _templates.get_template(f"{template}.html.j2").render(**common, **values)
    return Response(text, code, {"Cache-Control": "no-store"}, media_type="text/html")


def error_page(request: Request, status: int, detail: str) -> Response:
    """A page that says what is wrong."""
    title = HTTPStatus(status).phrase
    return page(request, "error", status, status=status, title=title, detail=detail)


def to_login(site: Site) -> Response:
    """Where somebody unknown is sent."""
    return RedirectResponse(f"{site.config.root_path}/login", 303)


# -- logging in --------------------------------------------------------------------------------


def _home(site: Site, path: str = "") -> RedirectResponse:
    """To a page of ours: a path that begins with a slash would be another host."""
    inner = quote(path.lstrip("/\\"))
    return RedirectResponse(f"{site.config.root_path}/{inner}", 303, {"Cache-Control": "no-store"})


def _with_session(site: Site, caller: Caller, response: Response) -> Response:
    response.set_cookie(
        COOKIE,
        site.accounts.open_session(caller),
        max_age=LIFETIME // 1_000_000,
        path=f"{site.config.root_path}/",
        secure=site.config.https,
        httponly=True,
        samesite="strict",
    )
    return response


@router.get("/login")
async def login_page(request: Request) -> Response:
    """Ask for a token, or a name and password."""
    return page(request, "login", problem="", name="")


@router.post("/login")
async def login(request: Request, site: SiteHere) -> Response:
    """Open a session. Failures are counted by address and by name."""
    refuse_foreign(request)
    form = await _form(request)
    name, password, token = (form.get(key, "") for key in ("name", "password", "token"))
    keys = [f"peer {_peer(request)}", f"name {name[:100]}"]
    wait = site.limit.wait(*keys)
    if wait:
        problem = f"too many tries; wait {wait} s"
        response = page(request, "login", 429, problem=problem, name=name)
        response.headers["Retry-After"] = str(wait)
        return response
    caller = site.accounts.by_token(token) if token else site.accounts.log_in(name, password)
    who = caller or Caller(name[:100] or "nobody", Role.VIEWER)
    site.store.audit(who.user, who.role.label, "log in", 303 if caller else 401, _peer(request))
    if caller is None:
        site.limit.failed(*keys)
        return page(
            request,
            "login",
            401,
            problem="name and password, or the token, must be right",
            name=name,
        )
    return _with_session(site, caller, _home(site))


@router.post("/logout")
async def logout(request: Request, site: SiteHere) -> Response:
    """Close the session."""
    refuse_foreign(request)
    session = request.cookies.get(COOKIE)
    if session:
        site.accounts.close_session(session)
    response = RedirectResponse(f"{site.config.root_path}/login", 303)
    response.delete_cookie(COOKIE, path=f"{site.config.root_path}/")
    return response


def _peer(request: Request) -> str:
    return request.client.host if request.client else "unknown"


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > _MOST_FORM:
        raise Problem(413, f"form must have at most {_MOST_FORM} bytes; got more")
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    return {key: values[0] for key, values in fields.items()}


# -- pages -------------------------------------------------------------------------------------


@router.get("/status")
async def status(
    request: Request, site: SiteHere, every: Annotated[int | None, Query(ge=1, le=3600)] = None
) -> Response:
    """All flows as a table, without JavaScript; on demand it loads itself anew every few seconds.

    A page that does so unasked would take a screen reader back to its top.
    """
    if caller_of(request) is None:
        return to_login(site)
    response = page(request, "status", flows=await summaries(site), every=every)
    if every is not None:
        response.headers["Refresh"] = str(every)
    return response


@router.get("/api/{path:path}")
async def no_api(path: str) -> Response:
    """An unknown path of the API is no page of the editor."""
    raise Problem(404, f"path must be a route of the API; got {'/api/' + path[:200]!r}")


@router.get("/{path:path}")
async def shell(request: Request, site: SiteHere, path: str, token: str = "") -> Response:
    """The editor. With the token that was printed at the start: a session, then this page."""
    if token:
        return _enter(request, site, token, path)
    caller = caller_of(request)
    if caller is None:
        return to_login(site)
    if "." in path.rpartition("/")[2] and not path.startswith("flows/"):
        return error_page(request, 404, f"there is nothing at {path[:200]!r}")
    assets = read_assets(site.config.static)
    if assets is None:
        return page(request, "not_built", 503)
    boot = {
        "version": program_version(),
        "user": caller.user,
        "role": caller.role.label,
        "base": f"{site.config.root_path}/",
        "api": f"{site.config.root_path}/api/v1",
        "nonce": request.state.nonce,
        "logout": caller.user != LOCAL,
    }
    return page(request, "shell", assets=assets, boot=boot)


def _enter(request: Request, site: Site, token: str, path: str) -> Response:
    """A session for a valid token, then the same page without the token in its address."""
    key = f"peer {_peer(request)}"
    caller = None if site.limit.wait(key) else site.accounts.by_token(token)
    if caller is None:
        site.limit.failed(key)
        return page(request, "login", 401, problem="the token in the address is not valid", name="")
    site.store.audit(caller.user, caller.role.label, "log in", 303, _peer(request))
    return _with_session(site, caller, _home(site, path))
