"""Cut a stream into sessions: activity of one key without a long silence in it."""

from __future__ import annotations

from enum import StrEnum

import orjson
from pydantic import Field, model_validator

from flowengine.errors import PropertyError
from flowengine.expressions import Expression, Predicate
from flowengine.processor import Example, Expected, Given
from flowengine.units import Duration, parse_duration
from processors.windows.base import SHAPING, WRITES
from processors.windows.output import Emitter
from processors.windows.properties import WindowProperties, refuse
from processors.windows.records import Batch
from processors.windows.session_store import Marks, SessionRules, SessionWindows
from processors.windows.state import Saved
from processors.windows.windowing import WindowProcessor


class GapMode(StrEnum):
    """Whether a record at exactly the gap still belongs to the session."""

    INCLUSIVE = "inclusive"
    STRICT = "strict"


class SessionProperties(WindowProperties):
    """Properties of SessionWindow."""

    gap: Duration = Field(
        parse_duration("30 min"), description="Silence that a session outlives, such as `30 min`."
    )
    gap_expression: Expression | None = Field(
        None, description="The gap of each record, `30 sec` or milliseconds, instead of `gap`."
    )
    gap_mode: GapMode = Field(
        GapMode.INCLUSIVE, description="Whether a record at exactly the gap still belongs to it."
    )
    session_key: str = Field(
        "", description="Record field, such as a token, that is part of the key."
    )
    start_when: Predicate | None = Field(
        None, description="A record that begins a new session, such as `type == 'login'`."
    )
    end_when: Predicate | None = Field(
        None, description="A record that ends its session at once, such as `type == 'logout'`."
    )
    max_duration: Duration | None = Field(
        None, description="Most from the first record of a session to its last."
    )

    @model_validator(mode="after")
    def _is_bounded(self) -> SessionProperties:
        if self.gap < 1:
            refuse("gap must be more than 0", f"{self.gap} us")
        if self.max_duration is not None and self.max_duration < 1:
            refuse("max_duration must be more than 0", f"{self.max_duration} us")
        return self


class SessionWindow(WindowProcessor):
    """Collect or fold the records of each session of a key.

    Records at most `gap` apart belong together. A session closes when the watermark is `gap` past
    its last record, so what it holds does not depend on the order of arrival. Start and end marks
    and `max_duration` act in the order of arrival.
    """

    tags = ("window", "session", "time", "aggregate", "stream")
    writes = {
        **WRITES,
        "window.first": "Time of the session's first record.",
        "window.last": "Time of its last record; `window.end` is later by the gap.",
    }
    bounds = True
    shaping = SHAPING | {"gap", "gap_mode", "session_key", "max_duration"}

    Properties = SessionProperties
    properties: SessionProperties
    store: SessionWindows

    examples = (
        Example(
            "From log in to log out, by token",
            properties={
                "time_field": "t",
                "time_unit": "s",
                "session_key": "sid",
                "end_when": "type == 'logout'",
                "folds": {"events": "count"},
            },
            given=(
                Given('{"t": 0, "sid": "x", "type": "login"}'),
                Given('{"t": 3, "sid": "y", "type": "login"}'),
                Given('{"t": 5, "sid": "x", "type": "logout"}'),
            ),
            expect={
                "window": (
                    Expected(
                        '{"events":2}',
                        {"window.key": "x", "window.last": "1970-01-01T00:00:05Z", "final": "true"},
                    ),
                ),
            },
        ),
    )

    @property
    def more_keys(self) -> tuple[str, ...]:
        return (self.properties.session_key,) if self.properties.session_key else ()

    def make_store(self, emitter: Emitter, saved: Saved) -> SessionWindows:
        properties = self.properties
        rules = SessionRules(
            properties.gap,
            properties.gap_mode is GapMode.STRICT,
            properties.max_duration,
            ordered=properties.start_when is not None or properties.end_when is not None,
        )
        return SessionWindows(rules, properties.trigger, emitter, saved)

    def prepare(self, batch: Batch) -> None:
        """Ask each record for its gap and whether it begins or ends a session."""
        marks, properties = Marks(), self.properties
        if properties.gap_expression is not None:
            marks.gaps = self._gaps(batch, properties.gap_expression)
        if properties.start_when is not None:
            marks.begins = self._matches(batch, properties.start_when)
        if properties.end_when is not None:
            marks.ends = self._matches(batch, properties.end_when)
        self.store.marks = marks

    def _gaps(self, batch: Batch, expression: Expression) -> list[int]:
        texts, errors = expression.evaluate_batch(batch.views(expression.attributes))
        gaps = []
        for row, text in enumerate(texts):
            try:
                gaps.append(_gap(text or ""))
            except ValueError as error:
                gaps.append(1)
                batch.invalid.setdefault(row, str(errors.get(row, error)))
        return gaps

    def _matches(self, batch: Batch, predicate: Predicate) -> list[bool]:
        """A record without the field that is asked for does not match."""
        return predicate.matches_batch(batch.views(predicate.attributes))[0]


def _gap(text: str) -> int:
    """Microseconds of a duration or of a number of milliseconds. Raises ValueError."""
    rule = "gap_expression must be more than 0, such as '30 sec' or milliseconds"
    try:
        value = orjson.loads(text)
        gap = int(value * 1000) if type(value) in (int, float) else 0
    except orjson.JSONDecodeError:
        try:
            gap = parse_duration(text)
        except PropertyError:
            gap = 0
    if gap < 1:
        raise ValueError(f"{rule}; got {text!r:.80}")
    return gap
