"""The control API of one runner: status, queues, commands and content over a Unix socket.

Nothing here imports FastAPI before somebody has connected.
"""

from flowengine.control.client import ControlClient
from flowengine.control.server import serving

__all__ = ["ControlClient", "serving"]
