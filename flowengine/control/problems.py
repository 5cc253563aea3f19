"""What the control API refuses. Without FastAPI: the desk is made before anybody connects."""

from __future__ import annotations

from typing import Any

from flowengine.errors import FlowEngineError


class Problem(FlowEngineError):
    """A request that cannot be answered as asked. ``status`` is the HTTP status; ``more`` goes
    into the problem document."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more
