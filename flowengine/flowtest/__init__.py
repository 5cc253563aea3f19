"""Flow tests: given FlowFiles, let time pass, expect FlowFiles (``docs/flow-tests.md``).

A test runs the flow with the real engine on a fake clock; sources and sinks are replaced by name,
so that neither a broker nor a sleep is needed. ``flowengine test`` is the command.
"""

from flowengine.flowtest.outcome import FileOutcome, Outcome
from flowengine.flowtest.running import find_tests, run_file

__all__ = ["FileOutcome", "Outcome", "find_tests", "run_file"]
