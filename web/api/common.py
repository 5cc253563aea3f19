"""What routes share: the site, ids, preconditions, and asking a runner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, cast
from urllib.parse import quote

import orjson
from fastapi import Depends, Header, Path, Request
from starlette.responses import Response

from web.flowfiles import unknown
from web.problems import Problem, answer
from web.site import Site

COMPONENT = re.compile(r"[a-z0-9_-]{1,64}(/[a-z0-9_-]{1,140}){0,20}")


def site_of(request: Request) -> Site:
    """The site that this app shows."""
    return cast(Site, request.app.state.site)


SiteHere = Annotated[Site, Depends(site_of)]


def flow_id(request: Request, id: Annotated[str, Path(max_length=600)]) -> str:
    """The id in the path, of a flow that is there. Raises Problem 404."""
    if not site_of(request).files.exists(id):
        raise unknown(id)
    return id


FlowId = Annotated[str, Depends(flow_id)]
IfMatch = Annotated[str | None, Header(description="The ETag of what was seen.")]


def expected(if_match: str | None, what: str) -> str:
    """The value of If-Match, without its quotes. Raises Problem 428 when there is none."""
    value = (if_match or "").removeprefix("W/").strip().strip('"')
    if not value:
        raise Problem(428, f"request must say in If-Match which {what} it means; got none")
    return value


def expected_number(if_match: str | None, what: str) -> int:
    """The number in If-Match. Raises Problem 412 for what is no number."""
    value = expected(if_match, what)
    if not value.isdecimal() or len(value) > 15:
        raise Problem(412, f"If-Match must be the number of the {what}; got {value[:40]!r}")
    return int(value)


def component(id: str) -> str:
    """An id of a processor, connection or group as a part of a runner's path."""
    if not COMPONENT.fullmatch(id):
        raise Problem(404, f"component must be one of the flow; got {id[:100]!r}")
    return quote(id)


async def ask(
    site: Site, flow: str, method: str, path: str, params: Mapping[str, Any] | None = None
) -> Response:
    """The answer of a flow's runner."""
    client = site.supervisor.flow(flow).client
    given = {key: value for key, value in (params or {}).items() if value is not None}
    return answer(await client.json(method, path, params=given))


def json_text(value: Any) -> str:
    """JSON text of what a body held. Raises Problem 422 for what cannot be stored."""
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise Problem(
            422,
            "body must hold valid Unicode, numbers within 64 bits and at most 250 levels; "
            f"got {error}",
        ) from None
