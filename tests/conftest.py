"""What every test shares: the Hypothesis profile and how many kills a crash test makes."""

import pytest
from hypothesis import settings

pytest_plugins = ["tests.kafka_fixtures"]

# The machine is shared and slow at times: a deadline would measure the neighbours.
settings.register_profile("flowengine", deadline=None, print_blob=True)
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


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often a crash test kills its flow: `--kills`, else by whether it is a campaign."""
    given: int | None = request.config.getoption("--kills")
    if given is not None:
        return given
    in_campaign = request.node.get_closest_marker("campaign") is not None
    return KILLS_IN_CAMPAIGN if in_campaign else KILLS_IN_CI
