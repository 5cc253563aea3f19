from tests.flowengine.flowtest.kit import FLOW, TIMED, named, passes, played, problems


def test_what_is_given_to_a_source_comes_to_the_sink(tmp_path):
    expected = {"attributes": {"marked": "ada"}, "content": "ADA"}
    passes(tmp_path, {"in": {"make": [named("ada")]}}, {"expect": {"store": [expected]}})


def test_a_source_may_have_its_flowfiles_from_the_start(tmp_path):
    replace = {"make": {"source": [named("ada"), named("alan")]}}
    passes(tmp_path, {"expect": {"mark": 2}}, replace=replace)


def test_flowfiles_can_be_put_into_a_processor_or_a_connection(tmp_path):
    passes(
        tmp_path,
        {"in": {"slow": [named("ada")], "slow-store": [named("alan")]}},
        {"expect": {"store": [{"content": "ADA"}, {"content": "ALAN"}]}},
    )


def test_a_relationship_is_seen_whether_anything_is_connected_or_not(tmp_path):
    passes(
        tmp_path,
        {"in": {"make": [{"content": "no name"}]}},
        {"expect": {"mark/failure": 1, "mark/success": [], "store": []}},
        {"expect": {"rejects": [{"attributes": {"error.class": "ExpressionError"}}]}},
    )


def test_each_expectation_sees_what_is_new(tmp_path):
    passes(
        tmp_path,
        {"in": {"make": [named("ada")]}},
        {"expect": {"store": 1}},
        {"expect": {"store": []}},
    )


def test_time_stops_wherever_somebody_wants_to_be_woken(tmp_path):
    passes(
        tmp_path,
        {"in": {"make": [named("x", count=5)]}},
        {"advance": "2 min"},
        {"expect": {"store": 3}},
        {"queued": {"mark-slow": 2}},
        {"advance": "59999 ms"},
        {"expect": {"store": 0}},
        {"advance": "1 ms"},
        {"expect": {"store": 1}},
    )


def test_nothing_is_lost_or_doubled_by_a_kill(tmp_path):
    passes(
        tmp_path,
        {"in": {"make": [named("x", count=3)]}},
        {"kill": True},
        {"advance": "1 min"},
        {"expect": {"store": 1}},
        {"restart": True},
        {"expect": {"store": 1}},
        {"kill": True},
        {"restart": True},
        {"restart": True},
        {"queued": {"mark-slow": 1}},
        {"advance": "1 min"},
        {"expect": {"store": 1}},
    )


def test_an_emit_answers_each_in_turn_and_the_last_answer_stays(tmp_path):
    answers = [{"attributes": {"n": "1"}}, {"content": "second"}, {"record": {"a": 1}}]
    passes(
        tmp_path,
        {"in": {"mark": [named("1"), named("2"), {"record": {"b": 2}, "count": 2}]}},
        {"expect": {"mark/success": [
            {"attributes": {"n": "1"}, "content": "1"},
            {"attributes": {"n": None}, "content": "second"},
            {"record": {"a": 1, "b": 2}},
            {"record": {"a": 1, "b": 2}},
        ]}},
        replace={"mark": {"emit": answers}},
    )  # fmt: skip


def test_a_failing_sink_is_retried_as_the_flow_says(tmp_path):
    passes(
        tmp_path,
        {"in": {"slow-store": [named("ada")]}},
        {"expect": {"store": []}},
        {"queued": {"slow-store": 1}},
        {"advance": "1 s"},
        {"expect": {"store/success": 1, "store": 1}},
        replace={"store": {"emit": [{"fail": "no disk"}, {}]}},
    )


def test_a_watermark_of_the_source_lets_event_time_pass(tmp_path):
    given = [{"event_time": "+1 s", "count": 2}, {"event_time": "+5 s"}]
    passes(
        tmp_path,
        {"in": {"read": given}},
        {"watermark": "+4 s"},
        {"expect": {"store": []}},
        {"watermark": {"read": {"0": "+5 s"}}},
        {"expect": {"store": [{"content": "3", "event_time": "2024-01-01T00:00:05Z"}]}},
        flow=TIMED,
    )


