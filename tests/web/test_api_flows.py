"""Flow files, drafts, deploying and versions over REST."""

from __future__ import annotations

import json
import random

import pytest

from tests.waiting import until
from tests.web.serving import pipeline


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def set_name(id, value, before=None):
    return {
        "op": "set",
        "kind": "processors",
        "id": id,
        "path": ["name"],
        "value": value,
        "before": before,
    }


def test_a_flow_is_created_read_replaced_and_deleted(server):
    server.create("one", pipeline())
    found = server.ask("GET", "/flows/one")
    body = found.json()
    assert found.headers["etag"] == f'"{body["revision"]}"'
    assert (server.flows / "one.json").read_text() == body["text"]

    changed = {**pipeline(), "description": "changed"}
    answer = server.ask(
        "PUT",
        "/flows/one",
        json={"definition": changed},
        headers={"If-Match": found.headers["etag"]},
    )
    assert answer.status_code == 200
    stale = server.ask(
        "PUT", "/flows/one", json={"text": "{}"}, headers={"If-Match": found.headers["etag"]}
    )
    body = problem(stale, 412)
    assert body["current"] == answer.json()["revision"]
    assert body["detail"] == (
        f"flow 'one' must have the revision {found.json()['revision']!r}; got another one meanwhile"
    )
    assert server.ask("DELETE", "/flows/one").status_code == 204
    body = problem(server.ask("GET", "/flows/one"), 404)
    assert body["detail"] == "flow must be a file in the folder of flows; got 'one'"


def test_a_write_without_if_match_is_asked_for_it(server):
    server.create("one")
    body = problem(server.ask("PUT", "/flows/one", json={"text": "{}"}), 428)
    assert body["detail"] == "request must say in If-Match which revision it means; got none"
    body = problem(server.ask("POST", "/flows/one/deploy"), 428)
    assert body["detail"] == "request must say in If-Match which draft it means; got none"


@pytest.mark.parametrize("id", ["../evil", "a/b", ".hidden", "", "a..b", "x" * 65, "a\x00b"])
def test_an_id_never_leads_out_of_the_folder(server, id):
    body = problem(server.ask("POST", "/flows", json={"id": id}), 422)
    assert body["detail"] == (
        "flow id must be letters, digits, '-' and '_', with '.' between folder and name; "
        f"got {id[:80]!r}"
    )


def test_a_used_id_is_refused(server):
    server.create("one")
    body = problem(server.ask("POST", "/flows", json={"id": "one"}), 409)
    assert body["detail"] == "flow id must be a new one; got 'one', which is used"


def test_a_broken_text_is_refused_with_its_place(server):
    text = '{\n  "format": 1,\n  "name": "x",\n  "procesors": {}\n}'
    body = problem(server.ask("POST", "/flows", json={"id": "x", "text": text}), 422)
    assert body["detail"] == "flow definition must follow the format"
    (found,) = body["problems"]
    assert (found["line"], found["column"], found["pointer"]) == (4, 3, "/procesors")
    assert found["message"] == "flow: key 'procesors' must be a known one"
    assert found["remedy"] == "did you mean 'processors'?"


@pytest.mark.parametrize("seed", range(40))
def test_a_mangled_definition_is_never_more_than_a_422_with_a_place(server, seed):
    chance = random.Random(seed)
    text = json.dumps(pipeline())
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(text))
        text = text[:place] + chance.choice('{}[]",:1x\\ \u0000') + text[place + 1 :]
    answer = server.ask("POST", "/flows", json={"id": f"mangled-{seed}", "text": text})
    assert answer.status_code in (201, 422), answer.text
    if answer.status_code == 422:
        assert all(one["line"] >= 1 and one["message"] for one in answer.json()["problems"])
        assert answer.json()["problems"]


@pytest.mark.parametrize("value", ['"\\ud800"', "1" * 30, "[" * 300 + "]" * 300])
def test_what_json_cannot_store_is_a_422_or_400_and_no_500(server, value):
    server.create("one")
    operation = '{"op":"set","kind":"processors","id":"make","path":["x"],"value":VALUE}'
    for path, body in (
        ("/flows/one/draft/operations", '{"client":"a","base":0,"operations":[' + operation + "]}"),
        ("/flows", '{"id":"two","definition":{"format":VALUE}}'),
    ):
        body = body.replace("VALUE", value)
        answer = server.ask(
            "POST", path, content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), answer.text


def test_an_unknown_processor_type_stays_as_it_is_and_cannot_be_deployed(server):
    strange = pipeline()
    strange["processors"]["mark"] = {"type": "Nobody", "properties": {"x": [1, {"y": None}]}}
    server.create("strange", strange)
    found = server.get("/flows/strange")
    assert found["definition"]["processors"]["mark"] == strange["processors"]["mark"]
    body = problem(server.ask("POST", "/flows/strange/deploy", headers={"If-Match": '"0"'}), 422)
    assert body["detail"].startswith("flow 'strange' must be valid to be deployed; got ")
    assert "mark" in {one["component"] for one in body["problems"]}
    assert "/processors/mark/type" in {one["pointer"] for one in body["problems"]}


