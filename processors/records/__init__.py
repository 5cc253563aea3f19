"""Processors that work on the records inside a FlowFile."""
