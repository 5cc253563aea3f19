"""What tests of Kafka share beyond the brokers."""

import gc
from collections.abc import Iterator

import pytest

REFUSING = {"secured", "mutual"}


@pytest.fixture(autouse=True)
def collected(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a refused login aiokafka leaves a socket to the collector: have it found here, and not
    in the middle of a later import, which Python 3.11 does not survive."""
    yield
    if REFUSING & set(request.fixturenames):
        gc.collect()
