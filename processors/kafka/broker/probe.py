"""Ask a broker who is in its cluster, the cheapest question that only a ready broker answers."""

from __future__ import annotations

import socket
import struct

from processors.kafka.broker.ports import HOST

TIMEOUT = 2.0  # seconds for one try
# A Metadata request, version 1, about no topic: key, version, correlation id, client id, topics.
REQUEST = struct.pack(">hhih9si", 3, 1, 1, 9, b"readiness", 0)
LARGEST_ANSWER = 1 << 20


def brokers_known_to(port: int) -> int:
    """How many brokers this one reports to be alive; 0 while it does not answer.

    Speaks the protocol itself, since a whole client takes longer to import than the broker needs
    to start. The listener must be one without TLS and password.
    """
    try:
        with socket.create_connection((HOST, port), TIMEOUT) as connection:
            connection.sendall(struct.pack(">i", len(REQUEST)) + REQUEST)
            (size,) = struct.unpack(">i", _read(connection, 4))
            if not 8 <= size <= LARGEST_ANSWER:
                return 0
            correlation, brokers = struct.unpack(">ii", _read(connection, size)[:8])
    except (OSError, EOFError):
        return 0
    return int(brokers) if correlation == 1 else 0


def _read(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
