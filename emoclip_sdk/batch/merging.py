"""From the rows that several runs have left to one table: the latest of each video, in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..export.tables import require_pyarrow
from .baselines import PersonBaselines, is_compared
from .people import StudyPeople

if TYPE_CHECKING:
    import pyarrow

__all__ = ["MergedTables", "conformed", "require_parquet"]


@dataclass(frozen=True)
class _Group:
    """Rows in memory or on disk.

    Attributes
    ----------
    source : str
        Their video, where it is one.
    listed : list of str
        Columns that came from a manifest in an earlier run.
    place : table of pyarrow, or (file, number of the row group, columns)
    """

    source: str
    listed: list[str]
    place: Any

    def read(self) -> pyarrow.Table:
        """Return the rows."""
        if not isinstance(self.place, tuple):
            return self.place
        path, number, columns = self.place
        with require_parquet().ParquetFile(path) as file:
            return file.read_row_group(number, columns=columns)

    def ordered(self, place: Mapping[str, int]) -> _Group:
        """Return them in the order of their videos; those without a place come first."""
        table = self.read()
        places = [place.get(source, -1) for source in table["source"].to_pylist()]
        table = table.take(sorted(range(len(places)), key=places.__getitem__))
        return dataclasses.replace(self, place=table)


class MergedTables:
    """The tables that make one output. They are read while they are asked for.

    Parameters
    ----------
    files : sequence of Path
        Parquet files, from the oldest to the newest.
    schema : pyarrow.Schema
        Columns of the rows.
    columns, order, baselines, people
        As of :meth:`ResultStore.merge`.
    many_rows : bool
        Each row group holds one video, and gives one table. Else all rows are one table.

    Attributes
    ----------
    schema : pyarrow.Schema
        Columns of the tables: those of the rows, of the manifest, and what is compared.
    """

    def __init__(
        self,
        files: Sequence[Path],
        schema: pyarrow.Schema,
        columns: Mapping[str, Mapping[str, str]],
        order: Literal["input", "completed"],
        baselines: PersonBaselines | None,
        people: StudyPeople | None = None,
        *,
        many_rows: bool,
    ) -> None:
        pa = require_pyarrow()
        self._columns = columns
        self._baselines = baselines
        self._people = people
        groups = _newest_groups(files, schema) if many_rows else [_newest_rows(files, schema)]
        if order == "input":
            place = {source: i for i, source in enumerate(columns)}
            if many_rows:
                groups.sort(key=lambda group: place.get(group.source, -1))
            else:
                groups = [group.ordered(place) for group in groups]
        self._groups = groups
        earlier = (name for group in groups for name in group.listed)
        now = (name for more in columns.values() for name in more)
        self._listed = list(dict.fromkeys([*earlier, *now]))
        compared = [] if baselines is None else baselines.fields()
        texts = [pa.field(name, pa.string()) for name in self._listed]
        own = schema if people is None else people.finished(schema)
        self.schema = pa.schema([*own, *texts, *compared], schema.metadata)

    def __iter__(self) -> Iterator[pyarrow.Table]:
        means = {} if self._baselines is None else self._baselines.means(self._tables())
        who = {} if self._people is None else self._people.joined(self._tables())
        for table in self._tables():
            if self._baselines is not None:
                table = self._baselines.changed(table, means)
            yield table if self._people is None else self._people.named(table, who)

    def _tables(self) -> Iterator[pyarrow.Table]:
        return (_with_columns(group.read(), self._listed, self._columns) for group in self._groups)


def _newest_rows(files: Sequence[Path], schema: pyarrow.Schema) -> _Group:
    """Return the latest rows of every video, in the order in which they came."""
    pa = require_pyarrow()
    seen: set[str] = set()
    newest: list[pyarrow.Table] = []
    for file in reversed(files):
        table = require_parquet().read_table(file)
        # What is compared is compared anew.
        table = table.select([name for name in table.column_names if not is_compared(name)])
        sources = table["source"].to_pylist()
        latest = [source not in seen for source in sources]
        newest.append(table.filter(pa.array(latest, pa.bool_())))
        seen.update(sources)
    newest = newest or [schema.empty_table()]
    table = pa.concat_tables(newest[::-1], promote_options="default")
    return _Group("", _listed(table.column_names, schema), table)


def _newest_groups(files: Sequence[Path], schema: pyarrow.Schema) -> list[_Group]:
    """Return the latest row group of every video, in the order in which they came."""
    groups: dict[str, _Group] = {}
    for path in files:
        with require_parquet().ParquetFile(path) as file:
            listed = _listed(file.schema_arrow.names, schema)
            for i in range(file.num_row_groups):
                source = file.read_row_group(i, columns=["source"])["source"][0].as_py()
                groups.pop(source, None)
                groups[source] = _Group(source, listed, (path, i, [*schema.names, *listed]))
    return list(groups.values())


def _listed(names: Iterable[str], schema: pyarrow.Schema) -> list[str]:
    """Return the columns of a file that came from a manifest."""
    own = set(schema.names)
    return [name for name in names if name not in own and not is_compared(name)]


def _with_columns(
    table: pyarrow.Table, names: Iterable[str], columns: Mapping[str, Mapping[str, str]]
) -> pyarrow.Table:
    """Add what the manifest says; a video that it doesn't name keeps what an earlier one said."""
    pa = require_pyarrow()
    sources = table["source"].to_pylist()
    said = {name for more in columns.values() for name in more}
    for name in names:
        old = table[name].to_pylist() if name in table.column_names else [None] * len(sources)
        values = [
            # An empty cell is what is missing in CSV; here that is null.
            (columns[source].get(name) or None) if name in said and source in columns else before
            for source, before in zip(sources, old, strict=True)
        ]
        if name in table.column_names:
            table = table.drop_columns([name])
        table = table.append_column(name, pa.array(values, pa.string()))
    return table


def conformed(table: pyarrow.Table, schema: pyarrow.Schema) -> pyarrow.Table:
    """Return a table with all columns of a schema, in its order; null where it has none."""
    pa = require_pyarrow()
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def require_parquet() -> Any:
    """Import pyarrow.parquet.

    Raises
    ------
    MissingDependencyError
        It is not installed.
    """
    require_pyarrow()
    import pyarrow.parquet

    return pyarrow.parquet
