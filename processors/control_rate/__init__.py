"""ControlRate: limit how fast FlowFiles go on, overall or per group.

::

    window      what passed within the last period, and when the next may pass; pure
    gates       the windows of each group, kept in the processor's durable state
    properties  what a user sets
    processor   what happens to FlowFiles that exceed the rate
"""

from processors.control_rate.processor import ControlRate

__all__ = ["ControlRate"]
