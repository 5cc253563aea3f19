"""Free ports on loopback."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

HOST = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections: a client that keeps
# knocking at a dead broker's port there could be given that very port and talk to itself.
RANGE = range(20000, 30000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket() as probe:
        return _bound(probe, port)


def free_ports(count: int) -> list[int]:
    """Distinct ports that are free now; all are held until the last is found."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            candidate = random.choice(RANGE)
            if _bound(held.enter_context(socket.socket()), candidate):
                found.append(candidate)
    return found


def _bound(probe: socket.socket, port: int) -> bool:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((HOST, port))
        probe.listen(1)
    except OSError:
        return False
    return True
