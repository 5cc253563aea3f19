"""The kernel's view: what is synced before what is said."""

import re
import signal
import struct

import msgspec
import pytest

from processors.kafka.positions import state_key
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
    with traced(
        Order("large", str(tmp_path), 12, pause=0.3, until_complete=True), tmp_path / "trace"
    ):
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
    with traced(
        Order("large", str(tmp_path), 12, pause=0.3, until_complete=True), tmp_path / "trace"
    ):
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


def committed(call: Call) -> dict[int, int]:
    """Partition → offset that an OffsetCommit request (version 3) of one topic says."""
    text = re.search(r'"([^"]*)"', call.arguments)
    data = bytes.fromhex((text[1] if text else "").replace("\\x", ""))
    at = 12  # length, API, version, correlation
    for _ in range(2):  # client and group
        at += 2 + int.from_bytes(data[at : at + 2])
    at += 4  # generation
    at += 2 + int.from_bytes(data[at : at + 2]) + 8 + 4  # member, retention, one topic
    at += 2 + int.from_bytes(data[at : at + 2])
    count = int.from_bytes(data[at : at + 4])
    entries = [
        struct.unpack(">iqh", data[at + 4 + 14 * n : at + 18 + 14 * n]) for n in range(count)
    ]
    return {partition: offset for partition, offset, _ in entries}


def stored(call: Call, topic: str, partition: int) -> int:
    """The position of ConsumeKafka in a row that this call writes; -1 when there is none."""
    key = shown(f"consume{state_key(topic, partition)}".encode())
    at = call.arguments.find(key) if call.name == "pwrite64" else -1
    if at < 0:
        return -1
    text = call.arguments[at + len(key) :].partition('"')[0][:36]
    rest = bytes.fromhex(text.replace("\\x", ""))
    lengths = {0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9}
    value: int = msgspec.msgpack.decode(rest[: lengths.get(rest[0], 1)])
    return value


def test_a_cut_is_synced_before_each_offset_commit(tmp_path, kafka):
    trial = make_trial(tmp_path, kafka, 3000, pause=0.02)
    with traced(trial.order, tmp_path / "trace") as process:
        until(lambda: complete(trial), "every record")
        process.send_signal(signal.SIGTERM)
    calls = parse((tmp_path / "trace").read_text(errors="replace"))
    commits = [(n, call) for n, call in enumerate(calls) if is_offset_commit(call)]
    assert {p for _, call in commits for p in committed(call)} == {0, 1, 2}
    for n, call in commits:
        for partition, offset in committed(call).items():
            rows = [stored(earlier, trial.order.topic, partition) for earlier in calls[:n]]
            writes = [k for k, position in enumerate(rows) if position >= offset]
            assert writes
            assert any(is_sync(call, "flow.db-wal") for call in calls[writes[0] : n])
