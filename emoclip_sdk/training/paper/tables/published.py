"""The paper's figures, from the one file that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import yaml

from ....assets import package_file

__all__ = ["Claim", "Figure3", "ModelKind", "Published", "PublishedRow", "Table", "published"]


@dataclass(frozen=True)
class ModelKind:
    """What a key under ``models`` in roots.yaml stands for.

    Attributes
    ----------
    kind : {"checkpoint", "probe", "loco"}
        A model; the folder of a probe; the folder of a leave-one-class-out experiment's figures.
    what : str
        What it is or which command makes it.
    trained_on : str, optional
        A dataset; "each": there is one for each dataset. None: public weights.
    """

    kind: Literal["checkpoint", "probe", "loco"]
    what: str
    trained_on: str | None = None


@dataclass(frozen=True)
class PublishedRow:
    """A row of a table.

    Attributes
    ----------
    cells : mapping of str to str or bool
        By key of :attr:`Table.columns`.
    published : mapping of str to mapping of str to float
        Per dataset and figure, in percent. Empty in rows of ours.
    measure : mapping of str to str or bool
        ``model``, and ``prompts``, ``frames``, ``compound`` and ``one_text`` where they differ from
        the defaults. Empty: other people's work, which is not measured.
    """

    cells: Mapping[str, Any]
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    measure: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes
    ----------
    id, title, note : str
    task : {"single", "compound"}
    datasets, figures : tuple of str
        Every row has each figure on each dataset.
    columns : mapping of str to str
        Headings of :attr:`PublishedRow.cells`.
    rows : tuple of PublishedRow
    ours : tuple of PublishedRow
        Rows that the paper doesn't have.
    """

    id: str
    title: str
    task: Literal["single", "compound"]
    datasets: tuple[str, ...]
    figures: tuple[str, ...]
    columns: Mapping[str, str]
    rows: tuple[PublishedRow, ...]
    note: str = ""
    ours: tuple[PublishedRow, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper that one row is better than another.

    Attributes
    ----------
    claim : str
        With its section.
    more, than : mapping of str to str or bool
        As :attr:`PublishedRow.measure`.
    published : mapping of str to mapping of str to (float or None)
        Difference in percent points by dataset and figure, from the tables.
    task : {"single", "compound"}
    ours : bool
        The paper doesn't say it: measured where the model `more` is there.
    """

    claim: str
    more: Mapping[str, Any]
    than: Mapping[str, Any]
    published: Mapping[str, Mapping[str, float | None]]
    task: Literal["single", "compound"] = "single"
    ours: bool = False

    @property
    def datasets(self) -> tuple[str, ...]:
        """Those that it is about."""
        return tuple(self.published)


@dataclass(frozen=True)
class Figure3:
    """The paper's Figure 3; `explained_variance` in percent."""

    title: str
    explained_variance: float
    panels: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Published:
    """Content of ``published.yaml``."""

    source: str
    models: Mapping[str, ModelKind]
    tables: tuple[Table, ...]
    claims: tuple[Claim, ...]
    figure_3: Figure3


@cache
def published() -> Published:
    """Read ``published.yaml``."""
    path = package_file(__package__, "published.yaml")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    figure = content["figure_3"]
    return Published(
        source=content["source"],
        models={name: ModelKind(**entry) for name, entry in content["models"].items()},
        tables=tuple(
            Table(
                **{
                    **table,
                    "datasets": tuple(table["datasets"]),
                    "figures": tuple(table["figures"]),
                    "rows": tuple(PublishedRow(**row) for row in table["rows"]),
                    "ours": tuple(PublishedRow(**row) for row in table["ours"]),
                }
            )
            for table in content["tables"]
        ),
        claims=tuple(Claim(**claim) for claim in content["claims"]),
        figure_3=Figure3(**{**figure, "panels": tuple(figure["panels"])}),
    )
