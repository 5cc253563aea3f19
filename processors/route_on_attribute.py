"""Route FlowFiles by their attributes alone. Source: NiFi ``RouteOnAttribute``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import compress
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
from flowengine.errors import ExpressionError
from flowengine.expressions import Predicate
from flowengine.flowfile import FlowFile
from flowengine.processor import (
    Example,
    Expected,
    Given,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import ProcessSession

RESERVED = ("matched", "unmatched", "failure")

# A copy that nobody else has seen yet may be changed in place; this is the fastest way to make one.
_copy: Callable[[FlowFile], FlowFile] = FlowFile.__copy__  # type: ignore[attr-defined]


class Strategy(StrEnum):
    """How the matches of one FlowFile decide where it goes."""

    EACH = "route to each match"
    ALL = "all must match"
    ANY = "any may match"


def _check_name(name: str) -> str:
    if name != name.strip() or not name:
        rule = "must be a relationship's name without blanks around it"
    elif name in RESERVED:
        rule = f"must differ from {', '.join(RESERVED)}"
    else:
        return name
    message = f"{rule}; got {name!r:.80}"
    raise PydanticCustomError("relationship", "{message}", {"message": message})


RelationshipName = Annotated[str, AfterValidator(_check_name)]


class RouteOnAttribute(Processor):
    """Send each FlowFile to every route whose predicate its attributes satisfy.

    The first route in the order of ``routes`` gets the FlowFile itself, the others a clone.
    """

    tags = ("routing", "attributes", "filter", "branch", "switch")
    writes = {"route": "Name of the relationship the FlowFile was sent to."}
    nifi = NifiNote("RouteOnAttribute", names={"strategy": "Routing Strategy"})

    class Properties(ProcessorProperties):
        strategy: Strategy = Field(Strategy.EACH, description="How matches decide.")
        routes: dict[RelationshipName, Predicate] = Field(
            min_length=1,
            description="Name → predicate. With 'route to each match' each name is a relationship.",
        )

    matched = Relationship("FlowFiles that satisfy the strategy 'all' or 'any'.")
    unmatched = Relationship("FlowFiles that satisfy no route, or not the strategy.")
    failure = Relationship(
        "FlowFiles for which a predicate has no answer, with `error.*`.", failure=True
    )

    examples = (
        Example(
            "Split Europe from the rest",
            properties={"routes": {"eu": "country in ['NL', 'DE']", "big": "price | float > 100"}},
            given=(
                Given("a", {"country": "NL", "price": "7"}),
                Given("b", {"country": "DE", "price": "700"}),
                Given("c", {"country": "US", "price": "7"}),
                Given("d", {"price": "7"}),
            ),
            expect={
                "eu": (Expected("a", {"route": "eu"}), Expected("b", {"route": "eu"})),
                "big": (Expected("b", {"route": "big"}),),
                "unmatched": (Expected("c", {"route": "unmatched"}),),
                "failure": (Expected("d", {"error.class": "ExpressionError"}),),
            },
        ),
        Example(
            "Pass what satisfies every condition",
            properties={
                "strategy": "all must match",
                "routes": {"named": "filename is defined", "small": "flowfile.size < 3"},
            },
            given=(Given("ab", {"filename": "x"}), Given("abc", {"filename": "y"})),
            expect={"matched": (Expected("ab"),), "unmatched": (Expected("abc"),)},
        ),
    )

    @classmethod
    def relationships_for(cls, properties: Properties) -> Mapping[str, Relationship]:
        """With 'route to each match' one relationship per route, else ``matched``."""
        if properties.strategy is not Strategy.EACH:
            return cls.relationships
        routes = {
            name: Relationship(f"FlowFiles with {predicate.text}.", name=name)
            for name, predicate in properties.routes.items()
        }
        return {**routes, cls.unmatched: cls.unmatched, cls.failure: cls.failure}

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        flowfiles = session.get_batch()
        hits, errors = self._evaluate(flowfiles, session.now)
        if errors:
            for index, error in errors.items():
                session.fail(flowfiles[index], error, self.failure)
            fine = [index not in errors for index in range(len(flowfiles))]
            flowfiles = list(compress(flowfiles, fine))
            hits = {name: list(compress(column, fine)) for name, column in hits.items()}
        self._route(flowfiles, self._decide(hits), session)

    def _evaluate(
        self, flowfiles: list[FlowFile], now: int
    ) -> tuple[dict[str, list[bool]], dict[int, ExpressionError]]:
        """Per route whether each FlowFile satisfies it; the first error of each bad one."""
        hits: dict[str, list[bool]] = {}
        errors: dict[int, ExpressionError] = {}
        for name, predicate in self.properties.routes.items():
            hits[name], failed = predicate.matches_batch(flowfiles, now=now)
            if failed:
                errors = failed | errors
        return hits, errors

    def _decide(self, hits: dict[str, list[bool]]) -> dict[str, list[bool]]:
        """Relationship → whether each FlowFile goes there, for all relationships but unmatched."""
        if self.properties.strategy is Strategy.EACH:
            return hits
        decide = all if self.properties.strategy is Strategy.ALL else any
        return {self.matched: [decide(row) for row in zip(*hits.values(), strict=True)]}

    def _route(
        self, flowfiles: list[FlowFile], hits: Mapping[str, list[bool]], session: ProcessSession
    ) -> None:
        gone: set[int] = set()
        for name, column in hits.items():
            chosen = list(compress(flowfiles, column))
            if gone:
                chosen = [session.clone(f) if f.id in gone else f for f in chosen]
            gone.update([f.id for f in chosen])
            session.transfer(_marked(chosen, name), name)
        rest = flowfiles if not gone else [f for f in flowfiles if f.id not in gone]
        session.transfer(_marked(rest, self.unmatched), self.unmatched)


def _marked(flowfiles: list[FlowFile], route: str) -> list[FlowFile]:
    """The FlowFiles with the attribute ``route``."""
    copies = list(map(_copy, flowfiles))
    change = {"route": str(route)}
    for flowfile in copies:
        flowfile.attributes = flowfile.attributes | change
    return copies
