"""What must hold between the components of a flow: the rules of the graph and of relationships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flowengine.definition.flatten import DraftConnection, DraftProcessor, Drafts
from flowengine.definition.source import show
from flowengine.findings import Finding, Severity
from flowengine.graph import build_graph, cycles, reachable
from flowengine.prioritizers import PRIORITIZERS
from flowengine.processor import InputRequirement
from flowengine.registry import suggest

if TYPE_CHECKING:
    import networkx as nx


def edges(drafts: Drafts) -> list[tuple[str, str, str]]:
    """Source, destination and id of every connection whose two ends exist."""
    return [
        (connection.source, connection.destination, connection.id)
        for connection in drafts.connections
        if connection.source is not None and connection.destination is not None
    ]


def check(drafts: Drafts) -> Iterator[Finding]:
    """All findings between components; those of one component alone are known before."""
    graph = build_graph(drafts.processors, edges(drafts))
    outgoing: dict[str, list[DraftConnection]] = defaultdict(list)
    for connection in drafts.connections:
        if connection.source is not None:
            outgoing[connection.source].append(connection)
    loose = any(connection.destination is None for connection in drafts.connections)
    yield from _connection_ids(drafts.connections)
    for connection in drafts.connections:
        yield from _connection(connection, drafts.processors)
    for draft in drafts.processors.values():
        yield from _relationships(draft, outgoing[draft.id])
        yield from _scheduling(draft)
        if draft.is_processor:
            yield from _forbidden_input(draft, graph)
        else:
            yield from _way_out(draft, outgoing[draft.id])
        if not loose:  # else it may be meant by the connection that leads nowhere
            yield from _missing_input(draft, graph)
    yield from _cycles(graph, drafts)
    if not loose:
        yield from _unreachable(graph, drafts)


def _connection_ids(connections: Iterable[DraftConnection]) -> Iterator[Finding]:
    first: dict[str, DraftConnection] = {}
    for connection in connections:
        other = first.setdefault(connection.id, connection)
        if other is connection:
            continue
        line, _ = other.place.scope.document.locate(other.place.path)
        where = f" in line {line}" if line else ""
        same_ends = (connection.source, connection.destination) == (other.source, other.destination)
        remedy = "give each an explicit 'id'"
        if same_ends and not connection.definition.id:
            remedy += ", or join them into one connection with both relationships"
        rule = f"must have an id of its own; got the id of another connection{where}"
        yield connection.place.finding(rule, remedy=remedy)


def _connection(
    connection: DraftConnection, processors: Mapping[str, DraftProcessor]
) -> Iterator[Finding]:
    place, definition = connection.place, connection.definition
    if connection.source is not None and connection.source == connection.destination:
        yield place.finding(
            f"must not lead back to its source; got {show(connection.source, 200)} at both ends",
            remedy="use 'retry' of the processor, which cannot fill its own queue",
        )
    for index, name in enumerate(definition.prioritizers):
        if name not in PRIORITIZERS:
            message = f"prioritizer must be a known one; got {show(name)}"
            remedy = suggest(name, PRIORITIZERS)
            yield place.finding(message, "prioritizers", index, remedy=remedy)
    yield from _repeated(connection, "prioritizers", definition.prioritizers)
    yield from _repeated(connection, "relationships", definition.relationships)
    source = processors.get(connection.source or "")
    if source is not None:
        yield from _taken(connection, source)


def _repeated(connection: DraftConnection, key: str, names: list[str]) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"'{key}' must name each once; got {show(name)} again"
            yield connection.place.finding(message, key, index)


def _taken(connection: DraftConnection, source: DraftProcessor) -> Iterator[Finding]:
    """Each relationship of a connection is one of its source."""
    names = connection.definition.relationships
    if not names and source.is_processor:
        known = source.relationships
        remedy = suggest("", known) if known else ""
        message = "'relationships' must name at least one relationship; got none"
        yield connection.place.finding(message, "relationships", remedy=remedy)
    if source.relationships is None:
        return
    for index, name in enumerate(names):
        if name not in source.relationships:
            message = f"relationship must be one of {source.place.words}; got {show(name)}"
            remedy = suggest(name, source.relationships)
            yield connection.place.finding(message, "relationships", index, remedy=remedy)


def _relationships(draft: DraftProcessor, outgoing: list[DraftConnection]) -> Iterator[Finding]:
    """Every relationship goes somewhere, and settings name only relationships that exist."""
    if draft.relationships is None or not draft.is_processor:
        return
    known, definition = draft.relationships, draft.definition
    connected = {name for connection in outgoing for name in connection.definition.relationships}
    forever = {name for name, retry in definition.retry.items() if retry.count is None}
    for index, name in enumerate(definition.auto_terminate):
        yield from _known(draft, known, name, "auto_terminate", index)
        if name in connected:
            message = f"relationship {show(name)} must not end here while it is connected"
            remedy = "take it out of 'auto_terminate', or out of the connection"
            yield draft.place.finding(message, "auto_terminate", index, remedy=remedy)
    for name in definition.retry:
        yield from _known(draft, known, name, "retry", name)
    for name in known:
        if name not in connected | forever | set(definition.auto_terminate):
            remedy = "connect it, name it in 'auto_terminate', or give it a 'retry' without count"
            message = f"relationship {show(name)} must lead somewhere; got no connection"
            yield draft.place.finding(message, remedy=remedy, key=True)


def _known(
    draft: DraftProcessor, known: Iterable[str], name: str, section: str, key: str | int
) -> Iterator[Finding]:
    if name not in known:
        message = f"'{section}' must name its own relationships; got {show(name)}"
        is_key = isinstance(key, str)
        remedy = suggest(name, known)
        yield draft.place.finding(message, section, key, remedy=remedy, key=is_key)


def _scheduling(draft: DraftProcessor) -> Iterator[Finding]:
    options = draft.definition.scheduling
    chosen = [key for key in ("every", "cron", "once") if getattr(options, key)]
    if len(chosen) > 1:
        message = f"'scheduling' must choose one strategy; got {' and '.join(map(repr, chosen))}"
        yield draft.place.finding(message, "scheduling")
    if options.cron:
        problem = cron_problem(options.cron)
        if problem:
            message = f"'scheduling.cron' must {problem}; got {show(options.cron)}"
            remedy = "write '*' for '?'" if "?" in options.cron else ""
            yield draft.place.finding(message, "scheduling", "cron", remedy=remedy)
    if options.concurrent_tasks > 1 and draft.cls is not None:
        yield from _tasks(draft)


def _tasks(draft: DraftProcessor) -> Iterator[Finding]:
    """Several tasks help only those that wait for something (E25)."""
    where = ("scheduling", "concurrent_tasks")
    tasks = draft.definition.scheduling.concurrent_tasks
    if draft.cls is None or draft.cls.serial:
        message = f"'concurrent_tasks' must be 1, as this type keeps order; got {tasks}"
        yield draft.place.finding(message, *where)
    elif not (draft.cls.is_async() or draft.cls.blocking):
        yield draft.place.finding(
            f"'concurrent_tasks' should be 1, as this type only computes; got {tasks}",
            *where,
            remedy="run a second runner to use another core",
            severity=Severity.WARNING,
        )


def cron_problem(expression: str) -> str:
    """The rule that a cron expression breaks; empty when it breaks none."""
    from cronsim import CronSim, CronSimError

    try:
        simulated = CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
        next(simulated)
    except CronSimError as error:
        return f"be a cron expression such as '0 * * * *' ({str(error).lower()})"
    except StopIteration:
        return "name a time that exists"
    return ""


def _forbidden_input(draft: DraftProcessor, graph: nx.DiGraph[str]) -> Iterator[Finding]:
    if draft.cls is not None and draft.cls.input is InputRequirement.FORBIDDEN:
        sources = ", ".join(map(repr, graph.predecessors(draft.id)))
        if sources:
            message = f"must have no incoming connection, as it is a source; got one from {sources}"
            yield draft.place.finding(message, key=True)


def _missing_input(draft: DraftProcessor, graph: nx.DiGraph[str]) -> Iterator[Finding]:
    if graph.in_degree(draft.id):
        return
    message = "must have an incoming connection; got none"
    if draft.kind == "inputs" and draft.at_top:
        remedy = "nothing arrives there, unless another flow refers to this one"
        severity = Severity.WARNING
        yield draft.place.finding(message, severity=severity, key=True, remedy=remedy)
    elif not draft.is_processor or (
        draft.cls is not None and draft.cls.input is InputRequirement.REQUIRED
    ):
        yield draft.place.finding(message, key=True, remedy="connect something to it, or remove it")


def _way_out(draft: DraftProcessor, outgoing: list[DraftConnection]) -> Iterator[Finding]:
    """What reaches a port or a funnel leaves it again."""
    if outgoing:
        return
    message = "must have an outgoing connection; got none"
    if draft.kind == "outputs" and draft.at_top:
        remedy = "what arrives there ends there, unless another flow refers to this one"
        severity = Severity.WARNING
        yield draft.place.finding(message, severity=severity, key=True, remedy=remedy)
    else:
        yield draft.place.finding(message, key=True, remedy="connect it, or remove it")


def _cycles(graph: nx.DiGraph[str], drafts: Drafts) -> Iterator[Finding]:
    for cycle in cycles(graph):
        names = " → ".join([*cycle, cycle[0]])
        last = graph.edges[cycle[-1], cycle[0]]["connections"][0]
        connection = next(c for c in drafts.connections if c.id == last)
        yield connection.place.finding(
            f"must not close a cycle; got {names}",
            remedy="use 'retry' to try again, or write to a topic and read it in another flow",
        )


def _unreachable(graph: nx.DiGraph[str], drafts: Drafts) -> Iterator[Finding]:
    """Processors below a disabled source, or below nothing that runs, get nothing to do."""
    processors = drafts.processors
    if any(draft.cls is None for draft in processors.values()):
        return
    running = graph.subgraph(i for i, draft in processors.items() if not draft.definition.disabled)
    sources = [i for i in running if not graph.in_degree(i) and _may_start(processors[i])]
    reached = reachable(running, sources)
    for identity in running:
        if identity in reached or not graph.in_degree(identity):
            continue
        if set(running.predecessors(identity)) <= reached:  # else the one above is named
            yield processors[identity].place.finding(
                "must be reached from a source that is not disabled; got none",
                severity=Severity.WARNING,
                key=True,
            )


def _may_start(draft: DraftProcessor) -> bool:
    """Whether FlowFiles can come from it though nothing leads to it."""
    if not draft.is_processor or draft.cls is None:
        return draft.kind == "inputs" and draft.at_top
    return draft.cls.input is not InputRequirement.REQUIRED
