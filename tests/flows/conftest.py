"""What the tests of the shipped flows share."""

import pytest

from tests.flows.running import Stage


@pytest.fixture
def stage(kafka, tmp_path):
    """A folder for one test, in which ``local`` is the broker of the session."""
    return Stage(kafka, tmp_path)
