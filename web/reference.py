"""Documents in the browser: guides, the reference of types, and each flow's documentation."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flowengine.flowdoc.page import stylesheet
from web.api.common import FlowId, SiteHere
from web.flowfiles import refuse_unreadable
from web.pages import page, to_login
from web.problems import Problem
from web.reading import guide_text, guides, html, resolver
from web.security.access import caller_of
from web.site import Site

router = APIRouter(include_in_schema=False)


@router.get("/style/pages.css")
async def style() -> Response:
    """The style of all pages but the editor's; anybody may have it, since the login needs it."""
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(stylesheet(), headers=headers, media_type="text/css")


@router.get("/docs")
@router.get("/docs/")
async def index(request: Request, site: SiteHere) -> Response:
    """All documents."""
    if caller_of(request) is None:
        return to_login(site)
    found = await site.inspection.reference()
    return page(request, "documents", guides=guides(), reference=found)


@router.get("/docs/processors/{name}")
async def processor(request: Request, site: SiteHere, name: str) -> Response:
    """The reference of a processor."""
    return await _type(request, site, "processor", name)


@router.get("/docs/services/{name}")
async def service(request: Request, site: SiteHere, name: str) -> Response:
    """The reference of a controller service."""
    return await _type(request, site, "service", name)


async def _type(request: Request, site: Site, kind: str, name: str) -> Response:
    if caller_of(request) is None:
        return to_login(site)
    found = await site.inspection.reference()
    if name not in found[kind]:
        other = next((one for one in found if name in found[one]), None)
        if other is not None:
            return RedirectResponse(f"{site.config.root_path}/docs/{other}s/{name}", 303)
        raise Problem(404, f"type must be an installed one; got {name[:100]!r}")
    names = {one: list(found[one]) for one in found}
    here = f"docs/{kind}s/{name}"
    resolve = resolver(f"{kind}s/{name}.md", names, here)
    body = html(found[kind][name]["text"], resolve)
    return page(request, "document", title=name, body=body)


@router.get("/docs/{name}")
async def guide(request: Request, site: SiteHere, name: str) -> Response:
    """A guide."""
    if caller_of(request) is None:
        return to_login(site)
    chosen = next((one for one in guides() if one.name == name), None)
    if chosen is None:
        raise Problem(404, f"document must be one of the index; got {name[:100]!r}")
    found = await site.inspection.reference()
    names = {one: list(found[one]) for one in found}
    resolve = resolver(chosen.path, names, f"docs/{name}")
    body = html(guide_text(chosen), resolve)
    return page(request, "document", title=chosen.title, body=body)


@router.get("/flows/{id}/doc")
async def flow_document(request: Request, site: SiteHere, id: FlowId) -> Response:
    """The documentation of a flow as its file stands, to print or to keep."""
    if caller_of(request) is None:
        return to_login(site)
    file = site.files.read(id)
    refuse_unreadable(file)
    body = await site.inspection.flow_document(file.text)
    version = site.store.deployed(id)
    return page(request, "flow", title=id, body=body, id=id, file=file, deployed=version)
