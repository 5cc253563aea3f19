"""Parquet files: only the chosen columns, only row groups that may hold a row that passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from processors.read_data_lake.filters import RowFilter
from processors.read_data_lake.records import Broken, BrokenFile, Place, Record

_ROWS = 4096  # per batch that is turned into Python values
_INDEX = "__flowengine_row__"


class ParquetReader:
    """The rows of a Parquet file as records; the filter has been applied to them."""

    filtered = True

    def __init__(
        self,
        system: Any,
        path: str,
        place: Place,
        columns: Sequence[str] | None,
        row_filter: RowFilter | None,
        partitions: Mapping[str, Any],
    ) -> None:
        import pyarrow.dataset as ds
        import pyarrow.parquet as pq

        self._place = place
        try:
            self._fragment = ds.ParquetFileFormat().make_fragment(path, filesystem=system)
            metadata = self._fragment.metadata
            self._file = pq.ParquetFile(system.open_input_file(path), metadata=metadata)
        except (OSError, ValueError) as error:
            raise _broken(error, "file") from error
        self.schema = self._file.schema_arrow
        self._partitions = partitions
        self._filter = self._expression(row_filter)
        self._columns = self._chosen(columns, row_filter)

    @property
    def place(self) -> Place:
        """How far it has come."""
        return self._place

    def _chosen(
        self, columns: Sequence[str] | None, row_filter: RowFilter | None
    ) -> list[str] | None:
        """The columns to read: those that are needed and exist, by their first name."""
        if columns is None:
            return None
        wanted = [*columns, *(row_filter.columns if row_filter else ())]
        names = dict.fromkeys(self._top(name) for name in wanted)
        return [name for name in names if name in self.schema.names]

    def _top(self, name: str) -> str:
        return name if name in self.schema.names else name.partition(".")[0]

    # -- the filter ----------------------------------------------------------------------------

    def _expression(self, row_filter: RowFilter | None) -> Any:
        return None if row_filter is None else row_filter.arrow(self._column, self._literal)

    def _column(self, name: str) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = self._kind(name)
        if kind is not None:
            return pc.field(name) if name in self.schema.names else pc.field(*name.split("."))
        value = self._partitions.get(name)
        return pc.scalar(pa.scalar(None, pa.bool_()) if value is None else value)

    def _kind(self, name: str) -> Any:
        """The Arrow type of a column, or None where the file has no such column."""
        if name in self.schema.names:
            return self.schema.field(name).type
        kind: Any = None
        for index, part in enumerate(name.split(".")):
            fields = self.schema if index == 0 else kind
            names = fields.names if index == 0 else _field_names(fields)
            if part not in names:
                return None
            kind = fields.field(part).type
        return kind

    def _literal(self, name: str, value: Any) -> Any:
        """A value beside a column: a text becomes a time where the column holds times."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = self._kind(name)
        if kind is None and self._partitions.get(name) is None:
            return pc.scalar(pa.scalar(None, pa.bool_()))
        if kind is not None and isinstance(value, str) and pa.types.is_temporal(kind):
            moment = _moment(value, kind)
            return pc.scalar(pa.scalar(moment).cast(kind) if moment is not None else value)
        return pc.scalar(value)

    # -- reading -------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Record | Broken]:
        wanted = self._groups()
        first = 0
        for group in range(self._file.num_row_groups):
            count = self._file.metadata.row_group(group).num_rows
            if group in wanted and first + count > self._place.row:
                yield from self._group(group, first)
            first += count
            if first > self._place.row:
                self._place = Place(first)

    def _groups(self) -> set[int]:
        """Row groups whose statistics do not exclude every row."""
        if self._filter is None:
            return set(range(self._file.num_row_groups))
        try:
            parts = self._fragment.split_by_row_group(self._filter, schema=self.schema)
        except (ValueError, NotImplementedError):  # the filter of the rows says what is wrong
            return set(range(self._file.num_row_groups))
        return {group.id for part in parts for group in part.row_groups}

    def _group(self, group: int, first: int) -> Iterator[Record]:
        done = self._place.row
        try:
            for batch in self._file.iter_batches(_ROWS, row_groups=[group], columns=self._columns):
                start, first = first, first + batch.num_rows
                if first > done:
                    yield from self._rows(batch, start, done)
        except (OSError, ValueError, NotImplementedError) as error:
            raise _broken(error, "rows") from error

    def _rows(self, batch: Any, start: int, done: int) -> Iterator[Record]:
        import pyarrow as pa

        table = pa.Table.from_batches([batch])
        index = pa.array(range(start + 1, start + 1 + table.num_rows), pa.int64())
        table = table.append_column(_INDEX, index).slice(max(done - start, 0))
        if self._filter is not None:
            table = table.filter(self._filter)
        for fields in table.to_pylist():
            row = fields.pop(_INDEX)
            self._place = Place(row)
            yield Record(row, 0, fields)

    def close(self) -> None:
        """Close the file."""
        self._file.close(force=True)


def _field_names(kind: Any) -> list[str]:
    fields = getattr(kind, "num_fields", 0)
    return [kind.field(index).name for index in range(fields)] if hasattr(kind, "fields") else []


def _moment(value: str, kind: Any) -> Any:
    """A text in ISO 8601 as a time of the column's kind, or None."""
    import pyarrow as pa

    try:
        if pa.types.is_date(kind):
            return date.fromisoformat(value)
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    zoned = getattr(kind, "tz", None) is not None
    return moment.astimezone() if zoned and moment.tzinfo is None else moment


def _broken(error: BaseException, what: str) -> BrokenFile:
    text = str(error).partition("\n")[0]
    return BrokenFile(f"Parquet {what} must be readable; got {text}")
