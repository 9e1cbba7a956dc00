"""Results as CSV, JSON and data frames."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import EmoCLIPError, MissingDependencyError

if TYPE_CHECKING:
    import pandas

    from ..results import Prediction, Timeline, TimelineRow

__all__ = ["prediction_records", "save_rows", "save_timeline", "to_pandas", "write_csv"]


def to_pandas(records: Sequence[dict[str, Any]]) -> pandas.DataFrame:
    """Return a data frame of flat rows."""
    try:
        import pandas
    except ImportError:
        raise MissingDependencyError("pandas", "plot", "A data frame") from None
    return pandas.DataFrame.from_records(list(records))


def prediction_records(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Flatten predictions: one row each, one column per label."""
    return [
        {
            "source": p.source,
            "face_found": p.face_found,
            "track": p.track,
            "n_tracks": p.n_tracks,
            "n_frames": p.n_frames,
            "label": p.label,
            "confidence": p.confidence,
            "abstained": p.abstained,
            "error": p.error,
            **p.scores,
        }
        for p in predictions
    ]


def write_csv(records: Sequence[dict[str, Any]], file: TextIO) -> None:
    """Write flat rows as CSV; None becomes an empty field, NaN stays ``nan``."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)


def save_rows(rows: Iterable[TimelineRow], source: str, path: str | Path) -> int:
    """Write rows of a timeline as CSV while they come; return how many there were.

    They go to ``NAME.part`` beside the file, which takes its name when it is whole. What raises an
    error leaves neither behind.

    Raises
    ------
    EmoCLIPError
        The file can't be written.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    n = 0
    try:
        try:
            with part.open("w", encoding="utf-8", newline="", buffering=1) as file:
                writer = None
                for row in rows:
                    record = row.to_record(source)
                    if writer is None:
                        writer = csv.DictWriter(file, list(record), lineterminator="\n")
                        writer.writeheader()
                    writer.writerow(record)
                    n += 1
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise EmoCLIPError(f"{path}: can't be written ({error.strerror or error})") from error
    return n


def save_timeline(timeline: Timeline, path: str | Path) -> None:
    """Write a timeline as ``.csv`` or ``.json``.

    Raises
    ------
    EmoCLIPError
        Another ending, or the file can't be written.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                write_csv(timeline.to_records(), file)
        elif path.suffix.lower() == ".json":
            text = json.dumps(timeline.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
            path.write_text(text + "\n", encoding="utf-8")
        else:
            raise EmoCLIPError(f"{path}: a timeline is saved as .csv or .json")
    except OSError as error:
        raise EmoCLIPError(f"{path}: can't be written ({error.strerror or error})") from error