def test_a_draft_is_edited_deployed_compared_and_restored(server):
    server.create("versions")
    draft = server.get("/flows/versions/draft")
    assert (draft["seq"], draft["ahead"], draft["problems"]) == (0, True, [])
    assert server.post("/flows/versions/deploy", **{"If-Match": '"0"'})["version"] == 1

    answer = server.edit("versions", 0, set_name("make", "Maker"))
    assert answer.json()["inverses"] == [
        {**set_name("make", None, "Maker"), "undo": True},
    ]
    (change,) = server.get("/flows/versions/diff")["changes"]
    assert change == {
        "kind": "changed",
        "type": "processors",
        "component": "make",
        "property": "name",
        "before": None,
        "after": "Maker",
    }
    stale = server.ask("POST", "/flows/versions/deploy", headers={"If-Match": '"0"'})
    assert problem(stale, 412)["detail"] == (
        "draft must be the one with If-Match 0; got number 1. Look at what has changed, then "
        "deploy that"
    )
    assert server.post("/flows/versions/deploy", **{"If-Match": '"1"'})["version"] == 2
    assert not server.get("/flows/versions/draft")["ahead"]
    assert '"Maker"' in (server.flows / "versions.json").read_text()

    assert server.post("/flows/versions/versions/1/restore")["version"] == 3
    assert '"Maker"' not in (server.flows / "versions.json").read_text()
    numbers = [one["number"] for one in server.get("/flows/versions/versions", limit=2)["versions"]]
    assert numbers == [3, 2]
    assert server.get("/flows/versions/versions", limit=2)["next"] == 2


def test_a_discarded_draft_is_the_file_again(server):
    server.create("one")
    server.edit("one", 0, set_name("make", "x"))
    answer = server.ask("DELETE", "/flows/one/draft").json()
    assert "name" not in answer["document"]["processors"]["make"]
    assert (answer["edited"], answer["seq"]) == (False, 2)


def test_what_makes_no_sense_is_a_422_naming_component_and_pointer(server):
    server.create("one")
    body = problem(server.edit("one", 0, set_name("gone", "x")), 422)
    (found,) = body["problems"]
    assert (found["component"], found["pointer"]) == ("gone", "/operations/0")
    assert found["message"] == "processors 'gone' must be in the draft; got an unknown id"


def test_a_request_of_the_wrong_shape_names_the_place_and_not_the_value(server):
    server.create("one")
    body = problem(server.edit("one", 0, {"op": "set", "kind": "secret-value"}), 422)
    assert body["detail"] == "request must follow the description"
    assert body["problems"][0]["pointer"].startswith("/operations/0")
    assert "secret-value" not in json.dumps(body["problems"])


def test_the_same_property_of_two_people_is_a_409_with_both_values(server):
    server.create("one")
    server.edit("one", 0, set_name("make", "theirs"), client="a")
    body = problem(server.edit("one", 0, set_name("make", "mine"), client="b"), 409)
    (conflict,) = body["conflicts"]
    assert (conflict["theirs"], conflict["mine"]) == ("theirs", "mine")
    assert (body["seq"], len(body["merged"])) == (1, 1)
    assert body["detail"] == (
        "operations on flow 'one' must not meet changes of others; got 1. Take mine or theirs, "
        "with the base 1"
    )
    again = server.edit("one", 1, set_name("make", "mine"), client="b")
    assert again.status_code == 200


def test_a_change_of_the_file_is_seen_within_a_second_and_overwrites_no_draft(server):
    server.create("one")
    server.post("/flows/one/deploy", **{"If-Match": '"0"'})
    path = server.flows / "one.json"
    path.write_text(json.dumps({**pipeline(), "description": "from disk"}))
    until(lambda: server.get("/flows")["flows"][0]["file_ahead"], "the change", 2)
    draft = server.get("/flows/one/draft")
    assert draft["document"]["description"] == "from disk"
    assert (draft["ahead"], draft["edited"]) == (True, False)

    server.edit("one", draft["seq"], set_name("make", "kept"))
    path.write_text(json.dumps({**pipeline(), "description": "once more"}))
    draft = server.get("/flows/one/draft")
    assert draft["file_changed"]
    assert draft["document"]["processors"]["make"]["name"] == "kept"
    match = {"If-Match": f'"{draft["seq"]}"'}
    body = problem(server.ask("POST", "/flows/one/deploy", headers=match), 409)
    assert body["file_changed"]
    chosen = server.ask("POST", "/flows/one/deploy", headers=match, json={"overwrite": True})
    assert chosen.status_code == 200


def test_data_files_beside_flows_are_no_flows(server):
    (server.flows / "lake").mkdir()
    (server.flows / "lake" / "users.json").write_text('{"name": "x"}')
    server.create("teams.orders")
    assert [flow["id"] for flow in server.get("/flows")["flows"]] == ["teams.orders"]
    assert (server.flows / "teams" / "orders.json").exists()


def test_a_sensitive_parameter_shows_only_that_it_is_set(server, monkeypatch):
    flow = pipeline()
    flow["parameters"] = {
        "password": {"sensitive": True, "value": "hunter2"},
        "folder": {"value": "out"},
    }
    (server.flows / "one.json").write_text(json.dumps(flow))
    found = {one["name"]: one for one in server.get("/flows/one/parameters")["parameters"]}
    assert (found["password"]["set"], found["password"]["value"]) == (True, None)
    assert (found["folder"]["set"], found["folder"]["value"]) == (True, "out")
    for path in ("/flows/one", "/flows/one/draft", "/flows/one/diff"):
        assert "hunter2" not in server.ask("GET", path).text
