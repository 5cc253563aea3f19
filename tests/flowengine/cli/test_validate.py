import json

from flowengine.cli.validate import flow_files
from tests.flowengine.cli.kit import counted

BAD = '{"format": 1,\n "name": "bad",\n "processors": {"a": {"type": "PutFil"}}}\n'
MESSAGE = (
    "processor 'a' (PutFil): 'type' must be an installed one; got 'PutFil'; did you mean 'PutFile'?"
)


def test_a_good_flow_has_no_findings(shell, place):
    result = shell("validate", counted(place / "good.json"))
    assert (result.code, result.out, result.err) == (0, "", "1 flow: no findings\n")


def test_every_finding_is_one_line_with_file_line_and_column(shell, place):
    (place / "bad.json").write_text(BAD)
    result = shell("validate", "bad.json")
    assert result.code == 1
    assert result.out == f"bad.json:3:31: {MESSAGE}\n"
    assert result.err == "1 flow: 1 error, 0 warnings\n"


def test_a_folder_stands_for_its_flows_each_once(shell, place):
    (place / "flows" / "inner").mkdir(parents=True)
    counted(place / "flows" / "good.json")
    (place / "flows" / "inner" / "bad.json").write_text(BAD)
    result = shell("validate", "flows", "flows/good.json")
    assert result.code == 1
    assert result.out == f"flows/inner/bad.json:3:31: {MESSAGE}\n"
    assert result.err == "2 flows: 1 error, 0 warnings\n"


def test_json_has_every_part_of_a_finding(shell, place):
    (place / "bad.json").write_text(BAD)
    result = shell("validate", "bad.json", "--json")
    assert result.code == 1
    assert json.loads(result.out) == [
        {
            "file": "bad.json",
            "line": 3,
            "column": 31,
            "path": "/processors/a/type",
            "component": "a",
            "severity": "error",
            "message": "processor 'a' (PutFil): 'type' must be an installed one; got 'PutFil'",
            "remedy": "did you mean 'PutFile'?",
        }
    ]


def test_json_of_a_good_flow_is_an_empty_array(shell, place):
    assert shell("validate", counted(place / "good.json"), "--json").out == "[]\n"


def test_a_missing_file_is_a_finding(shell, place):
    result = shell("validate", "nowhere.json")
    assert result.code == 1
    assert result.out.startswith("nowhere.json: ")


def test_parameters_may_be_given(shell, place):
    counted(place / "p.json")
    text = (place / "p.json").read_text()
    text = text.replace('"processors"', '"parameters": {"x": {}},\n"processors"')
    (place / "p.json").write_text(text)
    assert shell("validate", "p.json").code == 1
    assert shell("validate", "p.json", "--set", "x=1").code == 0


def test_files_of_a_folder_that_are_no_flows_are_left_out(tmp_path):
    (tmp_path / "record.json").write_text('{"name": "Ada"}')
    (tmp_path / "flow.json").write_text('{"format": 1, "name": "f"}')
    (tmp_path / "broken.json").write_text("{")
    assert [file.name for file in flow_files([str(tmp_path)])] == ["broken.json", "flow.json"]
