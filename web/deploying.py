"""Deploying: a draft becomes the file, a kept version, and the definition that runs (E18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from web.drafts import Draft
from web.flowfiles import refuse_unreadable
from web.problems import Problem
from web.site import Site
from web.store import Version

CHOICES = ("drain", "drop")
LONGEST = 100.0  # s for a running flow to take another definition; the runner gives up before


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deploy did.

    restarted: processors of a running flow that started anew; None when all of it did, or
               when it was not running
    """

    version: Version
    restarted: list[str] | None


async def deploy(
    site: Site, flow: str, seq: int | None, user: str, *, removed: str = "", overwrite: bool = False
) -> Deployed:
    """Deploy the draft of number ``seq`` (None: whatever it is).

    removed:   what becomes of FlowFiles in queues that are gone: drain or drop; empty asks
    overwrite: although the file has been changed by somebody else since the draft began

    Raises Problem 412 for another draft than ``seq``, 422 for an invalid one, 409 when a choice
    is needed.
    """
    draft = site.drafts.get(flow)
    refuse_stale(draft.seq, seq)
    if site.drafts.file_changed(draft) and not overwrite:
        raise Problem(
            409,
            f"draft of flow {flow!r} must be based on its file; got a file that was changed "
            "since. Look at the difference, then discard the draft or deploy with overwrite",
            file_changed=True,
        )
    text = await _valid_text(site, flow, draft)
    choice = await _choice(site, flow, text, removed)
    refuse_stale(draft.seq, seq)  # somebody may have edited while we asked
    if seq is None and draft.text != text:
        raise Problem(409, f"draft of flow {flow!r} must keep still; got an edit meanwhile")
    restarted = await _in_place(site, flow, text, choice)
    file = site.files.write(flow, text)
    site.drafts.deployed(flow, file.revision)
    version = _keep(site, flow, text, file.revision, user)
    if restarted is None:
        await _restart(site, flow, choice)
    site.tell_state(flow)
    return Deployed(version, restarted)


def refuse_stale(current: int, seq: int | None) -> None:
    """Raise Problem 412 when the draft is another one than the person has seen."""
    if seq is not None and seq != current:
        raise Problem(
            412,
            f"draft must be the one with If-Match {seq}; got number {current}. Look at what has "
            "changed, then deploy that",
            current=str(current),
        )


async def _valid_text(site: Site, flow: str, draft: Draft) -> str:
    text = draft.text
    found = await site.checked(flow, text, draft.document)
    errors = [one for one in found["problems"] if one["severity"] == "error"]
    if errors or text is None:
        raise Problem(
            422,
            f"flow {flow!r} must be valid to be deployed; got {len(errors)} errors",
            problems=found["problems"],
        )
    return text


async def _choice(site: Site, flow: str, text: str, removed: str) -> str:
    """What to do with FlowFiles of removed connections; empty when there are none."""
    held = await removed_queues(site, flow, text)
    if held and removed not in CHOICES:
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(held.items()))
        raise Problem(
            409,
            f"flow {flow!r} must keep the connections that hold FlowFiles; got a definition "
            f"without {listed}. Choose to drain or to drop them",
            removed=held,
        )
    return removed if held else ""


async def removed_queues(site: Site, flow: str, text: str) -> dict[str, int]:
    """Queues with FlowFiles that a definition no longer has."""
    supervised = site.supervisor.flow(flow)
    if not supervised.active:
        return await site.inspection.removed(flow, text, site.config.data_dir(flow))
    found: dict[str, Any] = await site.inspection.check(flow, text)
    status = await supervised.client.status()
    present = set(found["connections"])
    queues = status.connections.values()
    return {one.id: one.queued for one in queues if one.queued and one.id not in present}


def _keep(
    site: Site, flow: str, text: str, revision: str, user: str, restored: int | None = None
) -> Version:
    """A new version, unless the same is deployed already."""
    current = site.store.deployed(flow)
    if current is not None and current.revision == revision:
        return current
    return site.store.add_version(flow, revision, text, user, restored)


async def _in_place(site: Site, flow: str, text: str, choice: str) -> list[str] | None:
    """Give a running flow the definition: only what changed starts anew (E18).

    Returns which processors did; None when the runner has to be started anew. Raises Problem 409
    when a queue that is gone has got FlowFiles meanwhile.
    """
    supervised = site.supervisor.flow(flow)
    if supervised.state != "running":
        return None
    body = {"text": text, "removed": choice or "refuse"}
    try:
        answer = await supervised.client.json("POST", "/deploy", json=body, timeout=LONGEST)
    except Problem as problem:
        if "removed" in problem.more:
            raise
        return None
    await supervised.replace(text)
    return list(answer["restarted"])


async def _restart(site: Site, flow: str, choice: str) -> None:
    """Let a running flow go on with the new definition and its queues."""
    supervised = site.supervisor.flow(flow)
    site.store.remember(flow, removed=choice)
    if not supervised.active:
        return
    supervised.stop(drain=False, remember=False)  # at once: what is queued waits on disk
    await supervised.settled(30.0)
    site.supervisor.start(flow)


async def deploy_file(site: Site, flow: str, user: str) -> Version:
    """Deploy the file of a flow that was never deployed, so that it can start."""
    file = site.files.read(flow)
    refuse_unreadable(file)
    assert file.canonical is not None
    found = await site.inspection.check(flow, file.canonical)
    errors = [one for one in found["problems"] if one["severity"] == "error"]
    if errors:
        raise Problem(
            422,
            f"flow {flow!r} must be valid to start; got {len(errors)} errors",
            problems=found["problems"],
        )
    return _keep(site, flow, file.canonical, file.revision, user)


async def restore(site: Site, flow: str, number: int, user: str, *, removed: str = "") -> Deployed:
    """Deploy an old version as a new one.

    Raises Problem 404 for an unknown version, 409 when the draft holds undeployed edits, and what
    :func:`deploy` raises.
    """
    old = site.store.version(flow, number)
    if old is None:
        raise Problem(404, f"version of flow {flow!r} must be one that was deployed; got {number}")
    draft = site.drafts.get(flow)
    if site.drafts.edited(draft):
        raise Problem(
            409,
            f"draft of flow {flow!r} must hold no edits when a version is restored; got some. "
            "Deploy or discard them first",
        )
    found = await site.inspection.check(flow, old.text)
    if not found["valid"]:
        raise Problem(
            422, f"version {number} must be valid to be restored", problems=found["problems"]
        )
    choice = await _choice(site, flow, old.text, removed)
    restarted = await _in_place(site, flow, old.text, choice)
    file = site.files.write(flow, old.text)
    site.drafts.get(flow)  # follows the file
    version = _keep(site, flow, old.text, file.revision, user, number)
    if restarted is None:
        await _restart(site, flow, choice)
    site.tell_state(flow)
    return Deployed(version, restarted)
