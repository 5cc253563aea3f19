"""What came of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flowengine.findings import Finding
from flowengine.flowtest.coverage import Coverage


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test failed: the finding at its step, and lines that show the difference."""

    finding: Finding
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test. ``seconds`` is real time."""

    name: str
    line: int
    seconds: float
    failure: Failure | None = None


@dataclass(slots=True)
class FileOutcome:
    """One file of tests. With ``findings`` none of its tests ran."""

    path: Path
    findings: list[Finding] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    coverage: Coverage | None = None
    skipped: int = 0

    @property
    def failed(self) -> int:
        """Tests that failed; a file that cannot be run counts as one."""
        return sum(outcome.failure is not None for outcome in self.outcomes) or bool(self.findings)

    @property
    def seconds(self) -> float:
        """Real time."""
        return sum(outcome.seconds for outcome in self.outcomes)
