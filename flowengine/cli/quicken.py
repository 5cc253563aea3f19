"""Two measures that bring a flow to its first FlowFile within a second (issue 3 §8)."""

from __future__ import annotations

import gc
import sys


def quicken() -> None:
    """Call it before the engine is imported.

    structlog imports rich for coloured tracebacks, which a runner does not print: 0.15 s. While
    modules are imported hardly anything becomes garbage, so collecting it is time lost: 0.1 s;
    the engine collects and freezes once it has started.
    """
    gc.disable()
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # what imports it is told it is missing
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
