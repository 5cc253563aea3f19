"""Parameters: where their values come from, and how ``#{name}`` takes them.

``#{name}`` in any text of a property is replaced when the flow is loaded; ``##{name}`` stands for
the text ``#{name}``. A value that is nothing but ``#{name}`` keeps the parameter's type. A
sensitive parameter becomes a :class:`Secret`, only ever as the whole value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from flowengine.definition.model import Parameter
from flowengine.definition.source import Document, JsonPath, pointer, show
from flowengine.errors import EnvironmentFault
from flowengine.findings import Finding, Severity
from flowengine.registry import suggest
from flowengine.units import Secret

Value: TypeAlias = str | bool | int | float | Secret

_REFERENCE = re.compile(r"(#+)\{([^{}]*)\}")
_WHOLE = re.compile(r"#\{([^{}]*)\}")
_MAX_FILE = 1 << 16


@dataclass(frozen=True, slots=True)
class Sources:
    """Where parameters that do not stand in the file get their values.

    environment: environment variables
    store:       the encrypted store, by name; None where none is open
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    store: Mapping[str, str] | None = None


class _Unavailable(Exception):
    """A value that is not there; the text goes behind "must", the other is the remedy.

    outside: it is missing on this machine, not in the file, which matters only where it is used
    """

    outside = False

    def __init__(self, rule: str, remedy: str = "") -> None:
        super().__init__(rule)
        self.remedy = remedy


