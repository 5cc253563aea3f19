"""Send single records to routes by predicates. Source: NiFi ``RouteOnAttribute``, per record."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from flowengine.context import ProcessContext
from flowengine.expressions import Predicate
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, Relationship
from flowengine.session import ProcessSession
from processors.records._core.formats import RecordError
from processors.records._core.processor import WRITES, RecordProcessor, child
from processors.records._core.properties import RelationshipName, WriteProperties
from processors.records._core.tables import Records
from processors.records._core.values import views


class Matching(StrEnum):
    """Which of the routes that fit a record get it."""

    FIRST = "first"
    EVERY = "every"


class RouteRecord(RecordProcessor):
    """Send each record of a FlowFile to the routes whose predicate it satisfies.

    Predicates read the record's fields, nested ones as `a.b`, and the FlowFile's attributes; a
    field wins. Fields are texts, as attributes are: `price | float > 100`.
    """

    tags = ("record", "route", "filter", "branch", "partition")
    writes = {**WRITES, "record.route": "Name of the route that the records took."}

    class Properties(WriteProperties):
        routes: dict[RelationshipName, Predicate] = Field(
            min_length=1, description="Name of a relationship → predicate over a record."
        )
        matching: Matching = Field(
            Matching.FIRST, description="Whether a record goes to the `first` route or to `every`."
        )

    properties: Properties
    unmatched = Relationship("Records that satisfy no predicate.")
    original = Relationship("The FlowFile that was routed, unchanged.")

    examples = (
        Example(
            "Press and the rest",
            properties={"routes": {"eu": "country in ['NL', 'DE']", "dear": "price | float > 5"}},
            given=(
                Given(
                    '{"country":"NL","price":9}\n{"country":"US","price":9}\n'
                    '{"country":"US","price":1}'
                ),
            ),
            expect={
                "eu": (Expected('{"country":"NL","price":9}', {"record.route": "eu"}),),
                "dear": (Expected('{"country":"US","price":9}', {"record.count": "1"}),),
                "unmatched": (Expected('{"country":"US","price":1}'),),
                "original": (Expected(),),
            },
        ),
    )

    @classmethod
    def relationships_for(cls, properties: Properties) -> Mapping[str, Relationship]:
        """One relationship per route beside the fixed ones."""
        routes = {
            name: Relationship(f"Records with {predicate.text}.", name=name)
            for name, predicate in properties.routes.items()
        }
        return {**routes, **cls.relationships}

    def take(self, context: ProcessContext, session: ProcessSession, flowfile: FlowFile) -> None:
        records, kind = self.read(session, flowfile)
        routed = self._route(flowfile, records, session.now)
        encoded = {
            name: self.encode(records.take(places), kind)
            for name, places in routed.items()
            if places
        }
        for name, one in encoded.items():
            session.transfer(child(session, flowfile, one, {"record.route": name}), name)
        session.transfer(flowfile, self.original)

    def _route(self, flowfile: FlowFile, records: Records, now: int) -> dict[str, list[int]]:
        """Route → the places of the records that take it."""
        routes = self.properties.routes
        names = frozenset().union(*(predicate.attributes for predicate in routes.values()))
        seen = views(flowfile, records, sorted(names))
        left, unmatched = set(range(len(seen))), set(range(len(seen)))
        found: dict[str, list[int]] = {}
        for name, predicate in routes.items():
            asked = sorted(left)
            hits, errors = predicate.matches_batch([seen[place] for place in asked], now=now)
            if errors:
                first = min(errors)
                raise RecordError(f"route {name!r}: {errors[first]}", record=asked[first] + 1)
            found[name] = [place for place, hit in zip(asked, hits, strict=True) if hit]
            unmatched.difference_update(found[name])
            if self.properties.matching is Matching.FIRST:
                left.difference_update(found[name])
        return {**found, str(self.unmatched): sorted(unmatched)}
