"""What a person's rows are compared with: the rows of a file of the same person, named in a list.

Nothing has to be kept for it beside the table: a baseline is the mean of rows that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BatchError
from ..export.tables import require_pyarrow

if TYPE_CHECKING:
    import pyarrow

__all__ = ["BASELINE_FOR", "BaselineMean", "PersonBaselines", "is_compared", "person_column"]

BASELINE_FOR = "baseline_for"
"""The column that says for which person a line is the baseline."""
_PERSONS = ("participant", "subject", "person")
_SOURCE = "baseline_source"


def person_column(lines: Sequence[Mapping[str, str]]) -> str | None:
    """Return the column of persons: the one that holds all that `BASELINE_FOR` names.

    None where no line is a baseline.

    Parameters
    ----------
    lines : sequence of mapping of str to str
        Of a manifest or a list of events, by columns.

    Raises
    ------
    BatchError
        No column holds them, or several do.
    """
    persons = {line.get(BASELINE_FOR, "").strip() for line in lines} - {""}
    if not persons:
        return None
    names = dict.fromkeys(name for line in lines for name in line if name != BASELINE_FOR)
    held = {name: {line.get(name, "").strip() for line in lines} for name in names}
    matches = [name for name in names if persons <= held[name]]
    if len(matches) > 1:
        matches = [name for name in matches if name.lower() in _PERSONS] or matches
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise BatchError(
            f"{BASELINE_FOR} names persons who are in several columns: {', '.join(matches)}. Call "
            "the column of persons 'participant'"
        )
    closest = max(names, key=lambda name: len(persons & held[name]), default=None)
    unknown = sorted(persons - (held[closest] if closest is not None else set()))
    raise BatchError(
        f"{BASELINE_FOR} names persons, as another column does; "
        + (
            f"'{unknown[0]}' is not in column '{closest}'"
            if closest
            else "there is no other column"
        )
    )


def is_compared(column: str) -> bool:
    """Whether a column is one that :class:`PersonBaselines` adds."""
    return column == _SOURCE or column.startswith("change:")


@dataclass
class BaselineMean:
    """What the rows of a baseline are in the mean.

    Attributes
    ----------
    sources : dict of str to None
        Names of their videos, in order.
    total, count : ndarray, (N,)
        Sum of each compared column over the rows that have it, and how many do.
    """

    sources: dict[str, None]
    total: NDArray[np.float64]
    count: NDArray[np.int64]

    @property
    def values(self) -> NDArray[np.float64]:
        """The means; NaN where no row has a value."""
        return np.where(self.count > 0, self.total / np.maximum(self.count, 1), np.nan)


@dataclass(frozen=True)
class PersonBaselines:
    """Compares the rows of each person with the mean of this person's baseline.

    The most prominent face of each file counts.

    Attributes
    ----------
    person : str
        The column of persons.
    compared : mapping of str to str
        Columns with values, and the columns that say what differs.
    """

    person: str
    compared: Mapping[str, str]

    def fields(self) -> list[pyarrow.Field]:
        """Return the columns that :meth:`changed` adds."""
        pa = require_pyarrow()
        names = self.compared.values()
        return [pa.field(_SOURCE, pa.string()), *(pa.field(name, pa.float64()) for name in names)]

    def means(self, tables: Iterable[pyarrow.Table]) -> dict[str, BaselineMean]:
        """Return the baseline of each person who has one."""
        means: dict[str, BaselineMean] = {}
        for table in tables:
            persons = np.array(_texts(table, BASELINE_FOR), object)
            persons[~_prominent(table)] = ""
            for person in dict.fromkeys(persons[persons != ""].tolist()):
                rows = persons == person
                values = self._values(table)[rows]
                known = ~np.isnan(values)
                mean = means.setdefault(
                    person,
                    BaselineMean(
                        {}, np.zeros(len(self.compared)), np.zeros(len(self.compared), np.int64)
                    ),
                )
                mean.sources.update(dict.fromkeys(np.array(_texts(table, "source"))[rows].tolist()))
                mean.total += np.where(known, values, 0.0).sum(axis=0)
                mean.count += known.sum(axis=0)
        return means

    def changed(self, table: pyarrow.Table, means: Mapping[str, BaselineMean]) -> pyarrow.Table:
        """Return a table with what differs from the baseline of each row's person."""
        pa = require_pyarrow()
        values = self._values(table)
        reference = np.full_like(values, np.nan)
        sources: list[str | None] = [None] * len(values)
        for i, (person, counts) in enumerate(
            zip(_texts(table, self.person), _prominent(table), strict=True)
        ):
            if counts and person in means:
                reference[i] = means[person].values
                sources[i] = "; ".join(means[person].sources)
        columns: list[Any] = [pa.array(sources, pa.string())]
        columns += [pa.array(each, from_pandas=True) for each in (values - reference).T]
        for column, array in zip(self.fields(), columns, strict=True):
            table = table.append_column(column, array)
        return table

    def _values(self, table: pyarrow.Table) -> NDArray[np.float64]:
        columns = [table[name].to_numpy(zero_copy_only=False) for name in self.compared]
        return np.stack([column.astype(np.float64) for column in columns], axis=1)


def _texts(table: pyarrow.Table, name: str) -> list[str]:
    if name not in table.column_names:
        return [""] * table.num_rows
    return [(text or "").strip() for text in table[name].to_pylist()]


def _prominent(table: pyarrow.Table) -> NDArray[np.bool_]:
    return np.array([flag is True for flag in table["prominent"].to_pylist()], bool)
