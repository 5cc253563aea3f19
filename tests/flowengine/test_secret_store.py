"""The encrypted store: what is on disk, who may read it, rotation, and the loss of its key."""

from __future__ import annotations

import json
import stat

import pytest

from flowengine.definition.load import Options, check_flow
from flowengine.definition.parameters import Sources
from flowengine.errors import DefinitionError, EnvironmentFault
from flowengine.secret_store import KEY, SecretStore, new_key
from tests.flowengine.cli.kit import call

VALUE = "correct horse battery staple"


@pytest.fixture
def store(tmp_path):
    return SecretStore(tmp_path / "secrets.json", environ={})


def test_a_secret_is_given_back_by_whoever_has_the_key(store, tmp_path):
    store.put("kafka", VALUE, "ann")
    assert SecretStore(tmp_path / "secrets.json", environ={})["kafka"] == VALUE
    assert list(store) == ["kafka"]
    assert store.entries()["kafka"].user == "ann"


def test_neither_file_tells_the_secret_and_only_the_owner_may_read_them(store, tmp_path):
    store.put("kafka", VALUE)
    for name in ("secrets.json", KEY):
        file = tmp_path / name
        assert VALUE.encode() not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_entry_cannot_take_anothers_place(store, tmp_path):
    store.put("harmless", VALUE)
    store.put("kafka", "another")
    file = tmp_path / "secrets.json"
    entries = json.loads(file.read_text())
    entries["kafka"]["sealed"] = entries["harmless"]["sealed"]
    file.write_text(json.dumps(entries))
    with pytest.raises(EnvironmentFault, match="secret 'kafka' must be sealed by a key in"):
        store["kafka"]


def test_rotation_seals_everything_anew_and_drops_the_old_key(store, tmp_path):
    store.put("kafka", VALUE)
    old = (tmp_path / KEY).read_text()
    sealed = store.entries()["kafka"].sealed
    assert store.rotate() == 1
    assert store["kafka"] == VALUE
    assert store.entries()["kafka"].sealed != sealed
    assert old.strip() not in (tmp_path / KEY).read_text()


@pytest.mark.parametrize("moment", ["before the values", "before the old key goes"])
def test_a_rotation_that_is_cut_off_loses_nothing(store, tmp_path, monkeypatch, moment):
    store.put("kafka", VALUE)

    class Cut(Exception):
        pass

    def cut(*_: object) -> None:
        raise Cut

    if moment == "before the values":
        monkeypatch.setattr(store, "_save", cut)
    else:
        write, calls = store._write_keys, []
        monkeypatch.setattr(
            store, "_write_keys", lambda keys: cut() if calls else calls.append(write(keys))
        )
    with pytest.raises(Cut):
        store.rotate()
    again = SecretStore(tmp_path / "secrets.json", environ={})
    assert again["kafka"] == VALUE
    assert again.rotate() == 2
    assert again["kafka"] == VALUE


def test_a_lost_key_is_said_with_what_to_do_and_makes_no_other(store, tmp_path):
    store.put("kafka", VALUE)
    (tmp_path / KEY).unlink()
    expected = (
        f"secret store {str(tmp_path / 'secrets.json')!r} must have its key in "
        f"{str(tmp_path / KEY)!r}; got none. Put the key file back, or give up the values with "
        "`flowengine server secrets rotate --lost` and enter them again"
    )
    for attempt in (lambda: store["kafka"], lambda: store.put("other", "x"), store.rotate):
        with pytest.raises(EnvironmentFault) as fault:
            attempt()
        assert str(fault.value) == expected
    assert store.problem() == expected


def test_values_of_a_lost_key_are_given_up_and_entered_again(store, tmp_path):
    store.put("kafka", VALUE)
    (tmp_path / KEY).unlink()
    assert store.forget_lost() == ["kafka"]
    assert (list(store), list(store.entries())) == ([], ["kafka"])
    store.put("kafka", "new")
    assert store["kafka"] == "new"


def test_a_key_file_that_others_may_read_is_refused(store, tmp_path):
    store.put("kafka", VALUE)
    (tmp_path / KEY).chmod(0o644)
    with pytest.raises(EnvironmentFault) as fault:
        store["kafka"]
    assert str(fault.value) == (
        f"secret key file {str(tmp_path / KEY)!r} must be readable by its owner only; got mode "
        "0644. Change it with `chmod 600`, then rotate the key"
    )


