"""LogAttribute: what an entry holds and how it is laid out."""

import pytest
from pydantic import ValidationError

from flowengine.testing import ProcessorRunner, check_processor
from processors.log_attribute import RULE, LogAttribute

GIVEN = {"kafka.topic": "users", "kafka.key": "ada", "path": "/"}


def logged(content: bytes = b"", attributes: dict[str, str] = GIVEN, **properties) -> str:
    """The one entry for a FlowFile."""
    chosen = {"log_fields": False, "output_format": "single line", **properties}
    with ProcessorRunner(LogAttribute, **chosen) as test:
        test.enqueue(content, attributes)
        test.run()
        assert len(test.transferred("success")) == 1
        [bulletin] = test.bulletins
        assert bulletin.level == chosen.get("level", "info")
        return bulletin.message


def test_it_keeps_the_contract_of_a_processor():
    check_processor(LogAttribute)


def test_all_attributes_are_logged_by_default_in_order_of_name():
    assert logged() == "kafka.key = 'ada', kafka.topic = 'users', path = '/'"


def test_attributes_are_chosen_by_name_or_by_pattern():
    assert logged(attributes_to_log=["path"]) == "path = '/'"
    assert logged(attributes_to_log=["path"], attributes_to_log_matching=r".*\.key") == (
        "kafka.key = 'ada', path = '/'"
    )


def test_ignored_attributes_are_left_out():
    assert logged(attributes_to_ignore=["path"], attributes_to_ignore_matching=r".*\.key") == (
        "kafka.topic = 'users'"
    )


def test_level_and_prefix_are_the_ones_set():
    assert logged(attributes={"a": "1"}, level="warning", log_prefix="seen:") == "seen: a = '1'"


def test_one_line_for_each_attribute_between_rules():
    entry = logged(attributes={"a": "1", "b": "2"}, output_format="line per attribute")
    assert entry == f"{RULE}\na = '1'\nb = '2'\n{RULE}"


def test_the_fields_of_the_flowfile_are_logged_too():
    assert logged(b"abc", {}, log_fields=True) == (
        "uuid = '00000000-0000-8010-8000-000000000001', size = 3, "
        "entry time = '2023-11-14T22:13:20.000+00:00', "
        "lineage start = '2023-11-14T22:13:20.000+00:00'"
    )


def test_the_payload_is_cut_and_what_is_no_text_is_escaped():
    entry = logged(b"ab\xffcdefgh", {}, log_payload=True, payload_limit="4 B")
    assert entry == r"payload = 'ab\\xffc… (5 bytes more)'"


def test_data_cannot_forge_a_line():
    assert "\n" not in logged(b"x\ny", {"a\nb": "1\n2"}, log_payload=True)


def test_a_broken_pattern_is_found_at_validation():
    with pytest.raises(ValidationError) as caught:
        LogAttribute.Properties.model_validate({"attributes_to_log_matching": "["})
    assert caught.value.errors()[0]["msg"] == (
        "must be a regular expression; got '[' (unterminated character set at position 0)"
    )
