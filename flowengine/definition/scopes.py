"""Reading a flow with the flow files that its groups refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flowengine.definition.flatten import Scope
from flowengine.definition.model import FlowDefinition, Group, GroupReference
from flowengine.definition.parameters import (
    Sources,
    Value,
    resolve_parameters,
    unknown_names,
)
from flowengine.definition.parse import parse_definition
from flowengine.definition.source import Document, JsonPath, read_document, show
from flowengine.findings import Finding
from flowengine.units import Secret

MAX_GROUPS = 2_000


@dataclass(slots=True)
class ScopeReader:
    """Builds the tree of scopes of one flow.

    root:     no file outside this folder is read
    sources:  where parameters come from
    files:    every file that was read, in order
    """

    root: Path
    sources: Sources
    files: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _parsed: dict[Path, tuple[Document, FlowDefinition | None]] = field(default_factory=dict)
    _count: int = 0

    def flow(
        self,
        document: Document,
        definition: FlowDefinition,
        given: Mapping[str, Value],
        trail: tuple[Path, ...],
        group: tuple[str, ...] = (),
    ) -> Scope:
        """The scope of a whole flow file.

        trail: the files that lead here, this one last; never empty
        """
        base = trail[-1].parent
        parameters = resolve_parameters(document, definition.parameters, given, self.sources, base)
        self.findings += parameters.findings
        parameters.findings.clear()
        scope = Scope(document, (), group, definition, parameters, base)
        self._groups(scope, trail)
        return scope

    def parse(self, path: Path, name: str) -> tuple[Document, FlowDefinition | None]:
        """Read and parse a flow file once; its findings are kept."""
        if path not in self._parsed:
            document, findings = read_document(path, name)
            definition = None
            if not findings:
                definition, findings = parse_definition(document)
            self.files.append(path)
            self.findings += findings
            self._parsed[path] = (document, definition)
        return self._parsed[path]

    def _groups(self, scope: Scope, trail: tuple[Path, ...]) -> None:
        for slug, entry in scope.body.groups.items():
            path = (*scope.path, "groups", slug)
            self._count += 1
            if self._count > MAX_GROUPS:
                message = f"flow must have at most {MAX_GROUPS} groups; got more"
                self.findings.append(scope.document.finding(path, message))
                return
            if isinstance(entry, GroupReference):
                scope.children[slug] = self._reference(scope, slug, entry, path, trail)
            else:
                scope.children[slug] = self._inline(scope, slug, entry, path, trail)

    def _inline(
        self, scope: Scope, slug: str, entry: Group, path: JsonPath, trail: tuple[Path, ...]
    ) -> Scope:
        child = Scope(
            scope.document,
            path,
            (*scope.group, slug),
            entry,
            scope.parameters,
            scope.base,
            outer=scope,
        )
        self._groups(child, trail)
        return child

    def _reference(
        self,
        scope: Scope,
        slug: str,
        entry: GroupReference,
        path: JsonPath,
        trail: tuple[Path, ...],
    ) -> Scope | None:
        group = (*scope.group, slug)
        target = self._target(scope, group, entry, path, trail)
        if target is None:
            return None
        document, definition = self.parse(target, _name(target))
        if definition is None:
            return None
        given = self._given(scope, group, entry, path, definition)
        return self.flow(document, definition, given, (*trail, target), group)

    def _target(
        self,
        scope: Scope,
        group: tuple[str, ...],
        entry: GroupReference,
        path: JsonPath,
        trail: tuple[Path, ...],
    ) -> Path | None:
        """The file that a reference means; None with a finding where it may not be read."""
        words = f"group {show('/'.join(group), 200)}: 'flow' must"
        try:
            target = (scope.base / entry.flow).resolve()
            exists = target.is_file()
        except (OSError, ValueError, RuntimeError):
            exists = False
            target = scope.base
        problem, remedy = "", ""
        if not exists:
            problem = f"name a flow file; got {show(entry.flow)}"
            remedy = f"the path is relative to {str(scope.base)!r}"
        elif not target.is_relative_to(self.root):
            problem = f"stay inside folder {str(self.root)!r}; got {show(entry.flow)}"
        elif target in trail:
            names = " → ".join(p.name for p in (*trail[trail.index(target) :], target))
            problem = f"not lead back to its own file; got {names}"
        if not problem:
            return target
        self.findings.append(
            scope.document.finding(
                (*path, "flow"), f"{words} {problem}", remedy=remedy, component="/".join(group)
            )
        )
        return None

    def _given(
        self,
        scope: Scope,
        group: tuple[str, ...],
        entry: GroupReference,
        path: JsonPath,
        definition: FlowDefinition,
    ) -> dict[str, Value]:
        """The values that a reference passes on, with the outer flow's parameters in them."""
        component = "/".join(group)
        words = f"group {show(component, 200)}"
        where: JsonPath = (*path, "parameters")
        for name, remedy in unknown_names(definition.parameters, entry.parameters).items():
            message = f"{words}: parameter {show(name)} must be one of the flow it refers to"
            self.findings.append(
                scope.document.finding(
                    (*where, name), message, remedy=remedy, component=component, key=True
                )
            )
        given = scope.parameters.substitute(entry.parameters, where, (words, component))
        self._open_secrets(scope, given, where, words, definition)
        self.findings += scope.parameters.findings
        scope.parameters.findings.clear()
        return {name: value for name, value in given.items() if name in definition.parameters}

    def _open_secrets(
        self,
        scope: Scope,
        given: Mapping[str, Value],
        where: JsonPath,
        words: str,
        definition: FlowDefinition,
    ) -> None:
        """A sensitive parameter of the inner flow takes only a sensitive one of this flow."""
        for name, value in given.items():
            inner = definition.parameters.get(name)
            if inner is not None and inner.sensitive and not isinstance(value, Secret):
                message = f"{words}: parameter {show(name)} must be given a sensitive parameter"
                remedy = "write '#{name}' of a sensitive parameter of this flow"
                self.findings.append(
                    scope.document.finding(
                        (*where, name), f"{message}; got open text", remedy=remedy
                    )
                )


def _name(target: Path) -> str:
    """How messages name a referenced file: relative to the working directory if it is below."""
    try:
        return str(target.relative_to(Path.cwd()))
    except ValueError:
        return str(target)
