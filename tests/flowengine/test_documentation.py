from enum import StrEnum
from typing import Annotated

import pytest
from pydantic import Field

from flowengine import documentation
from flowengine.documentation import document, file_name, find_type, markdown, title_of, type_text
from flowengine.errors import DefinitionError
from flowengine.processor import (
    Example,
    Expected,
    Given,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
    Service,
)
from flowengine.units import Duration, Secret, parse_duration


class Mode(StrEnum):
    """How it is done."""

    FAST = "fast"
    SURE = "sure | slow"


class Sample(Processor):
    """Do ``something`` to each FlowFile.

    More about it.
    """

    tags = ("sample",)
    serial = True
    reads = {"filename": "Its name."}
    writes = {"done": "Always true."}
    nifi = NifiNote("SampleIt", {"wait": "Wait Time"}, {"wait": "1 min"})
    success = Relationship("What was done.")
    failure = Relationship("What was not.", failure=True)
    examples = (
        Example(
            "One",
            properties={"count": 2},
            given=(Given(b'{"a": 1}', {"filename": "x"}),),
            expect={"success": (Expected(None, {"done": "true"}),), "failure": ()},
        ),
    )

    class Properties(ProcessorProperties):
        count: int = Field(ge=1, le=5, description="How often.")
        mode: Mode = Mode.FAST
        wait: Duration = Field(parse_duration("30 sec"), description="Before the first.")
        password: Secret | None = None
        names: dict[str, list[str]] = Field({}, description="Some | names.")
        connection: Annotated[str, Service("KafkaConnection")] = ""


PAGE = """\
# Sample

Do `something` to each FlowFile.

More about it.

- Type: processor
- Input: required
- Tags: sample
- It runs one task at a time.

## Properties

| Property | Type | Default | Meaning |
| --- | --- | --- | --- |
| `count` | whole number, at least 1 and at most 5 | required | How often. |
| `mode` | `fast`, `sure \\| slow` | `"fast"` | How it is done. |
| `wait` | duration | `"30 sec"` | Before the first. |
| `password` | secret | none |  |
| `names` | map of text to list of text | `{}` | Some \\| names. |
| `connection` | service KafkaConnection | none |  |

## Relationships

| Relationship | What goes there |
| --- | --- |
| `success` | What was done. |
| `failure` | What was not. |

## Attributes read

| Attribute | Meaning |
| --- | --- |
| `filename` | Its name. |

## Attributes written

| Attribute | Meaning |
| --- | --- |
| `done` | Always true. |

## Coming from NiFi

NiFi's processor is `SampleIt`.

| Property | NiFi calls it | NiFi's default |
| --- | --- | --- |
| `wait` | Wait Time | `1 min` |

## Example: One

```json
{
  "type": "Sample",
  "properties": {
    "count": 2
  }
}
```

Given

- content `{"a": 1}`; attributes `filename` = `x`

`success` receives

- attributes `done` = `true`

`failure` receives

- nothing
"""


def test_a_page_says_everything_that_the_declaration_says():
    assert markdown(document("Sample", Sample)) == f"{documentation.MARK}\n{PAGE}"


def test_a_title_is_made_from_the_key():
    assert title_of("maximum_rate") == "Maximum Rate"


def test_a_file_name_is_made_from_the_type():
    assert file_name("PublishKafka") == "publish-kafka.md"
    assert file_name("EvaluateJSON") == "evaluate-json.md"


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string", "format": "data-size"}, "data size"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "whole number or text"),
        ({"type": ["string", "integer"]}, "text or whole number"),
        ({"type": "array"}, "list"),
        ({"type": "number", "exclusiveMinimum": 0}, "number, greater than 0"),
        ({}, "value"),
    ],
)
def test_a_schema_reads_as_people_say_it(schema, text):
    assert type_text(schema, {}) == text


def test_types_are_found_by_name():
    assert find_type("Funnel").__name__ == "Funnel"
    assert find_type("KafkaConnection").__name__ == "KafkaConnection"


def test_an_unknown_type_gets_a_suggestion():
    with pytest.raises(DefinitionError) as caught:
        find_type("PutFil")
    assert str(caught.value) == (
        "type must be an installed processor or service; got 'PutFil'; did you mean 'PutFile'?"
    )


def test_a_package_without_types_has_no_pages():
    assert documentation.pages("nobody") == {}
