"""Serving: what is bound, announced and given back; who may come over TCP; the client."""

import asyncio
import subprocess
import sys

import httpx
import pytest

from flowengine.control import ControlClient, address, serving
from flowengine.control.client import Refused, is_running
from flowengine.errors import EnvironmentFault, LockedError
from tests.flowengine.running import running, served, small_flow, until


async def on_thread(function, *args):
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


async def test_a_runner_announces_itself_and_takes_that_back(tmp_path):
    async with served(tmp_path, small_flow()) as (engine, _, _):
        runner = address.read_runner(tmp_path)
        assert runner is not None
        assert (runner.flow, runner.started_at) == ("small", engine.started_at)
        assert await on_thread(is_running, tmp_path)
    assert address.read_runner(tmp_path) is None
    assert not address.socket_path(tmp_path).exists()
    assert not is_running(tmp_path)


async def test_a_second_runner_on_the_socket_is_refused(tmp_path):
    async with served(tmp_path, small_flow()) as (engine, _, _):
        with pytest.raises(LockedError):
            async with serving(engine, tmp_path):
                pass
        assert address.read_runner(tmp_path) is not None


async def test_an_error_of_the_flow_passes_through_unchanged(tmp_path):
    with pytest.raises(ExceptionGroup) as caught:
        async with running(tmp_path, small_flow()) as engine, serving(engine, tmp_path):
            raise EnvironmentFault("disk must have room; got none")
    assert [str(error) for error in caught.value.exceptions] == ["disk must have room; got none"]


def test_nothing_heavy_is_imported_before_somebody_connects(tmp_path):
    probe = (
        "import asyncio, pathlib, sys; from flowengine.control import serving;"
        "from tests.flowengine.running import running, small_flow\n"
        "heavy = {'fastapi', 'uvicorn', 'starlette'}\n"
        "async def main(path):\n"
        "    async with running(path, small_flow()) as engine, serving(engine, path): pass\n"
        "asyncio.run(main(pathlib.Path(sys.argv[1]))); print(*heavy & {*sys.modules})"
    )
    command = [sys.executable, "-c", probe, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout.strip(), result.stderr) == ("", "")


# -- TCP ---------------------------------------------------------------------------------------


async def ask(directory, listen, headers, token=None):
    """GET /health/live over TCP."""
    async with (
        running(directory, small_flow()) as engine,
        serving(engine, directory, listen, token=token),
        httpx.AsyncClient() as client,
    ):
        runner = address.read_runner(directory)
        assert runner is not None
        return await client.get(f"http://{runner.listen}/health/live", headers=headers)


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:0"])
async def test_a_program_on_this_machine_is_answered(tmp_path, listen):
    assert (await ask(tmp_path, listen, {})).json() == {"live": True}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_web_page_is_refused(tmp_path, headers):
    answer = await ask(tmp_path, "127.0.0.1:0", headers)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "request must come from a program, not from a web page"


async def test_a_token_is_asked_for_when_one_is_set(tmp_path):
    answer = await ask(tmp_path, "127.0.0.1:0", {"Authorization": "Bearer guess"}, "s3cret")
    assert answer.status_code == 401
    assert answer.json()["detail"] == (
        "request must carry `Authorization: Bearer <token>` with the token of FLOWENGINE_TOKEN"
    )
    answer = await ask(tmp_path, "127.0.0.1:0", {"Authorization": "Bearer s3cret"}, "s3cret")
    assert answer.json() == {"live": True}


# -- the client --------------------------------------------------------------------------------


def look_around(directory):
    with ControlClient(directory) as runner:
        listed = runner.flowfiles("count-sink", limit=10, odd="1")["flowfiles"]
        content = runner.content("count-sink", listed[0]["uuid"])
        with runner.events() as events:
            kind, _ = next(events)
        return runner.status().queued, len(listed), content, kind, runner.empty("count-sink")


async def test_the_client_asks_a_running_flow(tmp_path):
    async with served(tmp_path, small_flow(count=4), stopped=("sink",)) as (engine, _, _):
        await until(engine, lambda: engine.assembly.queued == 4)
        found = await on_thread(look_around, tmp_path)
    assert found == (4, 2, b"record 1", "snapshot", 4)


async def test_the_client_repeats_what_the_runner_refuses(tmp_path):
    def ask_for_nobody():
        with ControlClient(tmp_path) as runner:
            runner.command("nobody", "start")

    async with served(tmp_path, small_flow()):
        with pytest.raises(Refused) as caught:
            await on_thread(ask_for_nobody)
    assert caught.value.status == 404
    assert str(caught.value) == "flow 'small' must have the processor; got 'nobody'"


def test_the_client_says_when_no_flow_runs(tmp_path):
    with ControlClient(tmp_path) as runner, pytest.raises(EnvironmentFault) as caught:
        runner.status()
    assert str(caught.value) == (
        f"data directory {str(tmp_path)!r} must have a running flow; got none that answers. "
        "Start it with `flowengine run`, or name another --data-dir"
    )
