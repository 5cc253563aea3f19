"""A small flow, files of tests for it, and a processor that waits for event time."""

import json
from pathlib import Path

from flowengine.flowtest import FileOutcome, run_file
from flowengine.processor import Processor, Relationship

FLOW = {
    "format": 1,
    "name": "small",
    "processors": {
        "make": {"type": "GenerateRecords", "properties": {"count": 1}},
        "mark": {
            "type": "UpdateAttribute",
            "properties": {"attributes": {"marked": "{{ name }}"}},
        },
        "slow": {
            "type": "ControlRate",
            "properties": {
                "criteria": "flowfile count",
                "maximum_rate": 1,
                "time_duration": "1 min",
            },
            "auto_terminate": ["failure"],
        },
        "store": {
            "type": "PutFile",
            "properties": {"directory": "out"},
            "auto_terminate": ["success"],
            "retry": {"failure": {"backoff": "yield"}},
        },
        "rejects": {
            "type": "PutFile",
            "properties": {"directory": "rejects"},
            "auto_terminate": ["success", "failure"],
        },
    },
    "connections": [
        {"from": "make", "relationships": ["success"], "to": "mark"},
        {"from": "mark", "relationships": ["success"], "to": "slow"},
        {"from": "slow", "relationships": ["success"], "to": "store"},
        {"from": "mark", "relationships": ["failure"], "to": "rejects"},
    ],
}
REPLACE = {"make": {"source": True}, "store": {"sink": True}, "rejects": {"sink": True}}


class CountUntil(Processor):
    """Count what comes; say how many there were once event time has passed all of them."""

    event_time = True
    success = Relationship("The count.")

    def on_trigger(self, context, session):
        flowfiles = session.get_batch()
        last = max([session.state.get("last", 0), *(f.event_time for f in flowfiles)])
        count = session.state.get("count", 0) + len(flowfiles)
        session.remove(flowfiles)
        if count and context.watermark >= last:
            session.transfer(session.create(str(count).encode(), event_time=last), "success")
            count = 0
        session.state["last"], session.state["count"] = last, count
        session.hold_time(last if count else None)
        session.set_event_timer(last if count else None)


TIMED = {
    "format": 1,
    "name": "timed",
    "processors": {
        "read": {"type": "GenerateRecords"},
        "count": {"type": "CountUntil"},
        "store": {"type": "PutFile", "properties": {"directory": "out"}},
    },
    "connections": [
        {"from": "read", "relationships": ["success"], "to": "count"},
        {"from": "count", "relationships": ["success"], "to": "store"},
    ],
}
TIMED["processors"]["store"]["auto_terminate"] = ["success", "failure"]


def write(folder: Path, *steps: dict, flow: dict = FLOW, **more: object) -> Path:
    """A flow and a file with one test of it; returns the file."""
    (folder / "flows" / "tests").mkdir(parents=True, exist_ok=True)
    (folder / "flows" / "flow.json").write_text(json.dumps(flow))
    test = {"name": "it", "steps": list(steps) or [{"advance": "1 s"}], **more}
    file = {"flow": "../flow.json", "replace": REPLACE, "tests": [test]}
    if flow is TIMED:
        file["replace"] = {"read": {"source": True}, "store": {"sink": True}}
    path = folder / "flows" / "tests" / "flow.json"
    path.write_text(json.dumps(file, indent=1))
    return path


def played(folder: Path, *steps: dict, **more: object) -> FileOutcome:
    """What comes of one test with these steps."""
    return run_file(write(folder, *steps, **more), classes={"CountUntil": CountUntil})


def passes(folder: Path, *steps: dict, **more: object) -> None:
    """Assert that it passes; shows the difference where it does not."""
    result = played(folder, *steps, **more)
    assert result.findings == []
    assert [outcome.failure for outcome in result.outcomes] == [None]


def problems(folder: Path, *steps: dict, **more: object) -> list[str]:
    """Findings and failures as `line: message`, without the test's name."""
    result = played(folder, *steps, **more)
    found = [*result.findings, *(o.failure.finding for o in result.outcomes if o.failure)]
    return [f"{f.line}: {f.text.removeprefix(chr(39))}" for f in found]


def named(name: str, **more: object) -> dict:
    """A FlowFile to give, with a name."""
    return {"content": name.upper(), "attributes": {"name": name}, **more}
