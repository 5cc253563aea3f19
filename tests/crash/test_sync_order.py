"""The kernel's view: what is synced before what is said."""

import re
import signal

import pytest

from tests.crash.flows import Order
from tests.crash.harness import until
from tests.crash.system_calls import Call, parse, shown, traced
from tests.crash.test_consumer import complete, make_trial

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(300)]
OFFSET_COMMIT = re.compile(r'^[^"]*"(?:\\x..){4}\\x00\\x08')  # length, then the API's number


def is_sync(call: Call, path: str) -> bool:
    return call.name in ("fsync", "fdatasync") and call.path.endswith(path)


def is_offset_commit(call: Call) -> bool:
    return call.name == "sendto" and bool(OFFSET_COMMIT.match(call.arguments))


def test_each_content_file_is_synced_before_the_transaction_that_names_it(tmp_path):
    with traced(Order("large", str(tmp_path), 12, pause=0.3), tmp_path / "trace"):
        pass
    calls = parse((tmp_path / "trace").read_text(errors="replace"))
    folder = str(tmp_path / "data" / "content")
    files = {call.path for call in calls if call.name == "fsync" and f"{folder}/" in call.path}
    named = 0
    for file in files:
        name = shown(file.rpartition("/")[2].encode())
        writes = [n for n, c in enumerate(calls) if c.name == "pwrite64" and name in c.arguments]
        if writes:
            named += 1
            before = calls[: writes[0]]
            synced = [n for n, call in enumerate(before) if is_sync(call, file)]
            assert synced
            assert any(is_sync(call, folder) for call in before[synced[0] :])
    assert len(files) == 12
    assert named >= 1


def test_each_content_file_is_unlinked_after_the_transaction_that_drops_it(tmp_path):
    with traced(Order("large", str(tmp_path), 12, pause=0.3), tmp_path / "trace"):
        pass
    calls = parse((tmp_path / "trace").read_text(errors="replace"))
    gone = [
        n for n, call in enumerate(calls) if call.name == "unlink" and "content/" in call.arguments
    ]
    assert len(gone) == 12
    for n in gone:
        name = calls[n].arguments.strip('"').rpartition("/")[2]
        written = [
            k
            for k, c in enumerate(calls[:n])
            if c.name == "pwrite64" and shown(name.encode()) in c.arguments
        ]
        if written:
            assert sum(is_sync(call, "flow.db-wal") for call in calls[written[0] : n]) >= 2


def test_a_cut_is_synced_before_each_offset_commit(tmp_path, kafka):
    trial = make_trial(tmp_path, kafka, 3000, pause=0.02)
    with traced(trial.order, tmp_path / "trace") as process:
        until(lambda: complete(trial), "every record")
        process.send_signal(signal.SIGTERM)
    calls = parse((tmp_path / "trace").read_text(errors="replace"))
    commits = [n for n, call in enumerate(calls) if is_offset_commit(call)]
    assert commits
    last = 0
    for commit in commits:
        between = calls[last:commit]
        writes = [n for n, call in enumerate(between) if call.path.endswith("flow.db-wal")]
        assert writes
        assert any(is_sync(call, "flow.db-wal") for call in between)
        last = commit