def test_a_systemd_credential_is_the_key_and_is_never_written(tmp_path):
    credential = tmp_path / "flowengine-secret-key"
    first, second = new_key(), new_key()
    credential.write_text(f"{first}\n")
    credential.chmod(0o400)
    store = SecretStore(tmp_path / "secrets.json", environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    store.put("kafka", VALUE)
    credential.chmod(0o600)
    credential.write_text(f"{second}\n{first}\n")
    assert store.rotate() == 0
    credential.write_text(f"{second}\n")
    assert store["kafka"] == VALUE
    assert not (tmp_path / KEY).exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "../x",
            VALUE,
            "secret name must be letters, digits, '-', '_' and '.', at most 100; got '../x'",
        ),
        ("x", "", "secret 'x' must have a value of at most 64 KB of Unicode text; got none"),
        (
            "x",
            "y" * 65_537,
            "secret 'x' must have a value of at most 64 KB of Unicode text; got another",
        ),
        (
            "x",
            "\ud800",
            "secret 'x' must have a value of at most 64 KB of Unicode text; got another",
        ),
    ],
)
def test_what_cannot_be_a_secret_is_refused_without_its_value(store, name, value, message):
    with pytest.raises(DefinitionError) as refused:
        store.put(name, value)
    assert str(refused.value) == message


def findings(tmp_path, opened, **parameter):
    flow = {"format": 1, "name": "f", "parameters": {"p": parameter}}
    flow["processors"] = {
        "a": {
            "type": "GenerateRecords",
            "properties": {"schema": {"x": "#{p}"}, "count": 1},
            "auto_terminate": ["success"],
        }
    }
    (tmp_path / "f.json").write_text(json.dumps(flow))
    _, found = check_flow(tmp_path / "f.json", Options(sources=Sources({}, opened)))
    return [one.text for one in found if one.path == "/parameters/p"]


def test_a_parameter_that_names_an_unknown_secret_is_told_how_to_enter_it(store, tmp_path):
    assert findings(tmp_path, store, sensitive=True, store="kafka") == [
        "parameter 'p' must be held by the encrypted store as 'kafka'; got none; "
        "flowengine server secrets set kafka"
    ]


def test_a_parameter_of_the_store_must_be_sensitive(store, tmp_path):
    store.put("kafka", VALUE)
    assert findings(tmp_path, store, store="kafka") == [
        "parameter 'p' must be sensitive when the encrypted store holds it; got one that is not; "
        "add 'sensitive': true"
    ]


def test_a_store_without_its_key_is_a_finding_of_the_parameter(store, tmp_path):
    store.put("kafka", VALUE)
    (tmp_path / KEY).unlink()
    (found,) = findings(tmp_path, store, sensitive=True, store="kafka")
    assert found.startswith(
        "parameter 'p' must be held by the encrypted store as 'kafka'; got a store that cannot be "
        "opened: secret store "
    )


# -- headless ----------------------------------------------------------------------------------

HEADLESS = {
    "format": 1,
    "name": "f",
    "parameters": {"p": {"sensitive": True, "store": "db"}},
    "processors": {
        "make": {
            "type": "GenerateRecords",
            "properties": {"schema": {"x": "sequence"}, "count": 1},
        },
        "mark": {
            "type": "UpdateAttribute",
            "properties": {"attributes": {"a": "b"}},
            "auto_terminate": ["success"],
        },
        "put": {
            "type": "PutDatabaseRecord",
            "properties": {"url": "sqlite:///x.db", "table": "t", "password": "#{p}"},
            "auto_terminate": ["success", "failure"],
            "disabled": True,
        },
    },
    "connections": [
        {"from": "make", "relationships": ["success"], "to": "mark"},
        {"from": "mark", "relationships": ["failure"], "to": "put"},
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("by", ["option", "place"])
def test_a_headless_run_takes_secrets_from_the_same_store(tmp_path, by):
    flow = tmp_path / "f.json"
    flow.write_text(json.dumps(HEADLESS))
    words = ["run", flow, "--until-complete", "--data-dir", tmp_path / "data" / "f"]
    root = {"FLOWENGINE_DATA_ROOT": str(tmp_path / "data")}
    without = call(*words, **root)
    assert (without.code, VALUE in without.err) == (1, False)
    assert "must be held by the encrypted store as 'db'; got none" in without.err
    place = tmp_path / ("elsewhere.json" if by == "option" else "data/.server/secrets.json")
    SecretStore(place, environ={}).put("db", VALUE)
    found = call(*words, *(["--secret-store", place] if by == "option" else []), **root)
    assert found.code == 0, found.err
    assert VALUE not in found.out + found.err
