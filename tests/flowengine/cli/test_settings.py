import json


def test_every_setting_is_shown_with_its_origin(shell, place, monkeypatch):
    (place / "flowengine.toml").write_text('# ours\nrepository = "memory"\ndata_root = "runs"\n')
    monkeypatch.setenv("FLOWENGINE_MEMORY_BUDGET", "1 GB")
    data = json.loads(shell("config", "--drain-timeout", "9 sec", "--json").out)
    file = place / "flowengine.toml"
    assert data["repository"] == {"value": "memory", "origin": f"{file}:2"}
    assert data["data_root"] == {"value": "runs", "origin": f"{file}:3"}
    assert data["memory_budget"] == {"value": "1 GB", "origin": "FLOWENGINE_MEMORY_BUDGET"}
    assert data["drain_timeout"] == {"value": "9 sec", "origin": "--drain-timeout"}
    assert data["listen"] == {"value": None, "origin": "default"}


def test_people_get_a_table(shell, place):
    lines = shell("config").out.splitlines()
    assert lines[0].split() == ["setting", "value", "origin", "meaning"]
    assert lines[1].split()[:3] == ["data_root", ".flowengine", "default"]


def test_variables_that_set_nothing_are_named(shell, place, monkeypatch):
    monkeypatch.setenv("FLOWENGINE_REPOSITRY", "memory")
    line = "FLOWENGINE_REPOSITRY is set, and is no setting of this list\n"
    assert line in shell("config").out


def test_a_wrong_value_ends_any_command_with_its_origin(shell, place, monkeypatch):
    monkeypatch.setenv("FLOWENGINE_DRAIN_TIMEOUT", "fast")
    result = shell("config")
    assert result.code == 1
    assert result.err == (
        "error: setting 'drain_timeout' must be a duration such as '30 sec'; got 'fast' from "
        "FLOWENGINE_DRAIN_TIMEOUT\n"
    )
