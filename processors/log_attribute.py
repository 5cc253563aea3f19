"""Write what a FlowFile carries to the log. Source: NiFi ``LogAttribute``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from io import SEEK_END
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flowengine.context import ProcessContext
from flowengine.flowfile import FlowFile
from flowengine.processor import (
    Example,
    Expected,
    Given,
    NifiNote,
    Processor,
    ProcessorProperties,
    Relationship,
)
from flowengine.session import ProcessSession
from flowengine.units import DataSize, parse_size

RULE = "-" * 50


class Level(StrEnum):
    """Level of the log entries."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Format(StrEnum):
    """How an entry is laid out."""

    LINES = "line per attribute"
    ONE = "single line"


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"must be a regular expression; got {pattern!r:.80} ({error})"
        raise PydanticCustomError("regex", "{message}", {"message": message}) from None
    return pattern


Pattern = Annotated[str, AfterValidator(_check_pattern)]


class LogAttribute(Processor):
    """Log the attributes of each FlowFile and, if wanted, the beginning of its content.

    An entry at the processor's bulletin level (by default ``warning``) or above is also shown as a
    bulletin. Control characters are escaped, so that data cannot forge log lines.
    """

    tags = ("log", "attributes", "debug", "print", "inspect")
    nifi = NifiNote(
        "LogAttribute",
        names={
            "level": "Log Level",
            "attributes_to_log_matching": "Attributes to Log by Regular Expression",
            "attributes_to_ignore_matching": "Attributes to Ignore by Regular Expression",
            "log_fields": "Log FlowFile Properties",
        },
        defaults={"payload_limit": "the whole content"},
    )

    class Properties(ProcessorProperties):
        level: Level = Field(Level.INFO, description="Level of the entries.")
        attributes_to_log: tuple[str, ...] = Field(
            (), description="Attributes to log; those that match the pattern are logged too."
        )
        attributes_to_log_matching: Pattern | None = Field(
            None,
            description="Log attributes whose whole name matches this regular expression; by "
            "default all, unless `attributes_to_log` names some.",
        )
        attributes_to_ignore: tuple[str, ...] = Field((), description="Attributes not to log.")
        attributes_to_ignore_matching: Pattern | None = Field(
            None, description="Nor those whose whole name matches this regular expression."
        )
        log_fields: bool = Field(
            True, description="Also log the FlowFile's uuid, size, entry time and lineage start."
        )
        log_payload: bool = Field(False, description="Also log the beginning of the content.")
        payload_limit: DataSize = Field(
            parse_size("1 KB"), description="How much of the content is logged at most."
        )
        log_prefix: str = Field("", description="Text around each entry, to find it by.")
        output_format: Format = Field(Format.LINES, description="How an entry is laid out.")

    success = Relationship("All FlowFiles, unchanged.")

    examples = (
        Example(
            "Show where messages come from",
            properties={
                "attributes_to_log_matching": r"kafka\..*",
                "output_format": "single line",
                "log_prefix": "received",
            },
            given=(Given("hello", {"kafka.topic": "users", "path": "/"}),),
            expect={"success": (Expected("hello", {"kafka.topic": "users", "path": "/"}),)},
        ),
    )

    def __init__(self, properties: Properties) -> None:
        super().__init__(properties)
        log, ignore = (
            re.compile(pattern or "(?!)")
            for pattern in (self._logged_pattern(), properties.attributes_to_ignore_matching)
        )

        @lru_cache(1024)
        def chosen(name: str) -> bool:
            wanted = name in properties.attributes_to_log or log.fullmatch(name)
            unwanted = name in properties.attributes_to_ignore or ignore.fullmatch(name)
            return bool(wanted and not unwanted)

        self._chosen = chosen

    def _logged_pattern(self) -> str | None:
        pattern: str | None = self.properties.attributes_to_log_matching
        return ".*" if pattern is None and not self.properties.attributes_to_log else pattern

    def on_trigger(self, context: ProcessContext, session: ProcessSession) -> None:
        flowfiles = session.get_batch()
        write = getattr(context.log, self.properties.level)
        for flowfile in flowfiles:
            write(self._entry(flowfile, session))
        session.transfer(flowfiles, self.success)

    def _entry(self, flowfile: FlowFile, session: ProcessSession) -> str:
        properties = self.properties
        facts = list(self._facts(flowfile))
        if properties.log_payload:
            facts.append(f"payload = {self._payload(flowfile, session)!r}")
        if properties.output_format is Format.ONE:
            return " ".join(filter(None, [properties.log_prefix, ", ".join(facts)]))
        rule = f"{RULE}{properties.log_prefix}{RULE}" if properties.log_prefix else RULE
        return "\n".join([rule, *facts, rule])

    def _facts(self, flowfile: FlowFile) -> Iterator[str]:
        if self.properties.log_fields:
            yield f"uuid = {flowfile.uuid!r}"
            yield f"size = {flowfile.size}"
            yield f"entry time = {_instant(flowfile.entry_time)!r}"
            yield f"lineage start = {_instant(flowfile.lineage_start)!r}"
        for name in sorted(filter(self._chosen, flowfile.attributes)):
            shown = name if name.isprintable() else repr(name)
            yield f"{shown} = {flowfile.attributes[name]!r}"

    def _payload(self, flowfile: FlowFile, session: ProcessSession) -> str:
        """The beginning of the content as text; what is no UTF-8 stands there as ``\\xff``."""
        limit = self.properties.payload_limit
        with session.open(flowfile) as stream:
            data = stream.read(limit)
            more = stream.seek(0, SEEK_END) - len(data)
        text = data.decode(errors="backslashreplace")
        return f"{text}… ({more} bytes more)" if more else text


def _instant(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat(timespec="milliseconds")
