"""Every step that can fail is named, in time."""

from __future__ import annotations

import asyncio
import time

import pytest

from flowengine.inspection import InspectionError, Refusal
from processors.kafka.lens.lens import lens
from tests.processors.kafka.running import connection_to


async def refused(connection, question):
    async with lens(connection) as opened:
        with pytest.raises(InspectionError) as caught:
            await opened.answer(question, {})
    return caught.value


def refusal(connection, question="cluster"):
    return asyncio.run(refused(connection, question))


@pytest.mark.parametrize(
    ("bootstrap", "properties", "step"),
    [
        ("no-such-host.invalid:9092", {}, "name resolution"),
        ("127.0.0.1:9", {}, "tcp connection"),
        ("127.0.0.1:9", {"security_protocol": "SSL", "tls_ca_file": "/none.pem"}, "configuration"),
    ],
)
def test_the_step_that_fails_is_named(bootstrap, properties, step):
    began = time.monotonic()
    error = refusal(connection_to(bootstrap, **properties))
    assert time.monotonic() - began < 10
    assert error.refusal is Refusal.UNREACHABLE
    assert f"must pass the step '{step}'; got " in str(error)


def test_tls_that_a_plain_broker_does_not_speak_is_named(kafka):
    error = refusal(connection_to(kafka.bootstrap, security_protocol="SSL"))
    assert "must pass the step 'tls handshake'; got " in str(error)


def test_a_question_that_nobody_knows_is_invalid():
    error = refusal(connection_to("127.0.0.1:9"), "weather")
    assert error.refusal is Refusal.INVALID
    assert str(error).startswith("question about a Kafka cluster must be one of cluster, topics, ")
