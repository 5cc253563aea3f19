"""A flow with a processor that never gives the engine back; run as a program by test_watchdog.

arguments: data directory, number of FlowFiles
"""

import asyncio
import sys
from pathlib import Path

from flowengine.control import serving
from flowengine.definition.builder import Flow
from flowengine.engine import Engine
from flowengine.processor import Processor
from flowengine.repository import SqliteRepository
from flowengine.watchdog import stopped_at_start
from tests.flowengine.running import Count, Discard


class Endless(Processor):
    """Loop for ever over the first FlowFile."""

    def on_trigger(self, context, session):
        session.get_batch()
        while True:
            pass


async def main(directory: Path, count: int) -> None:
    flow = Flow("endless")
    flow.add("count", Count, count=count)
    flow.add("endless", Endless)
    flow.add("sink", Discard)
    flow.connect("count", "success", "endless")
    flow.connect("count", "success", "sink")
    engine = Engine(
        flow.load(), SqliteRepository(directory), data_dir=directory, stopped=stopped_at_start()
    )
    async with engine.opened(), serving(engine, directory):
        await engine.run(drain_timeout=0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
