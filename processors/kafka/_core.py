"""What PublishKafka and ConsumeKafka share: key encodings, attribute names, service lookup."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
from flowengine.errors import DefinitionError
from processors.kafka.connection import KafkaConnection

TOPIC: Final = "kafka.topic"
PARTITION: Final = "kafka.partition"
OFFSET: Final = "kafka.offset"
LAST_OFFSET: Final = "kafka.max.offset"
TIMESTAMP: Final = "kafka.timestamp"
KEY: Final = "kafka.key"
TOMBSTONE: Final = "kafka.tombstone"
COUNT: Final = "kafka.count"
CONSUMER: Final = "kafka.consumer"
HEADER_COUNT: Final = "kafka.header.count"
MESSAGE_COUNT: Final = "msg.count"


class KeyEncoding(StrEnum):
    """How the bytes of a key stand in an attribute."""

    UTF_8 = "utf-8"
    HEX = "hex"
    NONE = "do not add"


def _check_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        message = f"must be a regular expression; got {text!r:.80}: {error}"
        raise PydanticCustomError("pattern", "{message}", {"message": message}) from None
    return text


Pattern = Annotated[str, AfterValidator(_check_pattern)]


def kafka_connection(context: ProcessContext, name: str) -> KafkaConnection:
    """The service that a processor's 'connection' names. Raises DefinitionError."""
    service = context.service(name)
    if not isinstance(service, KafkaConnection):
        raise DefinitionError(
            f"processor {context.id!r} ({context.type}): property 'connection' must name a "
            f"KafkaConnection; got {name!r}, a {type(service).__name__}"
        )
    return service
