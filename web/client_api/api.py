"""The REST API, one method per operation. Written by `make client`: do not edit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from web.client_api import models


class Transport(Protocol):
    """What sends requests; raises for answers that are problems."""

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> httpx.Response: ...

    def stream(
        self, method: str, path: str, *, params: Mapping[str, Any]
    ) -> AbstractContextManager[httpx.Response]: ...


def _given(**values: Any) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in values.items() if value is not None}


def _present(headers: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if value is not None}


def _path(text: str) -> str:
    return quote(text, safe="/")


class Api:
    """All operations of a server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def flows_flows(self, *, limit: int | None = None, cursor: str | None = None) -> models.Flows:
        """Flows by id, with state, what is undeployed, errors, queued FlowFiles, bulletins.

        ``next`` is the cursor of the page after.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            "/flows",
            params=_given(limit=limit, cursor=cursor),
            headers=headers,
            content=content,
        )
        return models.Flows.model_validate_json(answer.content)

    def flows_create(self, body: models.NewFlow) -> models.FlowText:
        """Create a flow. Unknown processor types are kept; a wrong structure is 422 with places."""
        headers = _present({})
        content = TypeAdapter(models.NewFlow).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST", "/flows", params=_given(), headers=headers, content=content
        )
        return models.FlowText.model_validate_json(answer.content)

    def flows_read(self, id: str) -> models.FlowText:
        """The file of a flow."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET", f"/flows/{_path(str(id))}", params=_given(), headers=headers, content=content
        )
        return models.FlowText.model_validate_json(answer.content)

    def flows_replace(
        self, id: str, body: models.NewText, *, if_match: str | None = None
    ) -> models.FlowText:
        """Replace the file of a flow. It runs when it is deployed; an edited draft stays."""
        headers = _present({"If-Match": if_match})
        content = TypeAdapter(models.NewText).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "PUT", f"/flows/{_path(str(id))}", params=_given(), headers=headers, content=content
        )
        return models.FlowText.model_validate_json(answer.content)

    def flows_delete(self, id: str) -> None:
        """Delete a stopped flow's file and draft. Its versions and data directory stay."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "DELETE", f"/flows/{_path(str(id))}", params=_given(), headers=headers, content=content
        )
        answer.close()

    def flows_validate(self, body: models.BodyFlowsValidate) -> models.Checked:
        """All findings of a definition that is nowhere yet."""
        headers = _present({})
        content = TypeAdapter(models.BodyFlowsValidate).dump_json(
            body, exclude_unset=True, by_alias=True
        )
        answer = self._transport.send(
            "POST", "/validate", params=_given(), headers=headers, content=content
        )
        return models.Checked.model_validate_json(answer.content)

    def drafting_draft(self, id: str) -> models.DraftAnswer:
        """The draft with its problems."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/draft",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.DraftAnswer.model_validate_json(answer.content)

    def drafting_discard(self, id: str, *, client: str | None = None) -> models.DraftAnswer:
        """Make the draft what the file is."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "DELETE",
            f"/flows/{_path(str(id))}/draft",
            params=_given(client=client),
            headers=headers,
            content=content,
        )
        return models.DraftAnswer.model_validate_json(answer.content)

    def drafting_operations(self, id: str, body: models.Edit) -> models.EditAnswer:
        """Apply operations. 409 with ``conflicts`` when somebody else has changed the same thing."""
        headers = _present({})
        content = TypeAdapter(models.Edit).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/draft/operations",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.EditAnswer.model_validate_json(answer.content)

    def drafting_diff(
        self, id: str, *, from_: str | None = None, to: str | None = None
    ) -> models.Diff:
        """Changes between two of: ``deployed``, ``draft``, ``file``, or the number of a version."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/diff",
            params=_given(from_=from_, to=to),
            headers=headers,
            content=content,
        )
        return models.Diff.model_validate_json(answer.content)

    def drafting_deploy(
        self, id: str, body: models.Choices | None = None, *, if_match: str | None = None
    ) -> models.DeployedAnswer:
        """Make the draft the running definition; queues of connections that stay are kept."""
        headers = _present({"If-Match": if_match})
        content = (
            None
            if body is None
            else TypeAdapter(models.Choices | None).dump_json(
                body, exclude_unset=True, by_alias=True
            )
        )
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/deploy",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.DeployedAnswer.model_validate_json(answer.content)

    def drafting_versions(
        self, id: str, *, cursor: int | None = None, limit: int | None = None
    ) -> models.Versions:
        """Deployed versions, newest first; ``next`` is the cursor of the page after."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/versions",
            params=_given(cursor=cursor, limit=limit),
            headers=headers,
            content=content,
        )
        return models.Versions.model_validate_json(answer.content)

    def drafting_version(self, number: str, id: str) -> models.VersionText:
        """One deployed version."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/versions/{_path(str(number))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.VersionText.model_validate_json(answer.content)

    def drafting_restore(
        self, number: str, id: str, body: models.Choices | None = None
    ) -> models.DeployedAnswer:
        """Deploy an old version as a new one. 409 while the draft holds undeployed edits."""
        headers = _present({})
        content = (
            None
            if body is None
            else TypeAdapter(models.Choices | None).dump_json(
                body, exclude_unset=True, by_alias=True
            )
        )
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/versions/{_path(str(number))}/restore",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.DeployedAnswer.model_validate_json(answer.content)

    def running_start(self, id: str) -> models.FlowState:
        """Start the deployed definition; the file's, if nothing was deployed. No effect when running.

        The answer comes when it runs, has failed, or after three seconds with the state of then.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/start",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.FlowState.model_validate_json(answer.content)

    def running_run_once(self, id: str) -> models.FlowState:
        """Run until nothing is left to do, then stop. No effect when running."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/run-once",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.FlowState.model_validate_json(answer.content)

    def running_stop(self, id: str, body: models.BodyRunningStop) -> models.FlowState:
        """Stop a flow; with ``drain`` queues may empty themselves first. Nothing is lost either way."""
        headers = _present({})
        content = TypeAdapter(models.BodyRunningStop).dump_json(
            body, exclude_unset=True, by_alias=True
        )
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/stop",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.FlowState.model_validate_json(answer.content)

    def running_reset(self, id: str, body: models.ResetFlow) -> models.ResetDone:
        """Forget queues, states or positions of a stopped flow. What is forgotten is lost."""
        headers = _present({})
        content = TypeAdapter(models.ResetFlow).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/reset",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.ResetDone.model_validate_json(answer.content)

    def running_start_processor(self, processor: str, id: str) -> models.Commanded:
        """Start a processor until the flow stops."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/processors/{_path(str(processor))}/start",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Commanded.model_validate_json(answer.content)

    def running_stop_processor(self, processor: str, id: str) -> models.Commanded:
        """Stop a processor; its queues stay."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/processors/{_path(str(processor))}/stop",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Commanded.model_validate_json(answer.content)

    def running_trigger(self, processor: str, id: str) -> models.Commanded:
        """Trigger a stopped processor once."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/processors/{_path(str(processor))}/run-once",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Commanded.model_validate_json(answer.content)

    def running_terminate(
        self, processor: str, id: str, *, force: bool | None = None
    ) -> models.Commanded:
        """Stop a processor and roll back what it is doing; the runner may start anew without it."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/processors/{_path(str(processor))}/terminate",
            params=_given(force=force),
            headers=headers,
            content=content,
        )
        return models.Commanded.model_validate_json(answer.content)

    def running_clear_state(self, processor: str, id: str) -> models.Cleared:
        """Forget a stopped processor's durable state."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/processors/{_path(str(processor))}/clear-state",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Cleared.model_validate_json(answer.content)

    def running_disable(self, processor: str, id: str) -> models.Commanded:
        """Let a stopped processor refuse to start until it is enabled or the flow starts again."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/processors/{_path(str(processor))}/disable",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Commanded.model_validate_json(answer.content)

    def running_enable(self, processor: str, id: str) -> models.Commanded:
        """Let a disabled processor be started again; it stays stopped."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/processors/{_path(str(processor))}/enable",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Commanded.model_validate_json(answer.content)

    def running_command_group(
        self,
        group: str,
        verb: Literal["start", "stop", "run-once", "enable", "disable", "terminate", "clear-state"],
        id: str,
    ) -> models.GroupCommanded:
        """Command all processors in a group and in the groups inside it; disabled ones do not start.

        409 with ``processors`` when some would refuse: then nothing has happened.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/groups/{_path(str(group))}/{_path(str(verb))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.GroupCommanded.model_validate_json(answer.content)

    def running_empty(self, connection: str, id: str) -> models.Dropped:
        """Throw away what waits in a connection; the ledger counts it as dropped."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/connections/{_path(str(connection))}/empty",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Dropped.model_validate_json(answer.content)

    def running_reset_counter(self, name: str, id: str) -> models.CounterReset:
        """Set a counter to 0."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/counters/{_path(str(name))}/reset",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.CounterReset.model_validate_json(answer.content)

    def running_replay(self, event: int, id: str) -> models.Replayed:
        """Put what an event saw back into the queue that fed it."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "POST",
            f"/flows/{_path(str(id))}/provenance/{_path(str(event))}/replay",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Replayed.model_validate_json(answer.content)

    def looking_status(self, id: str) -> models.FlowStatusAnswer:
        """State of a flow and, while it runs, everything about it now.

        ``status`` is null, with the ``reason``, while the runner does not answer.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/status",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.FlowStatusAnswer.model_validate_json(answer.content)

    def looking_processor(self, processor: str, id: str) -> models.ProcessorAnswer:
        """One running processor: status, settings, bulletins."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/processors/{_path(str(processor))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.ProcessorAnswer.model_validate_json(answer.content)

    def looking_flowfiles(
        self,
        connection: str,
        id: str,
        *,
        limit: int | None = None,
        newest: bool | None = None,
        filter_: list[str] | None = None,
        cursor: str | None = None,
    ) -> models.Listing:
        """FlowFiles that wait. ``filter=attribute=value`` may be repeated; ``next`` is the cursor of
        the page after.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/connections/{_path(str(connection))}/flowfiles",
            params=_given(limit=limit, newest=newest, filter_=filter_, cursor=cursor),
            headers=headers,
            content=content,
        )
        return models.Listing.model_validate_json(answer.content)

    def looking_content(
        self, connection: str, uuid: str, id: str, *, range_: str | None = None
    ) -> bytes:
        """A content as a download, streamed; a Range header asks for a part."""
        headers = _present({"Range": range_})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/connections/{_path(str(connection))}/flowfiles/{_path(str(uuid))}/content",
            params=_given(),
            headers=headers,
            content=content,
        )
        return answer.content

    def looking_bulletins(
        self, id: str, *, component: str | None = None, after: int | None = None
    ) -> models.Bulletins:
        """Bulletins of the last five minutes, and those of the server about the flow (id below 0)."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/bulletins",
            params=_given(component=component, after=after),
            headers=headers,
            content=content,
        )
        return models.Bulletins.model_validate_json(answer.content)

    def looking_logs(
        self, id: str, *, lines: int | None = None, cursor: str | None = None
    ) -> models.Logs:
        """The last lines of a flow's log, oldest first; also when it is stopped.

        ``next`` is the cursor of the lines before them.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/logs",
            params=_given(lines=lines, cursor=cursor),
            headers=headers,
            content=content,
        )
        return models.Logs.model_validate_json(answer.content)

    def looking_history(
        self,
        id: str,
        *,
        kind: Literal["flow", "processors", "connections"] | None = None,
        component: str | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> models.Series:
        """One point a minute of the last 24 hours, of the flow or of one component; also when stopped.

        ``fields`` names the values behind the time of each point; minutes without a run are left out.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/history",
            params=_given(kind=kind, component=component, since=since, until=until),
            headers=headers,
            content=content,
        )
        return models.Series.model_validate_json(answer.content)

    def looking_counters(self, id: str) -> dict[str, int]:
        """Counters by name."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/counters",
            params=_given(),
            headers=headers,
            content=content,
        )
        return TypeAdapter(dict[str, int]).validate_json(answer.content)

    def looking_state(self, processor: str, id: str) -> dict[str, Any]:
        """A processor's durable state."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/state/{_path(str(processor))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        return TypeAdapter(dict[str, Any]).validate_json(answer.content)

    def looking_metrics(self, id: str) -> str:
        """Figures of a running flow in Prometheus' text format."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/metrics",
            params=_given(),
            headers=headers,
            content=content,
        )
        return answer.text

    def looking_provenance(
        self,
        id: str,
        *,
        flowfile: str | None = None,
        processor: str | None = None,
        type_: str | None = None,
        since: int | None = None,
        until: int | None = None,
        cursor: int | None = None,
        attribute: list[str] | None = None,
        limit: int | None = None,
    ) -> models.Provenance:
        """Events, newest first. ``next`` is the cursor of the page after."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/provenance",
            params=_given(
                flowfile=flowfile,
                processor=processor,
                type_=type_,
                since=since,
                until=until,
                cursor=cursor,
                attribute=attribute,
                limit=limit,
            ),
            headers=headers,
            content=content,
        )
        return models.Provenance.model_validate_json(answer.content)

    def looking_lineage(self, uuid: str, id: str) -> models.Lineage:
        """Events of a FlowFile, its ancestors and descendants; edges from parent to child."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/provenance/{_path(str(uuid))}/lineage",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Lineage.model_validate_json(answer.content)

    def looking_event(self, event: int, id: str) -> models.ProvenanceEvent:
        """One event; ``content`` is base64, ``refusal`` why it cannot be replayed."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/provenance/{_path(str(event))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.ProvenanceEvent.model_validate_json(answer.content)

    def kafka_produce(
        self, service: str, topic: str, flow: str, body: models.Record
    ) -> models.Written:
        """Write one record; the answer comes when all copies in sync have it."""
        headers = _present({})
        content = TypeAdapter(models.Record).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/topics/{_path(str(topic))}/records",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Written.model_validate_json(answer.content)

    def kafka_tail(
        self,
        service: str,
        topic: str,
        flow: str,
        *,
        from_: str | None = None,
        partition: int | None = None,
        key: str | None = None,
        header: list[str] | None = None,
        path: str | None = None,
        equals: str | None = None,
        limit: int | None = None,
    ) -> AbstractContextManager[httpx.Response]:
        """Server-sent events: ``record``, ``position``, ``note``; ``end`` when a bounded read is done.

        Shown is what fits all filters: ``key`` and ``header=name=value`` (``*`` is anything), the JSON
        ``path`` in the value, and what it ``equals``. With a limit from elsewhere than the end, it ends
        at the latest at what was the end when it began.
        """
        return self._transport.stream(
            "GET",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/topics/{_path(str(topic))}/tail",
            params=_given(
                from_=from_,
                partition=partition,
                key=key,
                header=header,
                path=path,
                equals=equals,
                limit=limit,
            ),
        )

    def kafka_topic(self, service: str, topic: str, flow: str) -> models.Topic:
        """Partitions, configuration, groups, and the processors of all flows that use it."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/topics/{_path(str(topic))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Topic.model_validate_json(answer.content)

    def kafka_delete_topic(
        self, service: str, topic: str, flow: str, *, confirm: str | None = None
    ) -> None:
        """Delete a topic with all its records. ``confirm`` repeats its name."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "DELETE",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/topics/{_path(str(topic))}",
            params=_given(confirm=confirm),
            headers=headers,
            content=content,
        )
        answer.close()

    def kafka_topics(
        self, service: str, flow: str, *, internal: bool | None = None
    ) -> models.Topics:
        """Topics by name; ``size`` is what the leaders' copies take on disk."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/topics",
            params=_given(internal=internal),
            headers=headers,
            content=content,
        )
        return models.Topics.model_validate_json(answer.content)

    def kafka_create_topic(
        self, service: str, flow: str, body: models.NewTopic
    ) -> models.MadeTopic:
        """Make a topic; it is there for all brokers when the answer comes."""
        headers = _present({})
        content = TypeAdapter(models.NewTopic).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/topics",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.MadeTopic.model_validate_json(answer.content)

    def kafka_cluster(self, service: str, flow: str) -> models.Cluster:
        """Cluster id, controller and brokers."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/cluster",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Cluster.model_validate_json(answer.content)

    def kafka_reset(
        self, service: str, group: str, flow: str, body: models.Reset
    ) -> models.MovedPositions:
        """Move a group's committed offsets on a topic. 409 while it has live members.

        A flow that reads with this group keeps positions of its own, and the greater one counts: to go
        back in a flow, use ``flowengine reset --offsets``.
        """
        headers = _present({})
        content = TypeAdapter(models.Reset).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/groups/{_path(str(group))}/reset",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.MovedPositions.model_validate_json(answer.content)

    def kafka_group(self, service: str, group: str, flow: str) -> models.ConsumerGroup:
        """Members, positions, lag, and ``events``: what happened since somebody looks at it."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/groups/{_path(str(group))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.ConsumerGroup.model_validate_json(answer.content)

    def kafka_delete_group(self, service: str, group: str, flow: str) -> None:
        """Forget a group with its offsets. 409 while it has live members."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "DELETE",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/groups/{_path(str(group))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        answer.close()

    def kafka_groups(self, service: str, flow: str) -> models.Groups:
        """Consumer groups with state, members, topics and lag."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/kafka/{_path(str(flow))}/{_path(str(service))}/groups",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Groups.model_validate_json(answer.content)

    def general_version(self) -> models.ProgramVersion:
        """The program's version, and who asks."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET", "/version", params=_given(), headers=headers, content=content
        )
        return models.ProgramVersion.model_validate_json(answer.content)

    def general_catalogue(self) -> models.Catalogue:
        """Installed processors and services, with JSON Schema, relationships, examples."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET", "/catalogue", params=_given(), headers=headers, content=content
        )
        return models.Catalogue.model_validate_json(answer.content)

    def general_check(self, body: models.Check) -> models.ExpressionCheck:
        """Whether it compiles (``offset`` of what is wrong), and its value for the attributes."""
        headers = _present({})
        content = TypeAdapter(models.Check).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST", "/expressions/check", params=_given(), headers=headers, content=content
        )
        return models.ExpressionCheck.model_validate_json(answer.content)

    def general_verify(self, body: models.Verify) -> models.Steps:
        """Check the configuration step by step, up to the first failure. Nothing is saved."""
        headers = _present({})
        content = TypeAdapter(models.Verify).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST", "/verify", params=_given(), headers=headers, content=content
        )
        return models.Steps.model_validate_json(answer.content)

    def general_parameters(self, id: str) -> models.Parameters:
        """Parameters of the draft, who refers to them, and whether a value is there.

        The value of a sensitive one is never told.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            f"/flows/{_path(str(id))}/parameters",
            params=_given(),
            headers=headers,
            content=content,
        )
        return models.Parameters.model_validate_json(answer.content)

    def general_metrics(self) -> str:
        """Figures of all running flows in Prometheus' text format; ``flow`` is the flow's id."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET", "/metrics", params=_given(), headers=headers, content=content
        )
        return answer.text

    def general_events(self, *, flow: str | None = None) -> AbstractContextManager[httpx.Response]:
        """Server-sent events: with a flow its ``snapshot``, then ``status`` deltas once a second,
        ``bulletin`` and ``draft``; always ``flow`` when the state of one changes.
        """
        return self._transport.stream("GET", "/events", params=_given(flow=flow))

    def people_users(self) -> models.Users:
        """Names and roles of all users."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET", "/users", params=_given(), headers=headers, content=content
        )
        return models.Users.model_validate_json(answer.content)

    def people_put_user(self, name: str, body: models.NewUser) -> None:
        """Add a user, or give one another role and password."""
        headers = _present({})
        content = TypeAdapter(models.NewUser).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "PUT", f"/users/{_path(str(name))}", params=_given(), headers=headers, content=content
        )
        answer.close()

    def people_remove_user(self, name: str) -> None:
        """Forget a user with all sessions and tokens."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "DELETE",
            f"/users/{_path(str(name))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        answer.close()

    def people_make_token(self, body: models.NewToken) -> models.MadeToken:
        """A token of one's own for scripts. It is shown this once."""
        headers = _present({})
        content = TypeAdapter(models.NewToken).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "POST", "/tokens", params=_given(), headers=headers, content=content
        )
        return models.MadeToken.model_validate_json(answer.content)

    def people_audit(self, *, cursor: int | None = None, limit: int | None = None) -> models.Audit:
        """Who changed what, newest first. ``next`` is the cursor of the page after."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET",
            "/audit",
            params=_given(cursor=cursor, limit=limit),
            headers=headers,
            content=content,
        )
        return models.Audit.model_validate_json(answer.content)

    def secrets_secrets(self) -> models.Secrets:
        """Names of secrets, whether each has a value, and which flows name it.

        ``problem`` says why none can be opened, for example since the key is lost.
        """
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET", "/secrets", params=_given(), headers=headers, content=content
        )
        return models.Secrets.model_validate_json(answer.content)

    def secrets_put_secret(self, name: str, body: models.NewSecret) -> None:
        """Enter a secret, or another value for it. Running flows take it when they start again."""
        headers = _present({})
        content = TypeAdapter(models.NewSecret).dump_json(body, exclude_unset=True, by_alias=True)
        answer = self._transport.send(
            "PUT", f"/secrets/{_path(str(name))}", params=_given(), headers=headers, content=content
        )
        answer.close()

    def secrets_remove_secret(self, name: str) -> None:
        """Forget a secret. Flows that name it do not start again without it."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "DELETE",
            f"/secrets/{_path(str(name))}",
            params=_given(),
            headers=headers,
            content=content,
        )
        answer.close()

    def general_live(self) -> models.Live:
        """200 while the server answers."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET", "/health/live", params=_given(), headers=headers, content=content
        )
        return models.Live.model_validate_json(answer.content)

    def general_ready(self) -> models.Ready:
        """200 when the server can work; 503 when it is ending or its folder is gone."""
        headers = _present({})
        content = None
        answer = self._transport.send(
            "GET", "/health/ready", params=_given(), headers=headers, content=content
        )
        return models.Ready.model_validate_json(answer.content)
