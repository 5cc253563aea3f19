import json

from tests.flowengine.cli.kit import call


def test_the_list_names_processors_services_and_built_in_types(shell):
    lines = {line.split()[0]: line for line in shell("list").out.splitlines()}
    assert lines["PutFile"].split()[1] == "processor"
    assert lines["KafkaConnection"].split()[1] == "service"
    assert "Funnel" in lines


def test_the_list_can_be_searched(shell):
    names = [row["name"] for row in json.loads(shell("list", "put", "file", "--json").out)]
    assert "PutFile" in names
    assert "KafkaConnection" not in names


def test_a_search_without_result_says_so(shell):
    result = shell("list", "xyzzy")
    assert (result.code, result.out) == (0, "")
    assert result.err == "no installed type has all of these words\n"


def test_a_type_is_shown_with_properties_nifi_names_and_examples(shell):
    text = shell("show", "ControlRate").out
    assert text.startswith("# ControlRate\n\nLimit how fast FlowFiles go on")
    assert (
        '| `time_duration` | duration | `"1 min"` | The period that the maximum is for. |' in text
    )
    assert "| `criteria` | Rate Control Criteria | same |" in text
    assert "## Example: One FlowFile a minute" in text


def test_a_type_as_json_has_every_property(shell):
    data = json.loads(shell("show", "PutFile", "--json").out)
    first = data["properties"][0]
    assert (first["name"], first["title"], first["type"]) == (
        "directory",
        "Directory",
        "expression",
    )
    assert first["default"] is None
    assert data["relationships"]["failure"]["failure"] is True


def test_an_unknown_type_gets_a_suggestion(shell):
    result = shell("show", "Putfile")
    assert result.code == 1
    assert result.err == (
        "error: type must be an installed processor or service; got 'Putfile'; "
        "did you mean 'PutFile'?\n"
    )


def test_a_service_is_shown_too(shell):
    assert shell("show", "KafkaConnection").out.startswith("# KafkaConnection\n")


def test_a_built_in_type_is_shown_too(shell):
    assert shell("show", "Funnel").out.startswith("# Funnel\n")


def test_a_closed_pipe_is_no_error():
    result = call("show", "PutFile")
    assert result.code == 0
