"""Resetting a stopped flow: its queues, its processors' state, its positions.

Positions are moved in the world (a consumer group's offsets, say), which needs processors: the
command ``flowengine reset`` does all of it in a process of its own, under the directory's lock.
"""

from __future__ import annotations

import asyncio
import sys

from flowengine.definition.builder import save_text
from flowengine.exit_codes import ExitCode
from web.problems import Problem
from web.site import Site

LONGEST = 60.0  # s; a broker may be slow


async def reset(
    site: Site, flow: str, *, queues: bool, state: bool, offsets: str | None
) -> list[str]:
    """Forget what was asked for; returns what was done, in words.

    Raises Problem 409 while the flow runs, 422 for nonsense, 503 when the world does not answer.
    """
    if site.supervisor.flow(flow).active:
        raise Problem(409, f"flow {flow!r} must be stopped to be reset; got a running one")
    version = site.store.deployed(flow)
    text = version.text if version is not None else site.files.read(flow).text
    file = site.files.deployed_path(flow)
    await asyncio.to_thread(save_text, file, text)
    words = [*(["--queues"] if queues else []), *(["--state"] if state else [])]
    words += ["--offsets", offsets] if offsets else []
    try:
        return await _run(site, flow, ["reset", str(file), *words, "--yes"])
    finally:
        if not site.supervisor.flow(flow).active:
            file.unlink(missing_ok=True)


async def _run(site: Site, flow: str, words: list[str]) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "flowengine", *words),
        *("--data-dir", str(site.config.data_dir(flow))),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env=site.config.environment(),
    )
    try:
        async with asyncio.timeout(LONGEST):
            out, err = await process.communicate()
    except TimeoutError:
        raise Problem(
            504, f"reset of flow {flow!r} must end within {LONGEST:g} s; got no answer"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode:
        wrong = process.returncode == ExitCode.DEFINITION
        message = err.decode("utf-8", "replace").strip().removeprefix("error: ")
        raise Problem(422 if wrong else 503, message or f"reset of flow {flow!r} must succeed")
    return out.decode("utf-8", "replace").split("\n")[:-1]
