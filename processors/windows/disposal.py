"""Disposal: FlowFiles whose records are in windows go; what was not taken is handed on.

A FlowFile with one record is handed on as it is. Of one with many, the records of one fate go on
together in a FlowFile that descends from it, each to one place only.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import NamedTuple

from flowengine.flowfile import FlowFile
from flowengine.session import ProcessSession
from processors.windows.assign import Span
from processors.windows.records import Batch, as_content
from processors.windows.store import Rejected
from processors.windows.times import iso


class Fate(NamedTuple):
    """Where a row goes: a relationship, with the window it was late for or the rule it breaks."""

    relationship: str
    span: Span | None = None
    rule: str = ""


def dispose(
    session: ProcessSession, batch: Batch, rejected: Rejected, watermark: float, taken: str = ""
) -> None:
    """Settle all FlowFiles of a batch. Rows without another fate go to ``taken``, if named."""
    fates: dict[int, Fate] = {row: Fate("invalid", None, rule) for row, rule in _bad(batch)}
    fates |= {late.row: Fate("late", late.span) for late in rejected.late}
    fates |= {row: Fate("unmatched") for row in rejected.unmatched}
    settle(session, batch, fates, watermark, taken)


def _bad(batch: Batch) -> list[tuple[int, str]]:
    return list(batch.invalid.items())


def settle(
    session: ProcessSession, batch: Batch, fates: dict[int, Fate], watermark: float, taken: str
) -> None:
    """Hand rows on by their fates; FlowFiles all of whose rows have one fate go as they are."""
    if not fates and not batch.broken and not taken:
        session.remove(batch.flowfiles)
        return
    rows: list[list[int]] = [[] for _ in batch.flowfiles]
    for row, owner in enumerate(batch.owner):
        rows[owner].append(row)
    for index, flowfile in enumerate(batch.flowfiles):
        if index in batch.broken:
            session.fail(flowfile, ValueError(batch.broken[index]), relationship="invalid")
            continue
        groups: defaultdict[Fate, list[int]] = defaultdict(list)
        for row in rows[index]:
            groups[fates.get(row, Fate(taken))].append(row)
        if len(groups) == 1:
            [(fate, members)] = groups.items()
            _hand_on(session, flowfile, fate, _attributes(batch, fate, members, watermark))
        else:
            _split(session, batch, flowfile, groups, watermark)


def _split(
    session: ProcessSession,
    batch: Batch,
    flowfile: FlowFile,
    groups: dict[Fate, list[int]],
    watermark: float,
) -> None:
    session.remove(flowfile)
    for fate, members in groups.items():
        if fate.relationship:
            content = as_content([batch.raw[row] for row in members], array=False)
            time = min([batch.times[row] for row in members]) if batch.times else None
            known = None if fate.rule else time
            part = session.create(content, parent=flowfile, event_time=known)
            _hand_on(session, part, fate, _attributes(batch, fate, members, watermark))


def _hand_on(
    session: ProcessSession, flowfile: FlowFile, fate: Fate, attributes: dict[str, str]
) -> None:
    if not fate.relationship:
        session.remove(flowfile)
    elif fate.rule:
        session.fail(flowfile, ValueError(fate.rule), relationship=fate.relationship)
    else:
        session.transfer(flowfile.with_attributes(attributes), fate.relationship)


def _attributes(batch: Batch, fate: Fate, rows: list[int], watermark: float) -> dict[str, str]:
    if fate.span is None:
        return {}
    oldest = min([batch.times[row] for row in rows])
    late = -((oldest - watermark - 1) // 1000) if math.isfinite(watermark) else math.inf
    return {
        "window.start": iso(fate.span.start),
        "window.end": iso(fate.span.end),
        "window.key": batch.keys[rows[0]][batch.prefix :],
        "late.by.ms": str(int(late)) if math.isfinite(late) else "inf",
        "watermark": iso(watermark),
    }
