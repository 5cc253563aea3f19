"""Findings: what is wrong with a flow definition, and where.

A finding never ends the check: all of them are collected, so that one look at the list is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flowengine.errors import DefinitionError


class Severity(StrEnum):
    """Whether a flow with this finding may run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to repair.

    file:       the flow file as the user named it; empty for a flow built in code
    line:       counted from 1; 0 where there is no text
    column:     counted from 1, in characters
    path:       JSON pointer (RFC 6901) of the value
    component:  id of the processor, connection, service or group; empty for the flow itself
    message:    ``<component> <subject> must <rule>; got <value>``
    remedy:     what to do, when it is not obvious from the rule
    """

    file: str
    line: int
    column: int
    path: str
    component: str
    severity: Severity
    message: str
    remedy: str = ""

    @property
    def place(self) -> str:
        """``file:line:col``, as far as it is known."""
        where = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.file}{where}" if self.file else self.path

    @property
    def text(self) -> str:
        """The message with its remedy."""
        return f"{self.message}; {self.remedy}" if self.remedy else self.message

    def __str__(self) -> str:
        prefix = "" if self.severity is Severity.ERROR else f"{self.severity}: "
        return f"{self.place}: {prefix}{self.text}"


class FlowInvalid(DefinitionError):
    """A flow definition with errors. ``findings`` holds all of them, warnings too."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Only those that keep a flow from running."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def in_order(findings: Iterable[Finding]) -> Sequence[Finding]:
    """Without repetitions, in the order of the text they speak of, root file first."""
    unique = list(dict.fromkeys(findings))
    files = list(dict.fromkeys(finding.file for finding in unique))
    return sorted(unique, key=lambda f: (files.index(f.file), f.line, f.column))
