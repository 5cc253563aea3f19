"""Nexmark: seven of its queries as flow files, a generator of its events, and their truth."""
