"""A backup is one cut, complete and usable, taken while the flow runs."""

from flowengine.engine import Engine
from flowengine.repository import SqliteRepository
from tests.flowengine.running import served, small_flow, until


async def test_a_backup_of_a_running_flow_is_a_data_directory(tmp_path):
    target = tmp_path / "backup"
    flow = small_flow(count=3, size=1_500_000)
    async with served(tmp_path / "data", flow, stopped=("sink",)) as (engine, _, client):
        await until(engine, lambda: engine.assembly.queued == 3)
        answer = await client.post("/backup", params={"to": str(target)})
        await client.post("/connections/count-sink/empty")  # unlinks what the backup keeps
    assert answer.json()["files"] == 3
    restored = Engine(flow, SqliteRepository(target))
    async with restored.opened():
        connection = restored.assembly.connections["count-sink"]
        contents = [restored.assembly.core.contents.read(f.content) for f in connection.peek(9)]
        assert restored.assembly.core.ledger.balance(restored.assembly.queued) == 0
    assert contents == [f"record {n}".encode().ljust(1_500_000, b".") for n in range(3)]


async def test_a_backup_needs_an_empty_directory(tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    async with served(tmp_path / "data", small_flow()) as (_, _, client):
        used = await client.post("/backup", params={"to": str(tmp_path / "used")})
        relative = await client.post("/backup", params={"to": "somewhere"})
    assert used.status_code == 409
    assert used.json()["detail"] == (
        f"backup directory {str(tmp_path / 'used')!r} must be empty; got files in it"
    )
    assert relative.status_code == 422
    assert relative.json()["detail"] == (
        "backup directory must be an absolute path; got 'somewhere'"
    )