def test_a_partition_holds_event_time_back_until_it_is_taken_out(tmp_path):
    passes(
        tmp_path,
        {"in": {"read": [{"event_time": 10}]}},
        {"watermark": {"read": {"a": 3, "b": 20}}},
        {"expect": {"store": []}},
        {"watermark": {"read": {"a": None}}},
        {"expect": {"store": 1}},
        flow=TIMED,
    )


def test_the_end_of_a_source_is_the_end_of_event_time(tmp_path):
    passes(
        tmp_path,
        {"in": {"read": [{"event_time": 10}]}},
        {"expect": {"store": []}},
        {"eof": "read"},
        {"expect": {"store": 1}},
        flow=TIMED,
    )


def test_a_source_may_tell_its_progress_itself(tmp_path):
    passes(
        tmp_path,
        {"in": {"read": [{"event_time": 10_000_000}]}},
        {"expect": {"store": []}},
        {"in": {"read": [{"event_time": 12_000_001, "partition": "1"}]}},
        {"expect": {"store": []}},
        {"in": {"read": [{"event_time": 14_000_002}]}},
        {"expect": {"store": []}},
        {"in": {"read": [{"event_time": 20_000_000, "partition": "1", "count": 2}]}},
        {"eof": "read"},
        {"expect": {"store": [{"content": "5"}]}},
        flow=TIMED,
        replace={"read": {"source": True, "out_of_orderness": "2 s"}},
    )


def test_watermarks_and_state_survive_a_kill(tmp_path):
    passes(
        tmp_path,
        {"in": {"read": [{"event_time": 10, "count": 3}]}},
        {"kill": True},
        {"restart": True},
        {"expect": {"store": []}},
        {"watermark": 10},
        {"expect": {"store": [{"content": "3"}]}},
        flow=TIMED,
    )


def test_counters_can_be_looked_at(tmp_path):
    found = problems(tmp_path, {"counters": {"seen": 0}}, {"counters": {"seen": 2}})
    assert [line.partition(" ")[2] for line in found] == [
        "test 'it' step 2: 'seen' must be 2; got 0"
    ]


def test_a_failure_names_the_line_of_what_was_expected(tmp_path):
    result = played(tmp_path, {"advance": "1 s"}, {"expect": {"store": [{"content": "x"}]}})
    [outcome] = result.outcomes
    text = result.path.read_text().splitlines()[outcome.failure.finding.line - 1]
    assert text.strip() == '"store": ['
    assert outcome.failure.finding.text == (
        "test 'it' step 2: 'store' must get what is expected; got something else"
    )
    assert outcome.failure.lines == ["expected 1, got 0", '- {"content": "x"}']


def test_a_failure_shows_what_the_flow_said(tmp_path):
    steps = {"in": {"mark": [{"record": []}]}}, {"expect": {"mark/success": 1}}
    [outcome] = played(tmp_path, *steps, replace={"mark": {"emit": {"record": {}}}}).outcomes
    assert outcome.failure.lines[0] == "expected 1, got 0"
    assert outcome.failure.lines[1].startswith(
        "  mark: error: processor 'mark' (UpdateAttribute) must not raise; got"
    )


def test_a_source_gives_nothing_after_its_end(tmp_path):
    found = problems(tmp_path, {"eof": "make"}, {"in": {"make": [named("ada")]}})
    assert [line.partition(" ")[2] for line in found] == [
        "test 'it' step 2: source 'make' must not be given anything after its eof"
    ]


def test_parameters_may_name_the_folder_of_the_test_and_of_the_file(tmp_path):
    flow = {
        **FLOW,
        "parameters": {"p": {"value": ""}, "q": {"value": ""}},
        "processors": {
            **FLOW["processors"],
            "mark": {"type": "UpdateAttribute", "properties": {"attributes": {"at": "#{p}#{q}"}}},
        },
    }
    passes(
        tmp_path,
        {"in": {"mark": [{}]}},
        {"expect": {"store": [{"attributes": {"at": f"{tmp_path}/flows/tests7"}}]}},
        flow=flow,
        parameters={"p": "{here}", "q": 7},
    )
