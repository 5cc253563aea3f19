"""From a flow definition to HTML. Only a page that stands alone has its style inside."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from flowengine.definition.canonical import canonical, revision
from flowengine.definition.model import FlowDefinition
from flowengine.flowdoc.drawing import draw, fitting
from flowengine.flowdoc.sections import parameters, section


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("flowengine", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fitting"] = fitting
    environment.filters["px"] = lambda value: f"{value:.1f}".removesuffix(".0")
    return environment


def stylesheet() -> str:
    """The style of all documents."""
    source, _, _ = PackageLoader("flowengine", "templates").get_source(_templates(), "document.css")
    return source


def document_body(flow: FlowDefinition) -> str:
    """The documentation of a flow as HTML without a page around it."""
    return (
        _templates()
        .get_template("flow.html.j2")
        .render(
            flow=flow,
            drawing=draw(flow),
            parameters=parameters(flow),
            root=section(flow),
            revision=revision(canonical(flow)),
        )
    )


def document_page(flow: FlowDefinition) -> str:
    """A page that needs no other file."""
    return (
        _templates()
        .get_template("alone.html.j2")
        .render(title=flow.name, body=document_body(flow), style=stylesheet())
    )
