"""Comparing what was expected with what came, and showing the difference.

Only what an expectation names is compared. Without order each expected FlowFile is matched with
another one that came, if that is possible at all: a maximum matching, so that a vague expectation
does not take what only a precise one fits.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import ndiff
from typing import Any

import orjson

from flowengine.flowtest.model import Expected
from flowengine.flowtest.moments import iso
from flowengine.flowtest.recorder import Arrived

SHOWN = 10
LONGEST = 2_000  # characters of a content that is shown


def difference(
    wanted: int | list[Expected], got: Sequence[Arrived], start: int, *, ordered: bool
) -> list[str]:
    """Lines that show how they differ; none when what came is what was expected."""
    if isinstance(wanted, int):
        if wanted == len(got):
            return []
        return [f"expected {wanted}, got {len(got)}", *_extra(got)]
    pairs = _in_order(wanted, got, start) if ordered else _matched(wanted, got, start)
    missing = [item for index, item in enumerate(wanted) if index not in pairs]
    extra = [item for index, item in enumerate(got) if index not in set(pairs.values())]
    if not missing and not extra:
        return []
    head = f"expected {len(wanted)}, got {len(got)}"
    if pairs:
        head += f"; {len(pairs)} as expected"
    return [head, *_shown(missing, extra, start, ordered=ordered)]


def fits(wanted: Expected, got: Arrived, start: int) -> bool:
    """Whether a FlowFile is as expected."""
    return _as_data(wanted, start) == _projected(got, wanted)


def _in_order(wanted: Sequence[Expected], got: Sequence[Arrived], start: int) -> dict[int, int]:
    pairs = enumerate(zip(wanted, got, strict=False))
    return {index: index for index, (item, other) in pairs if fits(item, other, start)}


def _matched(wanted: Sequence[Expected], got: Sequence[Arrived], start: int) -> dict[int, int]:
    """Expected → got by augmenting paths (Kuhn)."""
    fitting = [
        [index for index, other in enumerate(got) if fits(item, other, start)] for item in wanted
    ]
    owner: dict[int, int] = {}

    def place(item: int, tried: set[int]) -> bool:
        for index in fitting[item]:
            if index in tried:
                continue
            tried.add(index)
            if index not in owner or place(owner[index], tried):
                owner[index] = item
                return True
        return False

    for item in range(len(wanted)):
        place(item, set())
    return {item: index for index, item in owner.items()}


# -- as data -----------------------------------------------------------------------------------


def _as_data(wanted: Expected, start: int) -> dict[str, Any]:
    """An expectation in the words of its file."""
    data: dict[str, Any] = {}
    if wanted.attributes:
        data["attributes"] = dict(wanted.attributes)
    if wanted.event_time is not None:
        data["event_time"] = iso(wanted.event_time.at(start))
    if wanted.kind:
        data[wanted.kind] = getattr(wanted, wanted.kind)
    return data


def _projected(got: Arrived, wanted: Expected) -> dict[str, Any]:
    """What came, as far as the expectation looks at it."""
    data: dict[str, Any] = {}
    if wanted.attributes:
        data["attributes"] = {name: got.attributes.get(name) for name in wanted.attributes}
    if wanted.event_time is not None:
        data["event_time"] = None if got.event_time is None else iso(got.event_time)
    if wanted.kind:
        data[wanted.kind] = _content(got.content, wanted.kind)
    return data


def _content(content: bytes, kind: str) -> Any:
    """A content as text, as one JSON value, or as several; as text where it is no JSON."""
    text = content.decode("utf-8", "replace")
    if kind == "content":
        return text
    try:
        if kind == "record":
            return orjson.loads(content)
        if content.lstrip().startswith(b"["):
            return orjson.loads(content)
        return [orjson.loads(line) for line in content.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        return f"(no JSON) {text}"


def _whole(got: Arrived) -> dict[str, Any]:
    """Everything about a FlowFile that nobody expected."""
    data: dict[str, Any] = {"attributes": dict(sorted(got.attributes.items()))}
    if got.event_time is not None:
        data["event_time"] = iso(got.event_time)
    record = _content(got.content, "record")
    is_json = not isinstance(record, str)
    data["record" if is_json else "content"] = (
        record if is_json else _content(got.content, "content")
    )
    return data


# -- the picture -------------------------------------------------------------------------------


def _shown(
    missing: list[Expected], extra: list[Arrived], start: int, *, ordered: bool
) -> list[str]:
    """Each expected one beside the one that came most like it, then what is left."""
    lines: list[str] = []
    left = list(extra)
    for item in missing[:SHOWN]:
        wanted = _as_data(item, start)
        other = _closest(wanted, item, left, ordered=ordered)
        if other is None:
            lines += [f"- {line}" for line in _pretty(wanted)]
        else:
            left.remove(other)
            shown = ndiff(_pretty(wanted), _pretty(_projected(other, item)))
            lines += [line for line in shown if not line.startswith("?")]
    if len(missing) > SHOWN:
        lines.append(f"  … {len(missing) - SHOWN} more expected")
    return lines + _extra(left)


def _extra(got: Sequence[Arrived]) -> list[str]:
    lines = [f"+ {line}" for item in got[:SHOWN] for line in _pretty(_whole(item))]
    if len(got) > SHOWN:
        lines.append(f"  … {len(got) - SHOWN} more came")
    return lines


def _closest(
    wanted: dict[str, Any], item: Expected, left: Sequence[Arrived], *, ordered: bool
) -> Arrived | None:
    if ordered or not left:
        return left[0] if left else None
    lines = set(_pretty(wanted))
    return max(left, key=lambda other: len(lines & set(_pretty(_projected(other, item)))))


def _pretty(data: dict[str, Any]) -> list[str]:
    """A FlowFile in lines; one line where it is short."""
    text = json.dumps(data, ensure_ascii=False)
    if len(text) > 90:
        text = json.dumps(data, ensure_ascii=False, indent=2)
    return (text if len(text) <= LONGEST else text[:LONGEST] + "…").splitlines()
