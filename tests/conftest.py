"""What every test shares: the Hypothesis profile and how many kills a crash test makes."""

import gc

import pytest
from hypothesis import settings

pytest_plugins = ["tests.kafka_fixtures"]

# The machine is shared and slow at times: a deadline would measure the neighbours.
settings.register_profile("flowengine", deadline=None, print_blob=True)
settings.register_profile("quick", settings.get_profile("flowengine"), max_examples=20)
settings.load_profile("flowengine")

KILLS_IN_CI = 10
KILLS_IN_CAMPAIGN = 50


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills",
        type=int,
        default=None,
        help=f"kills per flow in crash tests ({KILLS_IN_CI}; {KILLS_IN_CAMPAIGN} in the campaign)",
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is imported by now stays: engines of tests need not look through it at each start."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """It ends, too: DuckDB complains of what outlives it."""
    gc.unfreeze()


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often a crash test kills its flow: `--kills`, else by whether it is a campaign."""
    given: int | None = request.config.getoption("--kills")
    if given is not None:
        return given
    in_campaign = request.node.get_closest_marker("campaign") is not None
    return KILLS_IN_CAMPAIGN if in_campaign else KILLS_IN_CI
