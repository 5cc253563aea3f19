"""What the API answers about flows, drafts, versions and people. The description is made of it.

Answers are not validated while the server runs: Schemathesis holds them against these in tests.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["stopped", "starting", "running", "stopping", "failed"]
Json = dict[str, Any]


class Answer(BaseModel):
    """Base of all answers: every key is there, and there are no others."""

    model_config = ConfigDict(extra="forbid")


# -- problems ----------------------------------------------------------------------------------


class Finding(BaseModel):
    """One thing that is wrong, and where: component, property, JSON pointer, line and column."""

    component: str
    property: str
    pointer: str
    message: str
    remedy: str
    severity: Literal["error", "warning"]
    line: int = 0
    column: int = 0


class ProblemDocument(BaseModel):
    """Why a request could not be answered as asked (RFC 9457).

    Other keys depend on the route: ``current`` (412), ``conflicts``, ``removed`` or
    ``file_changed`` (409).
    """

    type: str
    title: str
    status: int
    detail: str
    problems: list[Finding | Json] = []


# -- flows -------------------------------------------------------------------------------------


class FlowSummary(Answer):
    """A flow in the list. Figures are null where nobody tells them in time.

    draft_ahead: the draft holds edits that are not deployed
    file_ahead:  the file holds another definition than the deployed one
    """

    id: str
    name: str
    description: str
    state: State
    reason: str
    deployed_revision: str | None
    deployed_version: int | None
    revision: str
    draft_ahead: bool
    file_ahead: bool
    errors: int | None
    queued: int | None
    bulletins: int


class Flows(Answer):
    """Flows by id. ``next`` is the cursor of the page after."""

    flows: list[FlowSummary]
    next: str | None


class FlowText(Answer):
    """The file of a flow. ``definition`` is null where the text is no JSON object."""

    id: str
    definition: Json | None
    text: str
    revision: str
    problems: list[Finding]


class Checked(BaseModel):
    """Findings of a definition, and relationships of its processors where they are known."""

    problems: list[Finding]
    relationships: dict[str, list[str]] = {}


class FlowState(Answer):
    """What a flow does now. ``reason`` is why it failed."""

    id: str
    state: State
    reason: str


class ResetDone(Answer):
    """What a reset did, in words."""

    done: list[str]


# -- drafts ------------------------------------------------------------------------------------


class DraftAnswer(Answer):
    """The shared draft of a flow.

    ahead:        it is another definition than the deployed one
    edited:       it holds edits that its file does not
    file_changed: the file was changed by somebody else since the draft began
    """

    document: Json
    seq: int
    deployed_revision: str | None
    ahead: bool
    edited: bool
    file_changed: bool
    problems: list[Finding]
    relationships: dict[str, list[str]]


class EditAnswer(Answer):
    """What became of operations.

    inverses: operations that take them back
    applied:  the operations as they were applied, with the renames of others followed
    merged:   what others did since the base
    reset:    others may have done more than that: take the document
    """

    seq: int
    inverses: list[Json]
    applied: list[Json]
    merged: list[Json]
    reset: bool
    document: Json | None = None
    ahead: bool
    problems: list[Finding]
    relationships: dict[str, list[str]]


class Change(Answer):
    """One difference between two definitions."""

    kind: Literal["added", "removed", "changed"]
    type: str
    component: str
    property: str | None = None
    before: Any = None
    after: Any = None


class Diff(Answer):
    """All differences: of the flow, of components, of positions."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)
    from_: str = Field(alias="from")
    to: str
    changes: list[Change]


class DeployedAnswer(Answer):
    """The version that was deployed.

    restarted: processors of a running flow that started anew; null when all of it did, or when it
               was not running
    """

    version: int
    revision: str
    restarted: list[str] | None


class VersionSummary(Answer):
    """A deployed version. ``time`` is wall time in µs; ``restored`` is its origin."""

    number: int
    revision: str
    user: str
    time: int
    restored: int | None


class Versions(Answer):
    """Deployed versions, newest first."""

    versions: list[VersionSummary]
    next: int | None


class VersionText(VersionSummary):
    """A deployed version with its definition."""

    text: str
    definition: Json | None


# -- parameters and secrets --------------------------------------------------------------------


class ParameterState(Answer):
    """A parameter of a draft. The value of a sensitive one is never told.

    source: where its value comes from; null is from outside
    where:  variable, file or name in the encrypted store
    set:    whether there is a value
    """

    name: str
    description: str
    sensitive: bool
    source: Literal["value", "env", "file", "store"] | None
    where: str | None
    set: bool
    value: str | bool | int | float | None
    referenced_by: list[str]


class Parameters(Answer):
    """Parameters of a draft."""

    parameters: list[ParameterState]


class SecretState(Answer):
    """A secret of the encrypted store: its name, and whether it has a value."""

    name: str
    set: bool
    updated: int
    user: str
    used_by: list[str]


class Secrets(Answer):
    """All secrets. ``problem`` says why none can be opened; empty when they can."""

    secrets: list[SecretState]
    problem: str


# -- people ------------------------------------------------------------------------------------


class ProgramVersion(Answer):
    """The program's version, and who asks."""

    version: str
    user: str
    role: str


class User(Answer):
    """A user."""

    name: str
    role: str


class Users(Answer):
    """All users."""

    users: list[User]


class MadeToken(Answer):
    """A token, shown this once."""

    token: str


class AuditEntry(Answer):
    """Who changed what. ``status`` is how it was answered."""

    id: int
    time: int
    user: str
    role: str
    action: str
    status: int
    peer: str


class Audit(Answer):
    """The audit log, newest first."""

    entries: list[AuditEntry]
    next: int | None


class Live(Answer):
    """The server answers."""

    live: bool


class Ready(Answer):
    """The server can work."""

    ready: bool
