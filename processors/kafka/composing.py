"""From FlowFiles to messages: topic, key, headers and values of each, as columns of an outbox."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flowengine.content import FileContent
from flowengine.expressions import Expression
from flowengine.flowfile import FlowFile
from flowengine.session import ProcessSession
from processors.kafka._core import KEY, TOMBSTONE, KeyEncoding
from processors.kafka.outbox import NO_HEADERS, Headers, Outbox
from processors.kafka.payload import PayloadError, Splitting, split, split_stream
from processors.kafka.receipts import Receipts


@dataclass(frozen=True)
class Composition:
    """What PublishKafka's properties say about messages.

    key:       None takes the attribute kafka.key
    partition: None unless the partitioner is the expression
    limit:     size in bytes above which a content that is one message is not even read
    """

    topic: Expression
    key: Expression | None
    key_encoding: KeyEncoding
    partition: Expression | None
    messages: Splitting
    demarcator: bytes
    header_pattern: str | None
    limit: int


class Composer:
    """Makes outboxes. Created once, used by every trigger."""

    def __init__(self, form: Composition) -> None:
        self._form = form
        self._is_header = lru_cache(4096)(re.compile(form.header_pattern or "").fullmatch)

    def outboxes(
        self, session: ProcessSession, flowfiles: list[FlowFile], receipts: Receipts
    ) -> Iterator[Outbox]:
        """Normally one; a content in a file that holds many messages goes out in parts."""
        form = self._form
        topics = receipts.evaluate(form.topic)
        texts = receipts.evaluate(form.key) if form.key else _key_attributes(flowfiles)
        keys = self._keys(texts, receipts)
        places: list[str | None] = [None] * len(flowfiles)
        if form.partition:
            places = receipts.evaluate(form.partition)
        headers = self._headers(flowfiles)
        outbox = Outbox(topics, keys, places, headers)
        if not receipts.problems and self._is_plain(flowfiles):
            outbox.add_all([_value(session, flowfile) for flowfile in flowfiles])
            yield outbox
            return
        for owner, flowfile in enumerate(flowfiles):
            if owner in receipts.problems:
                continue
            for number, values in enumerate(self._parts(session, owner, flowfile, receipts)):
                if number:
                    yield outbox
                    outbox = Outbox(topics, keys, places, headers)
                    if owner in receipts.problems:  # its first part was not delivered
                        break
                outbox.add(owner, values)
        if len(outbox):
            yield outbox

    def _is_plain(self, flowfiles: list[FlowFile]) -> bool:
        """Whether each FlowFile is one message that lies in memory."""
        if self._form.messages is not Splitting.WHOLE:
            return False
        return not any(isinstance(flowfile.content, FileContent) for flowfile in flowfiles)

    def _parts(
        self, session: ProcessSession, owner: int, flowfile: FlowFile, receipts: Receipts
    ) -> Iterator[Sequence[bytes | None]]:
        """The messages of one FlowFile, in one list unless its content is a large file."""
        form, size = self._form, flowfile.size
        if not size and flowfile.attributes.get(TOMBSTONE) == "true":
            yield [None]
            return
        try:
            if not isinstance(flowfile.content, FileContent):
                yield split(session.read(flowfile), form.messages, form.demarcator)
            elif form.messages is Splitting.WHOLE and size > form.limit:
                rule = f"message must be at most {form.limit} B ('max_request_size'); got {size} B"
                receipts.refuse(owner, "MessageSizeTooLargeError", rule)
            else:
                with session.open(flowfile) as stream:
                    yield from split_stream(stream, form.messages, form.demarcator)
        except PayloadError as error:
            receipts.refuse(owner, "PayloadError", str(error))

    def _keys(self, texts: list[str | None], receipts: Receipts) -> list[bytes | None]:
        encoding = self._form.key_encoding
        if encoding is KeyEncoding.UTF_8:
            return [text.encode() if text else None for text in texts]
        if encoding is KeyEncoding.NONE:
            return [None] * len(texts)
        return [self._from_hex(owner, text, receipts) for owner, text in enumerate(texts)]

    def _from_hex(self, owner: int, text: str | None, receipts: Receipts) -> bytes | None:
        try:
            return bytes.fromhex(text) if text else None
        except ValueError:
            rule = f"key must be hexadecimal ('key_encoding'); got {text!r:.80}"
            receipts.refuse(owner, "KeyEncodingError", rule)
            return None

    def _headers(self, flowfiles: list[FlowFile]) -> list[Headers]:
        if self._form.header_pattern is None:
            return [NO_HEADERS] * len(flowfiles)
        matches = self._is_header
        return [
            [(name, value.encode()) for name, value in f.attributes.items() if matches(name)]
            for f in flowfiles
        ]


def _key_attributes(flowfiles: list[FlowFile]) -> list[str | None]:
    return [flowfile.attributes.get(KEY) for flowfile in flowfiles]


def _value(session: ProcessSession, flowfile: FlowFile) -> bytes | None:
    if not flowfile.size and flowfile.attributes.get(TOMBSTONE) == "true":
        return None
    return session.read(flowfile)
