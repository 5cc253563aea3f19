"""Records: the content of FlowFiles as rows, with what is wrong with some of them.

A FlowFile holds one JSON object, many as NDJSON, or a JSON array of them. A row that cannot be
read is invalid by itself: its neighbours are untouched (E6). Raw bytes are kept, so that what goes
out is what came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import orjson

from flowengine.flowfile import FlowFile
from processors.windows.plan import lookup


class Batch:
    """The records of one trigger, column by column; all lists have one entry per row.

    flowfiles: what was polled
    owner:     index of the FlowFile that a row came from
    raw:       the record's own bytes, without line breaks
    data:      the record decoded; an empty one where it is invalid
    invalid:   row → the rule it breaks
    broken:    index of a FlowFile → why nothing of it could be read
    prefix:    characters before each key that only the processor knows
    """

    def __init__(self, flowfiles: list[FlowFile]) -> None:
        self.flowfiles = flowfiles
        self.owner: list[int] = []
        self.raw: list[bytes] = []
        self.data: list[dict[str, Any]] = []
        self.times: list[int] = []
        self.keys: list[str] = []
        self.columns: dict[str, list[Any]] = {}
        self.invalid: dict[int, str] = {}
        self.broken: dict[int, str] = {}
        self.prefix = 0

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def valid(self) -> Sequence[int]:
        """Rows that are not invalid so far."""
        if not self.invalid:
            return range(len(self.raw))
        return [row for row in range(len(self.raw)) if row not in self.invalid]

    def read_columns(self, fields: Iterable[str]) -> None:
        """Make the columns of these fields."""
        for field in fields:
            if "." in field:
                self.columns[field] = [lookup(record, field) for record in self.data]
            else:
                self.columns[field] = [record.get(field) for record in self.data]

    def views(self, names: frozenset[str]) -> list[FlowFile]:
        """Each row as a FlowFile whose attributes are also the record's fields of these names.

        Expressions look at these; a field wins over an attribute of the same name.
        """
        views = []
        for row, record in enumerate(self.data):
            flowfile = self.flowfiles[self.owner[row]]
            fields = {n: as_text(record[n]) for n in names if record.get(n) is not None}
            views.append(flowfile.replacing({**flowfile.attributes, **fields}))
        return views


def read_batch(flowfiles: list[FlowFile], read: Callable[[FlowFile], bytes]) -> Batch:
    """Decode the content of each FlowFile into rows."""
    batch = Batch(flowfiles)
    for index, flowfile in enumerate(flowfiles):
        before = len(batch.raw)
        problem = _read_content(batch, read(flowfile).strip())
        if problem or len(batch.raw) == before:
            batch.broken[index] = problem or "content must hold a record; got none"
        batch.owner += [index] * (len(batch.raw) - before)
    return batch


def _read_content(batch: Batch, content: bytes) -> str:
    """Append the rows of one content; returns what is wrong with all of it."""
    if content.startswith(b"["):
        return _read_array(batch, content)
    lines = content.split(b"\n") if content else []
    try:
        data = [orjson.loads(line) for line in lines]
    except orjson.JSONDecodeError:
        _read_lines(batch, content, lines)
        return ""
    _append(batch, lines, data)
    return ""


def _read_array(batch: Batch, content: bytes) -> str:
    try:
        raws = msgspec.json.decode(content, type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        return f"content must be JSON; got {error}"
    pairs = [(bytes(raw), orjson.loads(bytes(raw))) for raw in raws]
    lines = [raw if b"\n" not in raw else orjson.dumps(one) for raw, one in pairs]
    _append(batch, lines, [one for _, one in pairs])
    return ""


def _read_lines(batch: Batch, content: bytes, lines: list[bytes]) -> None:
    """Lines of which some cannot be read, or one object that is written over several lines."""
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        whole = None
    if isinstance(whole, dict):
        _append(batch, [orjson.dumps(whole)], [whole])
        return
    for line in lines:
        if not line.strip():
            continue
        try:
            _append(batch, [line], [orjson.loads(line)])
        except orjson.JSONDecodeError as error:
            batch.invalid[len(batch.raw)] = f"record must be JSON; got {error}"
            batch.raw.append(line)
            batch.data.append({})


def _append(batch: Batch, raws: list[bytes], data: list[Any]) -> None:
    first = len(batch.raw)
    if set(map(type, data)) != {dict}:
        for row, one in enumerate(data):
            if type(one) is not dict:
                batch.invalid[first + row] = f"record must be a JSON object; got {one!r:.80}"
                data[row] = {}
    batch.raw += raws
    batch.data += data


def as_text(value: Any) -> str:
    """A JSON value as an attribute: texts as they are, the rest as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def as_content(raws: Iterable[bytes], *, array: bool) -> bytes:
    """Records as NDJSON, one per line and without a last line break, or as one JSON array."""
    if not array:
        return b"\n".join(raws)
    return b"[" + b",".join(raws) + b"]"
