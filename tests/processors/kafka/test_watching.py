"""The watchdog, the roll of members, and the words for what aiokafka logs."""

import logging

import pytest
from aiokafka import TopicPartition

from processors.kafka.client_log import logging_to, translate
from processors.kafka.membership import Membership, MemberState, Roll
from processors.kafka.positions import Reset
from processors.kafka.watchdog import JoinAgain, Watchdog

PARTITION = TopicPartition("t", 0)


def membership(**changes):
    usual = {
        "group": "g",
        "client": "consume",
        "topics": ("t",),
        "pattern": None,
        "reset": Reset.EARLIEST,
        "max_records": 10,
        "session_timeout": 6_000_000,
        "heartbeat_interval": 500_000,
        "max_poll_interval": 300_000_000,
    }
    return Membership(**(usual | changes))


def test_a_member_without_progress_joins_again_and_says_why():
    watchdog = Watchdog(30)
    watchdog.check(0, {PARTITION: 5}, {PARTITION: 9}, excused=False)
    watchdog.check(30, {PARTITION: 5}, {PARTITION: 9}, excused=False)
    with pytest.raises(JoinAgain) as caught:
        watchdog.check(31, {PARTITION: 5}, {PARTITION: 9}, excused=False)
    assert str(caught.value) == (
        "no record of partition 't/0' from offset 5 for 30 s, although it ends at 9"
    )


@pytest.mark.parametrize(
    ("position", "end", "excused"), [(6, 9, False), (9, 9, False), (5, 9, True)]
)
def test_progress_the_end_or_an_excuse_begin_patience_anew(position, end, excused):
    watchdog = Watchdog(30)
    watchdog.check(0, {PARTITION: 5}, {PARTITION: 9}, excused=False)
    watchdog.check(29, {PARTITION: position}, {PARTITION: end}, excused=excused)
    watchdog.check(58, {PARTITION: position}, {PARTITION: 9}, excused=False)


def test_letting_go_takes_a_fifth_of_the_poll_interval_and_five_seconds_at_most():
    assert membership(max_poll_interval=10_000_000).budget == 2.0
    assert membership().budget == 5.0


def test_members_have_names_and_static_ids_of_their_own():
    options = membership(static_id="runner-a").options(1)
    assert (options["client_id"], options["group_instance_id"]) == ("consume-2", "runner-a-2")
    assert membership().options(0)["group_instance_id"] is None


def test_the_report_shows_who_has_what_and_who_is_idle():
    reported = {}
    roll = Roll(membership(), lambda **figures: reported.update(figures))
    roll.tell(0, MemberState.READING, ["t/0"], {"t/0": 3}, {"t/0": 9})
    roll.tell(1, MemberState.IDLE, [], {}, {})
    roll.tell(0, MemberState.PAUSED, ["t/0"], {"t/0": 4}, {})
    assert reported == {
        "group": "g",
        "members": [
            {"member": "consume-1", "state": "paused", "partitions": ["t/0"]},
            {"member": "consume-2", "state": "idle", "partitions": []},
        ],
        "assignment": {"t/0": "consume-1"},
        "committed": {"t/0": 4},
        "end": {"t/0": 9},
        "lag": {"t/0": 5},
    }


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ("Heartbeat failed for group g because it is rebalancing", "debug"),
        ("Group Coordinator Request failed: [Error 15] GroupCoordinatorNotAvailableError", "debug"),
        ("Unable connect to node with id 1: [Errno 111]", "info"),
        ("Heartbeat session expired - marking coordinator dead", "warning"),
        ("Not authorized to read from topic t.", "warning"),
    ],
)
def test_what_is_normal_is_quiet(message, level):
    assert translate(message, logging.ERROR)[0] == level


def test_an_unknown_error_is_a_warning_and_an_unknown_warning_is_not_shown():
    assert translate("boom", logging.ERROR) == ("warning", "kafka client: boom")
    assert translate("hm", logging.WARNING) == ("debug", "kafka client: hm")


class Notes:
    def __init__(self):
        self.said = []

    def debug(self, message):
        self.said.append(("debug", message))

    info = warning = error = debug


def test_a_record_goes_to_the_component_whose_task_wrote_it():
    notes, logger = Notes(), logging.getLogger("aiokafka.consumer")
    logger.warning("before")
    with logging_to(notes):
        logger.warning("during %s", "it")
    logger.warning("after")
    assert notes.said == [("debug", "kafka client: during it")]
