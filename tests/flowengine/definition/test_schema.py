"""JSON Schema of the format."""

from flowengine.definition import json_schema, properties_schema
from tests.flowengine.definition.kit import CLASSES, Step


def test_the_schema_knows_every_key_of_a_flow():
    schema = json_schema({})
    assert schema["required"] == ["format", "name"]
    assert schema["additionalProperties"] is False
    assert {"processors", "connections", "groups", "layout"} <= set(schema["properties"])


def test_the_type_decides_the_properties():
    schema = json_schema(CLASSES)
    processor = schema["$defs"]["ProcessorDefinition"]
    assert {entry["const"] for entry in processor["properties"]["type"]["oneOf"]} == {
        "Source", "Step", "Route", "Serial", "Sink",
    }  # fmt: skip
    conditions = {rule["if"]["properties"]["type"]["const"]: rule for rule in processor["allOf"]}
    reference = conditions["Step"]["then"]["properties"]["properties"]["$ref"]
    own = schema["$defs"][reference.removeprefix("#/$defs/")]
    assert own["additionalProperties"] is False
    assert "properties" in conditions["Route"]["then"]["required"]


def test_references_inside_the_schema_lead_somewhere():
    schema = json_schema(CLASSES)

    def references(value):
        if isinstance(value, dict):
            yield from (v for k, v in value.items() if k == "$ref")
            value = list(value.values())
        if isinstance(value, list):
            for inner in value:
                yield from references(inner)

    assert {ref.removeprefix("#/$defs/") for ref in references(schema)} <= set(schema["$defs"])


def test_any_property_may_be_a_parameter():
    step = json_schema(CLASSES)["$defs"]["Step.properties"]
    assert step["properties"]["items"]["anyOf"][1]["pattern"] == r"#\{[^{}]+\}"


def test_services_are_typed_too():
    service = json_schema(CLASSES)["$defs"]["ServiceDefinition"]
    assert [entry["const"] for entry in service["properties"]["type"]["oneOf"]] == [
        "Cluster", "Other",
    ]  # fmt: skip


def test_the_properties_of_one_type_are_a_form():
    properties = properties_schema(Step)["properties"]
    assert properties["duration"]["format"] == "duration"
