"""The process that is killed: ``python -m tests.crash.victim ORDER`` runs one flow on disk."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from flowengine.engine import Engine
from tests.crash.flows import FLOWS, LoggingPublishKafka, LoggingPutFile, Order
from tests.crash.points import CrashPoint, CrashRepository, Log, arm


async def live(order: Order) -> None:
    """Run the flow of an order until it is complete, stopped or dead."""
    directory = Path(order.directory)
    log = Log(directory / "log")
    log.write("S")
    point = CrashPoint(log, order.die_at, order.passage)
    arm(point)
    LoggingPutFile.log = LoggingPublishKafka.log = log
    LoggingPutFile.pause = LoggingPublishKafka.pause = order.pause
    flow = FLOWS[order.flow](order).load()
    engine = Engine(flow, CrashRepository(directory / "data", point))
    async with engine.opened():
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, engine.request_stop)
        await engine.run(until_complete=order.until_complete)


if __name__ == "__main__":
    asyncio.run(live(msgspec.json.decode(sys.argv[1], type=Order)))
