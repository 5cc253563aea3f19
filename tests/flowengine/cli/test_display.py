import io
import os
import pty
import subprocess

import msgspec
import pytest
from rich.console import Console

from flowengine.bulletins import Bulletin
from flowengine.cli.tables import connection_table, flow_table, picture
from flowengine.statistics import Totals
from flowengine.status import ConnectionStatus, FlowStatus, Held, ProcessorStatus
from tests.flowengine.cli.kit import COMMAND, counted

PUT = ProcessorStatus(
    "put", "put", "PutFile", "running", queued=1234, total=Totals(flowfiles_in=56_789, tasks=3)
)
LEDGER = {"in": 3, "out": 1, "failed": 1, "expired": 0, "dropped": 0}
STATUS = FlowStatus(
    "users", "r", 42, "running", 0, 0, 3_725_000_000, 1, LEDGER, 0, {"put": PUT}, {}
)


def text_of(renderable: object) -> str:
    stream = io.StringIO()
    Console(file=stream, width=120).print(renderable)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def changed(**changes: object) -> FlowStatus:
    return msgspec.structs.replace(STATUS, **changes)


def with_processor(**changes: object) -> str:
    return text_of(picture(changed(processors={"put": msgspec.structs.replace(PUT, **changes)})))


def test_a_flow_is_a_table_with_its_ledger():
    assert text_of(picture(STATUS)) == (
        "users  running  1:02:05  pid 42\n"
        "processor  state        in  out  queued  tasks\n"
        "put        running  56 789    0   1 234      3\n"
        "3 in = 1 out + 1 failed + 0 expired + 0 dropped + 1 queued"
    )


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"isolating": True}, "(isolating an error)"),
        ({"failures": 2}, "(2 failures)"),
        ({"failures": 1}, "(1 failure)"),
        ({"blocked": True}, "(back pressure)"),
        ({"penalized": 7}, "(7 penalized)"),
    ],
)
def test_what_troubles_a_processor_stands_beside_its_state(changes, note):
    assert f"running {note}" in with_processor(**changes)


def test_a_bulletin_is_one_line_with_its_count():
    bulletin = Bulletin(1, 0, "put", "error", "disk must have room\nTraceback …", 3)
    assert "\nerror: put: disk must have room (3 times)\n" in with_processor(bulletin=bulletin)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"problem": "repository must be writable"}, "repository must be writable"),
        ({"faults": {"put": "file must be readable"}}, "put: file must be readable"),
        ({"service_problems": {"kafka": "no answer"}}, "service 'kafka': no answer"),
        ({"sources_wait": "backlog"}, "sources wait: the disk has not caught up"),
        ({"held": Held("put", 2_500_000)}, "processor 'put' has held the engine for 2.5 s"),
        ({"counters": {"seen": 3}}, "counters: seen 3"),
    ],
)
def test_what_troubles_the_flow_is_said(changes, line):
    assert line in text_of(picture(changed(**changes))).splitlines()


def test_connections_show_how_full_they_are():
    one = ConnectionStatus("a-b", "a", "b", ("success", "other"), 5, 2048, percent=12.6)
    assert text_of(connection_table([one])).splitlines()[1].split() == (
        ["a-b", "success,", "other", "5", "2", "KB", "13", "%"]
    )


def test_running_flows_are_one_line_each():
    assert text_of(flow_table([STATUS])).splitlines()[1].split() == (
        ["users", "running", "42", "3", "1", "1"]
    )


@pytest.mark.slow
def test_a_terminal_gets_a_live_table_and_the_ledger_once(place):
    flow = counted(place / "hello.json")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "run", str(flow), "--until-complete"], stdout=theirs, stderr=theirs, stdin=theirs
    )
    os.close(theirs)
    written = b"".join(iter(lambda: read(ours), b"")).decode()
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert "processor" in written
    last = written[written.rindex("hello") :]
    assert last.count("10 in = 10 out") == 1


def read(descriptor: int) -> bytes:
    """What a terminal shows next; nothing once its program has ended."""
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux says so when the other end is closed
        return b""
