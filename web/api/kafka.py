"""Routes of the Kafka lens: brokers, topics, consumer groups, records of one KafkaConnection.

The service is one of a flow's draft or deployed definition; the flow need not run.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictInt
from starlette.responses import Response

from web.api import models_kafka as models
from web.api.bodies import StrictRoute
from web.api.common import SiteHere, site_of
from web.api.description import answers, nothing
from web.api.kafka_tail import TailStream
from web.flowfiles import unknown
from web.problems import Problem, answer
from web.security.access import EDITOR, OPERATOR, VIEWER

router = APIRouter(tags=["kafka"], route_class=StrictRoute)
BASE = "/kafka/{flow}/{service:path}"
LENS = (404, 409)
_LAST = 1 << 62
_OFFSET = 1 << 53


def known_flow(request: Request, flow: Annotated[str, Path(max_length=600)]) -> str:
    """The flow in the path, which must be there."""
    if not site_of(request).files.exists(flow):
        raise unknown(flow)
    return flow


Flow = Annotated[str, Depends(known_flow)]
Service = Annotated[str, Path(max_length=1000)]
Topic = Annotated[str, Path(max_length=300)]
Group = Annotated[str, Path(max_length=1000)]
Text = Annotated[str | None, Query(max_length=2000)]
Texts = Annotated[list[str] | None, Query(max_length=20)]


# -- records -------------------------------------------------------------------------------------


class Record(BaseModel):
    """A record to write. A value of null is a tombstone."""

    model_config = ConfigDict(extra="forbid")
    key: str | None = None
    value: str | None = None
    headers: dict[str, str] = Field(default_factory=dict, max_length=100)
    partition: int | None = Field(None, ge=0, le=1 << 31)
    encoding: Literal["text", "json", "hex"] = "text"


@router.post(BASE + "/topics/{topic}/records", **OPERATOR, **answers(models.Written, *LENS))
async def produce(
    site: SiteHere, flow: Flow, service: Service, topic: Topic, body: Record
) -> Response:
    """Write one record; the answer comes when all copies in sync have it."""
    found = await site.lens.ask(flow, service, "produce", topic=topic, **body.model_dump())
    return answer(found)


@router.get(
    BASE + "/topics/{topic}/tail", **VIEWER, **answers("", *LENS, media="text/event-stream")
)
async def tail(
    site: SiteHere,
    flow: Flow,
    service: Service,
    topic: Topic,
    from_: Annotated[
        str,
        Query(
            alias="from",
            max_length=40,
            description="beginning, end, a time in µs, or offset:N",
        ),
    ] = "end",
    partition: Annotated[int | None, Query(ge=0, le=1 << 31)] = None,
    key: Text = None,
    header: Texts = None,
    path: Text = None,
    equals: Text = None,
    limit: Annotated[int | None, Query(ge=1, le=100_000)] = None,
) -> Response:
    """Server-sent events: ``record``, ``position``, ``note``; ``end`` when a bounded read is done.

    Shown is what fits all filters: ``key`` and ``header=name=value`` (``*`` is anything), the JSON
    ``path`` in the value, and what it ``equals``. With a limit from elsewhere than the end, it ends
    at the latest at what was the end when it began.
    """
    wanted = {
        "topic": topic,
        "from": _place(from_),
        "partition": partition,
        "key": key,
        "header": header or [],
        "path": path,
        "equals": equals,
        "limit": limit,
    }
    stream = TailStream(site.lens, site.closing)
    await stream.open(flow, service, wanted)
    return stream


def _place(text: str) -> str | int:
    number = text.removeprefix("offset:")
    if text in ("beginning", "end"):
        return text
    if number.isascii() and number.isdigit() and len(number) < 19:
        return text if text.startswith("offset:") else int(text)
    raise Problem(
        422, f"tail must be from beginning, end, a time in µs or offset:N; got {text[:40]!r}"
    )


# -- topics --------------------------------------------------------------------------------------


class NewTopic(BaseModel):
    """A topic to make."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=249, pattern=r"^[a-zA-Z0-9._-]+$")
    partitions: int = Field(1, ge=1, le=10_000)
    replication_factor: int | None = Field(
        None, ge=1, le=100, description="Copies; null takes the broker's default."
    )
    config: dict[str, str] = Field(default_factory=dict, max_length=100)


