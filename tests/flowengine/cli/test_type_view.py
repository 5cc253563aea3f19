import io

from rich.console import Console

from flowengine.cli.type_view import view
from flowengine.documentation import document, find_type


def shown(name: str) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=400).print(view(document(name, find_type(name))))
    return [line.strip() for line in stream.getvalue().splitlines()]


def test_a_property_has_type_default_choices_and_nifi_name():
    lines = shown("PutFile")
    at = lines.index('conflict  choice  = "fail"')
    assert lines[at + 2] == "one of fail, replace, ignore, rename"
    assert lines[at + 3] == "NiFi's 'Conflict Resolution Strategy'"


def test_what_must_be_given_is_said():
    assert "directory  expression  required" in shown("PutFile")


def test_examples_show_what_goes_in_and_what_comes_out():
    lines = shown("PutFile")
    assert "Example: One file per FlowFile, in a folder per country" in lines
    assert any(line.startswith("given content hello") for line in lines)
    assert any(line.startswith("success receives content hello") for line in lines)


def test_a_service_has_no_relationships():
    assert "Relationships" not in shown("KafkaConnection")
