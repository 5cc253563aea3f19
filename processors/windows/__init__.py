"""Windows over event, ingest and processing time.

One small pure core and thin processors over it::

    times, assign, sessions, sums, fold, plan     pure: times, which window, how values merge
    records, reading                              FlowFiles → rows with a time and a key
    panes, trigger, state                         what a window holds, when it comes out, where kept
    store ← aligned, shared, session_store, counts    windows of a kind
    clocks, output, disposal, base, windowing           how a trigger goes
    tumbling_window, sliding_window, session_window, window_join, deduplicate
"""

from processors.windows.deduplicate import Deduplicate
from processors.windows.session_window import SessionWindow
from processors.windows.sliding_window import SlidingWindow
from processors.windows.tumbling_window import TumblingWindow
from processors.windows.window_join import WindowJoin

__all__ = ["Deduplicate", "SessionWindow", "SlidingWindow", "TumblingWindow", "WindowJoin"]
