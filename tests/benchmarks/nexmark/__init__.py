"""Nexmark: seven of its queries as flow files, a generator of its events, and their truth."""

from tests.benchmarks.nexmark.bench import measure

__all__ = ["measure"]