@router.get(BASE + "/topics/{topic}", **VIEWER, **answers(models.Topic, *LENS))
async def topic(site: SiteHere, flow: Flow, service: Service, topic: Topic) -> Response:
    """Partitions, configuration, groups, and the processors of all flows that use it."""
    found = await site.lens.ask(flow, service, "topic", name=topic)
    return answer({**found, "used_by": await site.lens.used_by(flow, service, topic)})


@router.delete(BASE + "/topics/{topic}", status_code=204, **EDITOR, **nothing(*LENS))
async def delete_topic(
    site: SiteHere,
    flow: Flow,
    service: Service,
    topic: Topic,
    confirm: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """Delete a topic with all its records. ``confirm`` repeats its name."""
    if confirm != topic:
        rule = f"deleting must be confirmed by the name {topic[:300]!r}; got {confirm[:100]!r}"
        raise Problem(422, rule)
    await site.lens.ask(flow, service, "delete topic", name=topic)
    return Response(status_code=204)


@router.get(BASE + "/topics", **VIEWER, **answers(models.Topics, *LENS))
async def topics(site: SiteHere, flow: Flow, service: Service, internal: bool = False) -> Response:
    """Topics by name; ``size`` is what the leaders' copies take on disk."""
    return answer(await site.lens.ask(flow, service, "topics", internal=internal))


@router.post(
    BASE + "/topics",
    status_code=201,
    **OPERATOR,
    **answers(models.MadeTopic, *LENS, status=201),
)
async def create_topic(site: SiteHere, flow: Flow, service: Service, body: NewTopic) -> Response:
    """Make a topic; it is there for all brokers when the answer comes."""
    return answer(await site.lens.ask(flow, service, "create topic", **body.model_dump()), 201)


@router.get(BASE + "/cluster", **VIEWER, **answers(models.Cluster, *LENS))
async def cluster(site: SiteHere, flow: Flow, service: Service) -> Response:
    """Cluster id, controller and brokers."""
    return answer(await site.lens.ask(flow, service, "cluster"))


# -- groups --------------------------------------------------------------------------------------

Offset = Annotated[StrictInt, Field(ge=0, le=_LAST)]
Number = Annotated[str, Field(pattern=r"^[0-9]{1,9}$")]


class Reset(BaseModel):
    """Where a group shall go on: an end, a time in µs, or offsets by partition."""

    model_config = ConfigDict(extra="forbid")
    topic: str = Field(min_length=1, max_length=300)
    to: Literal["earliest", "latest"] | Offset | dict[Number, Offset]


@router.post(
    BASE + "/groups/{group:path}/reset",
    **OPERATOR,
    **answers(models.MovedPositions, *LENS),
)
async def reset(
    site: SiteHere, flow: Flow, service: Service, group: Group, body: Reset
) -> Response:
    """Move a group's committed offsets on a topic. 409 while it has live members.

    A flow that reads with this group keeps positions of its own, and the greater one counts: to go
    back in a flow, use ``flowengine reset --offsets``.
    """
    given: dict[str, Any] = {"group": group, "topic": body.topic, "to": body.to}
    return answer(await site.lens.ask(flow, service, "reset group", **given))


@router.get(BASE + "/groups/{group:path}", **VIEWER, **answers(models.ConsumerGroup, *LENS))
async def group(site: SiteHere, flow: Flow, service: Service, group: Group) -> Response:
    """Members, positions, lag, and ``events``: what happened since somebody looks at it."""
    return answer(await site.lens.ask(flow, service, "group", name=group))


@router.delete(BASE + "/groups/{group:path}", status_code=204, **OPERATOR, **nothing(*LENS))
async def delete_group(site: SiteHere, flow: Flow, service: Service, group: Group) -> Response:
    """Forget a group with its offsets. 409 while it has live members."""
    await site.lens.ask(flow, service, "delete group", group=group)
    return Response(status_code=204)


@router.get(BASE + "/groups", **VIEWER, **answers(models.Groups, *LENS))
async def groups(site: SiteHere, flow: Flow, service: Service) -> Response:
    """Consumer groups with state, members, topics and lag."""
    return answer(await site.lens.ask(flow, service, "groups"))
