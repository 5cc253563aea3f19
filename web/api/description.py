"""The OpenAPI document: what each route answers, problems included."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from web.api.models import ProblemDocument
from web.api.models_running import REFERENCE, runner_schemas

Responses = dict[int | str, dict[str, Any]]
PROBLEM = "ProblemDocument"


def problems(*statuses: int) -> Responses:
    """Descriptions of problem documents."""
    schema = {"$ref": REFERENCE.format(name=PROBLEM)}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }


#: Of every route: no JSON, not known, not allowed, too large, too long, not for this server, of the
#: wrong shape; disk, inspection or runner do not work, or not in time.
EVERYWHERE = problems(400, 401, 403, 413, 414, 421, 422, 503, 504)
FLOW = (404,)
RUNNER = (404, 409)


def answers(
    model: type[BaseModel] | str, *also: int, status: int = 200, media: str = "application/json"
) -> dict[str, Any]:
    """Keywords of a route: what it answers, and which problems beside those of every route.

    model: a model, or the name of a schema of the runner's
    """
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(model, str):
        shape = {"$ref": REFERENCE.format(name=model)} if model else {"type": "string"}
        found["content"] = {media: {"schema": shape}}
    else:
        found["model"] = model
    return {"responses": {status: found, **problems(*also)}} | _class(media)


def nothing(*also: int) -> dict[str, Any]:
    """Keywords of a route that answers 204."""
    return {"responses": problems(*also)}


def plain(schema: dict[str, Any], *also: int, media: str = "application/json") -> dict[str, Any]:
    """Keywords of a route whose answer has a schema that is no model."""
    found = {"description": "OK", "content": {media: {"schema": schema}}}
    return {"responses": {200: found, **problems(*also)}} | _class(media)


def _class(media: str) -> dict[str, Any]:
    """Without this FastAPI adds JSON without a schema to what is no JSON."""
    return {} if media == "application/json" else {"response_class": Response}


def describe(app: FastAPI) -> None:
    """Let the app's document hold the schemas that its responses refer to."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = made().setdefault("components", {}).setdefault("schemas", {})
            _, own = models_json_schema(
                [(ProblemDocument, "serialization")], ref_template=_TEMPLATE
            )
            for name, schema in {**own["$defs"], **runner_schemas()}.items():
                schemas.setdefault(name, schema)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


_TEMPLATE = "#/components/schemas/{model}"
