import json

from tests.flowengine.cli.kit import counted


def test_a_new_flow_validates_is_canonical_and_runs(shell, place):
    result = shell("new", "hello")
    assert result.out == (
        "wrote hello.json; run it with: flowengine run hello.json --until-complete\n"
    )
    assert shell("validate", "hello.json").code == 0
    assert shell("fmt", "hello.json", "--check").code == 0
    assert shell("run", "hello.json", "--until-complete").code == 0


def test_a_new_flow_replaces_none(shell, place):
    shell("new", "hello")
    result = shell("new", "hello")
    assert result.code == 1
    assert result.err == (
        "error: flow file 'hello.json' must not exist yet; got one; choose another name, or "
        "replace it with '--force'\n"
    )
    assert shell("new", "hello", "--force").code == 0


def test_formatting_leaves_what_is_canonical_alone(shell, place):
    flow = counted(place / "a.json")
    before = (flow.read_bytes(), flow.stat().st_mtime_ns)
    result = shell("fmt", "a.json")
    assert (result.code, result.out, result.err) == (0, "", "1 flow canonical\n")
    assert (flow.read_bytes(), flow.stat().st_mtime_ns) == before


def test_formatting_writes_the_canonical_form(shell, place):
    flow = counted(place / "a.json")
    canonical = flow.read_text()
    flow.write_text(json.dumps(json.loads(canonical)))
    result = shell("fmt", "a.json")
    assert (result.code, result.out) == (0, "changed a.json\n")
    assert flow.read_text() == canonical


def test_a_check_writes_nothing_and_exits_with_1(shell, place):
    flow = counted(place / "a.json")
    counted(place / "b.json")
    flow.write_text(json.dumps(json.loads(flow.read_text())))
    before = flow.read_text()
    result = shell("fmt", "--check", ".")
    assert (result.code, result.out) == (1, "would change a.json\n")
    assert result.err == "1 flow canonical, 1 to change\n"
    assert flow.read_text() == before


def test_a_broken_flow_is_left_alone_and_the_others_are_formatted(shell, place):
    (place / "broken.json").write_text("{")
    good = counted(place / "good.json")
    canonical = good.read_text()
    good.write_text(json.dumps(json.loads(canonical)))
    result = shell("fmt", ".")
    assert result.code == 1
    assert result.out.startswith("broken.json:1:")
    assert result.err == "0 flows canonical, 1 changed, 1 with findings\n"
    assert ((place / "broken.json").read_text(), good.read_text()) == ("{", canonical)


def test_the_schema_knows_the_properties_of_installed_types(shell, place):
    schema = json.loads(shell("schema").out)
    assert schema["title"] == "Flow definition, format 1"
    assert "directory" in schema["$defs"]["PutFile.properties"]["properties"]


def test_the_schema_of_one_type_goes_to_a_file(shell, place):
    result = shell("schema", "PutFile", "--output", "put.json")
    assert (result.code, result.out, result.err) == (0, "", "wrote put.json\n")
    assert "directory" in json.loads((place / "put.json").read_text())["properties"]


def test_a_file_that_cannot_be_written_is_named(shell, place):
    result = shell("schema", "--output", "nowhere/x.json")
    assert result.code == 2
    assert result.err == (
        "error: file 'nowhere/x.json' must be writable; got no such file or directory\n"
    )
