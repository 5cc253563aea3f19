"""What two looks at a group say has happened between them."""

from __future__ import annotations

from processors.kafka.lens.sightings import EVENTS, Sighting, differences


def member(name, *partitions, instance=None):
    places = [{"topic": "t", "partition": number} for number in partitions]
    return {"id": f"id-{name}", "client_id": name, "instance_id": instance, "partitions": places}


def group(*members):
    return {each["id"]: each for each in members}


def test_nothing_happened_when_both_looks_are_the_same():
    now = group(member("a", 0), member("b", 1))
    assert differences("Stable", now, "Stable", now) == []


def test_who_left_and_who_joined_is_told_before_the_new_shares():
    old, new = group(member("a", 0, 1)), group(member("b", 0, 1))
    assert differences("Stable", old, "Stable", new) == [
        ("left", "a left"),
        ("joined", "b joined"),
        ("rebalanced", "b: t/0 t/1"),
    ]


def test_shares_are_told_once_the_group_is_stable_and_name_who_is_idle():
    old, new = group(member("a", 0)), group(member("a", 0), member("b"))
    assert differences("Stable", old, "PreparingRebalance", new) == [
        ("joined", "b joined"),
        ("state", "Stable → PreparingRebalance"),
    ]
    assert differences("Stable", old, "Stable", new)[-1] == ("rebalanced", "a: t/0, b: idle")


def test_a_static_member_goes_by_its_instance():
    new = group(member("client", 0, instance="left-door"))
    assert ("joined", "left-door joined") in differences("Empty", {}, "Stable", new)


def look(state):
    return {"state": state, "protocol_type": "consumer", "members": []}


def test_the_first_look_is_no_event_and_the_oldest_events_are_forgotten():
    sighting = Sighting()
    sighting.see(look("Empty"))
    assert list(sighting.events) == []
    for number in range(EVENTS + 10):
        sighting.see(look("Stable" if number % 2 else "Dead"))
    assert len(sighting.events) == EVENTS
