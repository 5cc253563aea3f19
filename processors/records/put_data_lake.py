"""Write records as files of a data lake: partitioned, of a bounded size, each there or not at all.

A FlowFile gives for each partition one file, or several when it holds more records than one file
may. Names are made from the FlowFile and the place of the file in it, so a FlowFile that comes
again after a crash (E2) writes the same files again. Small files are avoided before: by
MergeRecord, or by windows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from pydantic import Field

from flowengine.context import ProcessContext
from flowengine.expressions import Expression
from flowengine.flowfile import FlowFile
from flowengine.processor import Example, Expected, Given, NifiNote, Relationship
from flowengine.session import ProcessSession
from processors.records._core.formats import RecordError, RecordFormat
from processors.records._core.processor import READS, RecordProcessor
from processors.records._core.properties import ReadProperties
from processors.records._core.tables import Records
from processors.records._core.values import text_of, value_at
from processors.records._core.writing import write_records

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_SAFE: Final = " -_.+,@"
_NO_NAMES: Final = ("", ".", "..")


class LakeFormat(RecordFormat):  # type: ignore[misc]
    """placeholder"""
