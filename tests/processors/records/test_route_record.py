from flowengine.testing import ProcessorRunner, check_processor
from processors.records.route_record import RouteRecord


def route(routes, content, attributes=None, **properties):
    with ProcessorRunner(RouteRecord, routes=routes, **properties) as test:
        test.enqueue(content, attributes)
        test.run()
        found = {}
        for name in test.outputs:
            for flowfile in test.transferred(name):
                found[name] = test.content(flowfile).decode()
                if name == "failure":
                    found["message"] = flowfile.attributes["error.message"]
        return found


def test_it_keeps_the_contract_of_processors():
    check_processor(RouteRecord)


def test_a_record_takes_the_first_route_or_every_one():
    routes = {"a": "n | int > 0", "b": "n | int > 1"}
    content = '[{"n":1},{"n":2}]'
    first = route(routes, content)
    assert first == {"a": content, "original": content}
    every = route(routes, content, matching="every")
    assert every == {"a": content, "b": '[{"n":2}]', "original": content}


def test_predicates_read_nested_fields_and_attributes():
    content = '[{"a":{"b":"x"}},{"a":{"b":"y"}}]'
    got = route({"hit": "a.b == wanted"}, content, {"wanted": "y"})
    assert got["hit"] == '[{"a":{"b":"y"}}]'
    assert got["unmatched"] == '[{"a":{"b":"x"}}]'


def test_a_record_without_an_answer_is_named_and_nothing_is_routed():
    got = route({"hit": "n | int > 0"}, '[{"n":1},{"m":1}]')
    assert set(got) == {"failure", "message"}
    assert got["message"].startswith("processor 'processor' (RouteRecord): record 2: route 'hit': ")
    assert "'n'" in got["message"]


def test_tables_are_routed_too():
    got = route({"big": "n | int > 1"}, "n,t\n1,a\n2,b\n", input_format="csv")
    assert got["big"] == 'n,t\n2,"b"\n'
