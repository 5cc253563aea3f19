from collections import Counter
from pathlib import Path

import pytest

from tests.crash.flows import Order
from tests.crash.harness import SHARES, Kill, Trial, missing, plan, report

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(600)]


def survive(directory: Path, kills: int) -> tuple[Trial, Counter[int]]:
    """Kill the five-hop flow so often, let it finish, return what was delivered."""
    count = 3000 + 1000 * kills
    trial = Trial(Order("five-hops", str(directory), count, pause=0.02))
    moments = plan("five-hops", kills)
    for moment in moments:
        trial.kill(moment)
    trial.finish()
    report("five hops", moments, trial.delivered(), trial)
    return trial, trial.delivered()


def test_ten_kills_per_flow_hit_each_moment_five_times():
    hits = Counter(kill.point for flow in SHARES for kill in plan(flow, kills=10))
    del hits["outside"]
    assert all(count >= 5 for count in hits.values())
    assert len(hits) == 5


def test_a_killed_flow_delivers_every_record(tmp_path, kills):
    trial, delivered = survive(tmp_path, kills)
    files = {int(path.name) for path in (tmp_path / "sink").iterdir() if path.name[0] != "."}
    assert missing(delivered, trial.order.count) == []
    assert files == set(range(trial.order.count))
    assert delivered.total() - len(delivered) <= trial.allowed()


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_flow_killed_many_times_delivers_every_record(tmp_path, kills):
    trial, delivered = survive(tmp_path, kills)
    assert missing(delivered, trial.order.count) == []
    assert delivered.total() - len(delivered) <= trial.allowed()


@pytest.mark.parametrize("passage", [1, 2, 3, 4])
def test_a_kill_while_a_finished_flow_opens_again_does_not_make_it_an_interrupted_one(
    tmp_path, passage
):
    trial = Trial(Order("five-hops", str(tmp_path), 50))
    trial.finish()
    trial.kill(Kill("recovery", passage))
    trial.finish()
    assert trial.delivered() == Counter(dict.fromkeys(range(50), 2))
