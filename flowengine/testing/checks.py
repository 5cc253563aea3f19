"""Checks that every processor must pass, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowengine.processor import Example, Expected, Processor, describe_class
from flowengine.testing.runner import ProcessorRunner


def check_example(cls: type[Processor], example: Example, **runner: Any) -> None:
    """Run a documented example; raises AssertionError where it does not do what it says."""
    with ProcessorRunner(cls, **runner, **dict(example.properties)) as test:
        for given in example.given:
            test.enqueue(given.content, given.attributes)
        test.run(max(len(example.given), 1) * 2)
        for relationship, expected in example.expect.items():
            _compare(test, example, relationship, expected)


def _compare(
    test: ProcessorRunner, example: Example, relationship: str, expected: tuple[Expected, ...]
) -> None:
    got = test.transferred(relationship)
    where = f"example {example.title!r}, relationship {relationship!r}"
    assert len(got) == len(expected), f"{where} must get {len(expected)} FlowFiles; got {len(got)}"
    for flowfile, wanted in zip(got, expected, strict=True):
        if wanted.content is not None:
            content = wanted.content
            data = content.encode() if isinstance(content, str) else content
            assert test.content(flowfile) == data, f"{where}: {test.content(flowfile)!r}"
        for name, value in wanted.attributes.items():
            assert flowfile.attributes.get(name) == value, (
                f"{where}: attribute {name!r} must be {value!r}; "
                f"got {flowfile.attributes.get(name)!r}"
            )


def check_processor(
    cls: type[Processor], properties: Mapping[str, Any] | None = None, **runner: Any
) -> None:
    """The contract of every processor: documented, loses nothing, survives a roll-back.

    Raises AssertionError naming what is missing.
    """
    _check_documented(cls)
    for example in cls.examples:
        check_example(cls, example, **runner)
        _check_rollback(cls, example, runner)


def _check_documented(cls: type[Processor]) -> None:
    name = cls.__name__
    assert describe_class(cls), f"{name} must have a docstring that says what it does"
    assert cls.tags, f"{name} must have tags"
    for key, field in cls.Properties.model_fields.items():
        assert field.description, f"{name}: property {key!r} must have a description"
    for relationship, declared in cls.relationships.items():
        assert declared.description, f"{name}: relationship {relationship!r} must be described"


def _check_rollback(cls: type[Processor], example: Example, runner: Mapping[str, Any]) -> None:
    """A trigger that is rolled back leaves the queue as it was, and the next one does the same."""
    if cls.is_source() or cls.is_async():
        return
    with ProcessorRunner(cls, **runner, **dict(example.properties)) as test:
        for given in example.given:
            test.enqueue(given.content, given.attributes)
        before = test.queue.peek(1 << 20)
        test.start()
        session = test.session()
        test.node.processor.on_trigger(test.context, session)
        session.rollback()
        assert test.queue.peek(1 << 20) == before, f"{cls.__name__}: roll-back must restore"
        test.run(max(len(before), 1) * 2)
        for relationship, expected in example.expect.items():
            _compare(test, example, relationship, expected)