@dataclass(slots=True)
class Parameters:
    """The parameters of one flow with their values, and the findings about them.

    failed: JSON pointers of the values that named a parameter without a value
    """

    document: Document
    values: dict[str, Value] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    def report(
        self,
        path: JsonPath,
        message: str,
        remedy: str = "",
        component: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.findings.append(
            self.document.finding(
                path, message, remedy=remedy, component=component, severity=severity
            )
        )

    def substitute(self, value: Any, path: JsonPath, owner: tuple[str, str]) -> Any:
        """A JSON value with all references replaced.

        owner: component in words and its id, for findings
        """
        if isinstance(value, dict):
            return {key: self.substitute(v, (*path, key), owner) for key, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.substitute(v, (*path, i), owner) for i, v in enumerate(value)]
        if not isinstance(value, str) or "#{" not in value:
            return value
        whole = _WHOLE.fullmatch(value)
        if whole:
            found = self._lookup(whole.group(1), path, owner)
            return value if found is None else found
        return _REFERENCE.sub(lambda match: self._embedded(match, path, owner), value)

    def _lookup(self, name: str, path: JsonPath, owner: tuple[str, str]) -> Value | None:
        if name not in self.declared:
            rule = f"{owner[0]}: {_subject(path)} must name a declared parameter"
            near = suggest(name, self.declared)
            remedy = near if near.startswith("did") else "declare it, or write '##{' for the text"
            self.report(path, f"{rule}; got '#{{{name}}}'", remedy, owner[1])
        if name not in self.values:
            self.failed.add(pointer(path))
        return self.values.get(name)

    def _embedded(self, match: re.Match[str], path: JsonPath, owner: tuple[str, str]) -> str:
        hashes, name = match.groups()
        literal = "#" * (len(hashes) // 2)
        if len(hashes) % 2 == 0:
            return f"{literal}{{{name}}}"
        value = self._lookup(name, path, owner)
        if isinstance(value, Secret):
            message = f"{owner[0]}: {_subject(path)} must be a sensitive parameter as a whole"
            self.report(path, f"{message}; got '#{{{name}}}' inside other text", "", owner[1])
        if value is None or isinstance(value, Secret):
            return match.group()
        return literal + as_text(value)


def _subject(path: JsonPath) -> str:
    """``property 'a.b'`` out of the path of a value."""
    nouns = {"properties": "property", "parameters": "parameter"}
    start = next(index for index, part in enumerate(path) if part in nouns)
    return f"{nouns[str(path[start])]} {show('.'.join(map(str, path[start + 1 :])))}"


def as_text(value: Value) -> str:
    """A parameter's value inside other text: as JSON writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def resolve_parameters(
    document: Document,
    declared: Mapping[str, Parameter],
    given: Mapping[str, Value],
    sources: Sources,
    base: Path,
) -> Parameters:
    """The values of a flow's parameters.

    given: values from outside (a command line, or the flow that refers to this one); they win
    base:  folder to which ``file`` is relative
    """
    parameters = Parameters(document, declared=set(declared))
    for name, parameter in declared.items():
        path: JsonPath = ("parameters", name)
        try:
            value = _value(name, parameter, given, sources, base)
        except _Unavailable as error:
            unused = error.outside and document.text and f"#{{{name}}}" not in document.text
            parameters.report(
                path,
                f"parameter {show(name)} must {error}",
                error.remedy,
                severity=Severity.WARNING if unused else Severity.ERROR,
            )
            continue
        hide = parameter.sensitive and not isinstance(value, Secret)
        parameters.values[name] = Secret(as_text(value)) if hide else value
    return parameters


def unknown_names(declared: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, str]:
    """Names given from outside that a flow does not declare → remedy."""
    return {name: suggest(name, declared) for name in given if name not in declared}


def _value(
    name: str, parameter: Parameter, given: Mapping[str, Value], sources: Sources, base: Path
) -> Value:
    origins = [key for key in ("env", "file", "store") if getattr(parameter, key)]
    if parameter.value is not None:
        origins.insert(0, "value")
    if len(origins) > 1:
        raise _Unavailable(f"have one source; got {' and '.join(map(repr, origins))}")
    if parameter.sensitive and parameter.value is not None:
        raise _Unavailable(
            "not stand in the file when it is sensitive; got 'value'",
            "name an 'env', a 'file' or a 'store'",
        )
    if parameter.store and not parameter.sensitive:
        raise _Unavailable(
            "be sensitive when the encrypted store holds it; got one that is not",
            "add 'sensitive': true",
        )
    if name in given:
        return given[name]
    if not origins:
        remedy = f"give it a 'value', or set it from outside: --set {name}=…"
        raise _Unavailable("have a value; got none", remedy)
    try:
        return _READERS[origins[0]](parameter, sources, base)
    except _Unavailable as error:
        error.outside = True
        raise


def _from_environment(parameter: Parameter, sources: Sources, base: Path) -> Value:
    if parameter.env not in sources.environment:
        raise _Unavailable(
            f"be set by environment variable {show(parameter.env)}; got none",
            f"export {parameter.env}",
        )
    return sources.environment[parameter.env]


def _from_file(parameter: Parameter, sources: Sources, base: Path) -> Value:
    rule = f"be readable from file {show(parameter.file, 200)}"
    try:
        with (base / parameter.file).open("rb") as stream:
            data = stream.read(_MAX_FILE + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise _Unavailable(f"{rule}; got {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:
        raise _Unavailable(f"{rule} as UTF-8 text; got other bytes or a bad name") from error
    if len(data) > _MAX_FILE:
        raise _Unavailable(f"{rule} of at most 64 KB; got more")
    return text.removesuffix("\n").removesuffix("\r")


def _from_store(parameter: Parameter, sources: Sources, base: Path) -> Value:
    if sources.store is None:
        raise _Unavailable(
            f"be held by the encrypted store as {show(parameter.store)}; got no open store",
            "set it from outside instead",
        )
    rule = f"be held by the encrypted store as {show(parameter.store)}"
    try:
        if parameter.store in sources.store:
            return sources.store[parameter.store]
    except EnvironmentFault as error:
        raise _Unavailable(f"{rule}; got a store that cannot be opened: {error}") from None
    raise _Unavailable(f"{rule}; got none", f"flowengine server secrets set {parameter.store}")


def _literal(parameter: Parameter, sources: Sources, base: Path) -> Value:
    return "" if parameter.value is None else parameter.value


_READERS: Mapping[str, Callable[[Parameter, Sources, Path], Value]] = {
    "value": _literal,
    "env": _from_environment,
    "file": _from_file,
    "store": _from_store,
}
