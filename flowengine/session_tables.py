"""The part of a session that reads and writes decoded contents: Arrow tables, without parsing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from flowengine.arrow_content import ArrowContent, in_memory, stream_size, write_stream
from flowengine.arrow_text import TextForm
from flowengine.content import INLINE_LIMIT, ContentWriter, FileContent
from flowengine.flowfile import FlowFile

if TYPE_CHECKING:
    from flowengine.commit import Work
    from flowengine.node import Core


class SessionTables:
    """Base of :class:`flowengine.session.ProcessSession`.

    Who writes a table says with a :class:`TextForm` what its bytes are, and has had them checked
    (:func:`flowengine.arrow_text.check`): sinks and viewers get that text, whenever they ask.
    """

    work: Work
    _core: Core
    _created_bytes: int

    if TYPE_CHECKING:

        def create(
            self,
            content: bytes = b"",
            attributes: Mapping[str, str] | None = None,
            *,
            parent: FlowFile | None = None,
        ) -> FlowFile: ...

        def _new_content(self) -> ContentWriter: ...

        def _finish(self, writer: ContentWriter) -> bytes | FileContent: ...

    def form(self, flowfile: FlowFile) -> TextForm | None:
        """What the text of a decoded content is; None for a content that is bytes."""
        content = flowfile.content
        return None if isinstance(content, bytes) else content.form

    def read_table(self, flowfile: FlowFile) -> Any:
        """The Arrow table of a decoded content; None for a content that is bytes."""
        table = self._core.contents.table(flowfile.content)
        if table is not None:
            self.work.bytes_read += flowfile.size
        return table

    def write_table(self, flowfile: FlowFile, table: Any, form: TextForm) -> FlowFile:
        """A FlowFile with this table as its content."""
        content = self._hold(table, form)
        self.work.bytes_written += content.size
        return flowfile.with_content(content)

    def create_table(
        self,
        table: Any,
        form: TextForm,
        attributes: Mapping[str, str] | None = None,
        *,
        parent: FlowFile | None = None,
    ) -> FlowFile:
        """A new FlowFile with this table as its content; see ``create``."""
        content = self._hold(table, form)
        made = self.create(b"", attributes, parent=parent)
        made.content, made.size = content, content.size
        self.work.bytes_written += content.size
        self._created_bytes += content.size
        return made

    def _hold(self, table: Any, form: TextForm) -> ArrowContent | FileContent:
        """In memory, or as an Arrow stream in a content file."""
        size = stream_size(table)
        if size <= INLINE_LIMIT:
            return in_memory(table, form, size)
        writer = self._new_content()
        try:
            write_stream(table, writer)
        except BaseException:
            writer.discard()
            raise
        kept = self._finish(writer)
        if isinstance(kept, bytes):
            raise AssertionError("a stream above the limit lies in a file")
        return msgspec.structs.replace(kept, form=form)
