"""Kill a running flow at chosen moments, start it again, and count what is in the sink."""
