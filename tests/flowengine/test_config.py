from pathlib import Path

import pytest

from flowengine.config import SETTINGS, RepositoryKind, flow_key, read_settings
from flowengine.errors import DefinitionError, EnvironmentFault


def write(folder: Path, text: str) -> Path:
    file = folder / "flowengine.toml"
    file.write_text(text)
    return file


def message(tmp_path: Path, text: str = "", **environment: str) -> str:
    write(tmp_path, text)
    with pytest.raises(DefinitionError) as caught:
        read_settings({}, environment, tmp_path)
    return str(caught.value)


def test_defaults_stand_where_nothing_is_set(tmp_path):
    settings = read_settings({}, {}, tmp_path)
    assert settings.repository is RepositoryKind.SQLITE
    assert settings.data_root == tmp_path / ".flowengine"
    assert (settings["drain_timeout"], settings["memory_budget"]) == (5_000_000, 512 << 20)
    assert {one.origin for one in settings.chosen.values()} == {"default"}


def test_the_file_beats_defaults_variables_beat_the_file_and_flags_beat_all(tmp_path):
    write(tmp_path, 'log_level = "debug"\ndrain_timeout = "1 sec"\nmemory_budget = "1 MB"\n')
    environment = {"FLOWENGINE_DRAIN_TIMEOUT": "2 sec", "FLOWENGINE_MEMORY_BUDGET": "2 MB"}
    settings = read_settings({"memory_budget": "3 MB", "listen": None}, environment, tmp_path)
    assert settings["log_level"] == "debug"
    assert settings["drain_timeout"] == 2_000_000
    assert settings["memory_budget"] == 3 << 20


def test_values_are_plain_numbers(tmp_path):
    settings = read_settings({}, {}, tmp_path)
    assert [type(settings[name]) for name in ("drain_timeout", "memory_budget")] == [int, int]


def test_the_nearest_file_above_counts(tmp_path):
    file = write(tmp_path, 'data_root = "runs"\n')
    (tmp_path / "a" / "b").mkdir(parents=True)
    settings = read_settings({}, {}, tmp_path / "a" / "b")
    assert settings.chosen["data_root"].origin == f"{file}:1"
    assert settings.data_root == tmp_path / "runs"


def test_a_relative_path_of_a_flag_belongs_to_the_working_directory(tmp_path):
    write(tmp_path, "")
    (tmp_path / "a").mkdir()
    settings = read_settings({"data_dir": "here"}, {}, tmp_path / "a")
    assert settings.data_directory(Path("x.json")) == tmp_path / "a" / "here"


def test_each_flow_has_a_data_directory_of_its_own(tmp_path):
    settings = read_settings({}, {}, tmp_path)
    root = tmp_path / ".flowengine"
    assert settings.data_directory(Path("flows/users.json")) == root / "users"
    assert settings.data_directory(Path("flows/a/users.json")) == root / "a.users"
    assert settings.data_directory(Path("elsewhere/users.json")) == root / "users"


def test_the_key_of_a_flow_keeps_dots(tmp_path):
    assert flow_key(Path("flows/v1.2.json")) == "v1.2"


def test_an_empty_variable_is_not_set(tmp_path):
    settings = read_settings({}, {"FLOWENGINE_REPOSITORY": ""}, tmp_path)
    assert settings.repository is RepositoryKind.SQLITE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "# comment\ndrain_time = 3\n",
            "{file}:2: setting must be a known one; got 'drain_time'; "
            "did you mean 'drain_timeout'?",
        ),
        (
            "repository = []\n",
            "{file}:1: setting 'repository' must be text, a number, true or false; got a list",
        ),
        (
            "\nrepository = 'disk'\n",
            "setting 'repository' must be 'sqlite' or 'memory'; got 'disk' from {file}:2",
        ),
        (
            "debug = 'perhaps'\n",
            "setting 'debug' must be true or false; got 'perhaps' from {file}:1",
        ),
        (
            "memory_budget = 5\n",
            "setting 'memory_budget' must be a data size such as '1 MB'; got '5' from {file}:1",
        ),
        (
            "listen = 'here'\n",
            "setting 'listen' must be an address such as '127.0.0.1:8080'; got 'here' "
            "from {file}:1",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, text, expected):
    assert message(tmp_path, text) == expected.format(file=tmp_path / "flowengine.toml")


def test_what_is_no_toml_is_refused(tmp_path):
    assert message(tmp_path, "a b\n").startswith(
        f"{tmp_path}/flowengine.toml: settings file must be TOML; got "
    )


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "flowengine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(EnvironmentFault, match="must be readable UTF-8 text; got "):
        read_settings({}, {}, tmp_path)


@pytest.mark.parametrize(
    ("text", "address"),
    [("8080", "127.0.0.1:8080"), ("0.0.0.0:1", "0.0.0.0:1"), ("[::1]:1", "[::1]:1")],
)
def test_a_port_alone_means_loopback(tmp_path, text, address):
    assert read_settings({"listen": text}, {}, tmp_path)["listen"] == address


def test_every_setting_is_described():
    assert all(setting.description.endswith(".") for setting in SETTINGS)
    assert {setting.variable for setting in SETTINGS} >= {"FLOWENGINE_DATA_ROOT"}
