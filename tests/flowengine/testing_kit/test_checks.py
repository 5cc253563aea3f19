"""The contract check fails for each thing a processor can get wrong."""

from typing import ClassVar

import pytest
from pydantic import Field

from flowengine.processor import Example, Expected, Given, Processor, ProcessorProperties
from flowengine.processor import Relationship as Outcome
from flowengine.testing import check_processor


class Upper(Processor):
    """Write the content in capitals."""

    tags: ClassVar[tuple[str, ...]] = ("text",)
    success = Outcome("The capitals.")

    class Properties(ProcessorProperties):
        suffix: str = Field("", description="Put behind it.")

    examples = (
        Example(
            "Shout",
            {"suffix": "!"},
            (Given(b"hello", {"a": "1"}),),
            {"success": (Expected(b"HELLO!", {"a": "1"}),)},
        ),
    )

    def on_trigger(self, context, session):
        for flowfile in session.get_batch():
            data = session.read(flowfile).upper() + self.properties.suffix.encode()
            session.transfer(session.write(flowfile, data), self.success)


def test_a_good_processor_passes():
    check_processor(Upper)


class Untagged(Upper):
    """Has no tags."""

    tags = ()


class Undescribed(Upper):
    """Has a relationship without a description."""

    other = Outcome()


class Unexplained(Upper):
    """Has a property without a description."""

    class Properties(ProcessorProperties):
        suffix: str = ""


class Liar(Upper):
    """Does something else than its example says."""

    def on_trigger(self, context, session):
        session.transfer(session.get_batch(), self.success)


class Hoarder(Upper):
    """Remembers across sessions what it has seen."""

    seen = 0

    def on_trigger(self, context, session):
        self.seen += 1
        if self.seen > 1:
            session.remove(session.get_batch())
        else:
            super().on_trigger(context, session)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Untagged, "Untagged must have tags"),
        (Undescribed, "Undescribed: relationship 'other' must be described"),
        (Unexplained, "Unexplained: property 'suffix' must have a description"),
        (Liar, "example 'Shout', relationship 'success': b'hello'"),
        (Hoarder, "example 'Shout', relationship 'success' must get 1 FlowFiles; got 0"),
    ],
)
def test_each_mistake_is_named(cls, message):
    with pytest.raises(AssertionError) as caught:
        check_processor(cls)
    assert str(caught.value).partition("\n")[0] == message
