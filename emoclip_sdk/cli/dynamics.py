"""``emoclip timeline --features`` and ``--synchrony``: tables of dynamics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import EmoCLIPError
from ..export.save import TABLE_ENDINGS, check_ending, save_table
from ..results.event_files import read_events
from .output import complain

if TYPE_CHECKING:
    from ..results.timeline import Timeline

__all__ = ["Dynamics", "Events", "Features", "Synchrony", "Threshold", "Tier"]

Features = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write a row per face: mean, SD, maximum, slope, episodes and share of time of each "
        "label: .csv, .xlsx, .jsonl, .parquet, .json.",
    ),
]
Synchrony = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write a row per pair of faces and label: windowed cross-correlation with lag, over "
        "10 s, up to 3 s; a positive lag: the second one follows.",
    ),
]
Events = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="With --features or --synchrony: rows per trial of this list: .csv or .tsv with the "
        "columns start, end and, if you like, name; or .eaf (ELAN).",
        exists=True,
    ),
]
Tier = Annotated[str | None, typer.Option(metavar="NAME", help="Of the .eaf file: which tier.")]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        min=0,
        max=1,
        help="With --features: score from which on a label has an episode; 0.5 if not given.",
    ),
]


@dataclass(frozen=True)
class Dynamics:
    """What tables of dynamics a user asks for.

    Parameters
    ----------
    features, synchrony : Path, optional
        Where they go.
    events : Path, optional
        Whose rows they have.
    tier : str, optional
    threshold : float, optional
        Of episodes.
    """

    features: Path | None
    synchrony: Path | None
    events: Path | None
    tier: str | None
    threshold: float | None

    @property
    def outputs(self) -> Mapping[str, Path | None]:
        """The files by the option that names them."""
        return {"--features": self.features, "--synchrony": self.synchrony}

    def __bool__(self) -> bool:
        return any(self.outputs.values())

    def check(self) -> None:
        """Refuse what can't be written or can't count, before any work.

        Raises
        ------
        typer.BadParameter
            Naming the option.
        """
        for option, file in self.outputs.items():
            try:
                if file is not None:
                    check_ending(file, TABLE_ENDINGS, "a table")
            except EmoCLIPError as error:
                raise typer.BadParameter(str(error), param_hint=option) from None
        if self.events is not None and not self:
            raise typer.BadParameter("is for --features and --synchrony.", param_hint="--events")
        if self.tier is not None and self.events is None:
            raise typer.BadParameter("is for --events.", param_hint="--tier")
        if self.threshold is not None and self.features is None:
            raise typer.BadParameter("is for --features.", param_hint="--threshold")
        if self.events is not None:
            try:
                read_events(self.events, self.tier)
            except EmoCLIPError as error:
                raise typer.BadParameter(str(error), param_hint="--events") from None

    def write(self, timeline: Timeline) -> None:
        """Write the tables of a timeline.

        Raises
        ------
        EmoCLIPError
            A file can't be written.
        """
        rows: list[Any]
        for file, content in ((self.features, "features"), (self.synchrony, "synchrony")):
            if file is None:
                continue
            if content == "features":
                threshold = 0.5 if self.threshold is None else self.threshold
                rows = timeline.features(self.events, tier=self.tier, threshold=threshold)
            else:
                rows = timeline.synchrony(self.events, tier=self.tier)
            _save(rows, file, timeline)
            complain(f"wrote {file}: {len(rows)} rows")


def _save(rows: list[Any], file: Path, timeline: Timeline) -> None:
    save_table(
        file,
        "a table",
        lambda: [row.to_record(timeline.source) for row in rows],
        lambda: {"source": timeline.source, "rows": [row.to_dict() for row in rows]},
        timeline.origin,
    )
