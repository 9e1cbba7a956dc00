"""A study on disk: ``manifest.csv``, one row for each interview."""

from __future__ import annotations

import csv
import io
import logging
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError
from ...runtime.hashes import file_hash
from ..data.datasets.lists import read_text
from .patients import patient_name, same_patient_key
from .scales import Scale, Score

__all__ = ["BEST_FILE", "STUDY_LAYOUT", "Interview", "Study", "read_study"]

log = logging.getLogger(__name__)

STUDY_LAYOUT = (
    "a CSV file with the columns video (a file, relative to this one; .npz: already embedded), "
    "patient, and one for each score of the scale; a score that is missing is left empty"
)
BEST_FILE = "best_possible.json"
"""What a generated study knows about itself: the PCC that no method can exceed."""

_MISSING = {"", "na", "n/a", "nan"}
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Interview:
    """A row of a manifest.

    Attributes
    ----------
    id : str
        The video as the manifest names it.
    video : Path
    patient : str
    ratings : tuple of float
        In order of :attr:`Study.scores`; NaN where one is missing.
    """

    id: str
    video: Path
    patient: str
    ratings: tuple[float, ...]


@dataclass(frozen=True)
class Study:
    """Interviews and their ratings on one scale.

    Attributes
    ----------
    path : Path
        The manifest.
    scale : Scale
    scores : tuple of Score
        Those of the scale that the manifest has, items first.
    interviews : tuple of Interview
    """

    path: Path
    scale: Scale
    scores: tuple[Score, ...]
    interviews: tuple[Interview, ...]

    @cached_property
    def ratings(self) -> NDArray[np.float64]:
        """Ratings (N, S) in their own ranges, NaN where missing."""
        return np.array([interview.ratings for interview in self.interviews], np.float64)

    @cached_property
    def patients(self) -> NDArray[np.str_]:
        """Patient of each interview, (N,)."""
        return np.array([interview.patient for interview in self.interviews])

    @cached_property
    def divisors(self) -> NDArray[np.float64]:
        """What brings each score into the range of one item, (S,)."""
        return np.array([score.divisor for score in self.scores], np.float64)


def read_study(path: str | Path, scale: Scale) -> Study:
    """Read a manifest.

    A total that the manifest lacks, or whose cell is empty, is summed where all of its items are
    rated.

    Parameters
    ----------
    path : str or Path
        The file, or the folder in which it is called ``manifest.csv``.
    scale : Scale

    Raises
    ------
    DatasetError
        The file can't be read, has no column of the scale, or has malformed lines: the first is
        told, the others are named.
    """
    path = Path(path)
    path = path / "manifest.csv" if path.is_dir() else path
    reader = csv.reader(io.StringIO(read_text(path, STUDY_LAYOUT), newline=""))
    problems: list[tuple[int, str]] = []
    interviews: list[tuple[int, Interview]] = []
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        scores = _scores(path, columns, scale)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                interviews.append(
                    (reader.line_num, _interview(path.parent, columns, cells, scale, scores))
                )
            except _Malformed as malformed:
                problems.append((reader.line_num, str(malformed)))
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is no CSV ({error})") from error
    problems += _contradictions(interviews)
    if problems:
        problems.sort()
        line, what = problems[0]
        others = ", ".join(str(n) for n, _ in problems[1:20])
        more = f" ({len(problems) - 1} more, in lines {others})" if others else ""
        raise DatasetError(f"{path}:{line}: {what}{more}")
    if not interviews:
        raise DatasetError(f"{path}: lists no interview. Expected: {STUDY_LAYOUT}")
    return Study(path, scale, scores, tuple(interview for _, interview in interviews))


class _Malformed(Exception):
    """A line that can't be used; the message says why."""


def _scores(path: Path, columns: list[str], scale: Scale) -> tuple[Score, ...]:
    """Return the scores that the columns hold or that can be summed from them."""
    twice = sorted({name for name in columns if columns.count(name) > 1})
    missing = [name for name in ("video", "patient") if name not in columns]
    if missing or twice:
        what = f"no column {' and '.join(missing)}" if missing else f"two columns {twice[0]}"
        raise DatasetError(f"{path}:1: there is {what}. Expected: {STUDY_LAYOUT}")
    scores = tuple(
        score
        for score in scale.scores
        if score.name in columns or (score.sums and set(score.sums) <= set(columns))
    )
    if not scores:
        names = ", ".join(score.name for score in scale.scores)
        raise DatasetError(f"{path}:1: has no column of the scale {scale.name}: {names}")
    known = {"video", "patient", *(score.name for score in scale.scores)}
    others = [name for name in columns if name not in known]
    if others:
        # A misspelled score would vanish without a word.
        log.info("%s: columns that are no score of %s: %s", path, scale.name, ", ".join(others))
    return scores


def _interview(
    folder: Path, columns: list[str], cells: list[str], scale: Scale, scores: tuple[Score, ...]
) -> Interview:
    if len(cells) != len(columns):
        raise _Malformed(f"expected {len(columns)} columns, found {len(cells)}")
    row = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    video, patient = row["video"], patient_name(row["patient"])
    if not video or not patient:
        raise _Malformed("needs a video and a patient")
    if not (folder / video).exists():
        raise _Malformed(f"{folder / video}: no such file")
    rated = {score.name: _rating(row.get(score.name, ""), score) for score in scale.scores}
    for score in scores:
        summed = sum(rated[item] for item in score.sums) if score.sums else math.nan
        if math.isnan(rated[score.name]):
            rated[score.name] = summed
        elif abs(rated[score.name] - summed) > _TOLERANCE:
            raise _Malformed(f"{score.name} is {rated[score.name]:g}, its items sum to {summed:g}")
    return Interview(video, folder / video, patient, tuple(rated[score.name] for score in scores))


def _rating(cell: str, score: Score) -> float:
    if cell.lower() in _MISSING:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        raise _Malformed(f"{score.name} is {cell!r}, which is no number") from None
    if not score.low <= value <= score.high:
        raise _Malformed(f"{score.name} is {cell}, outside of {score.low:g} to {score.high:g}")
    return value


def _contradictions(interviews: list[tuple[int, Interview]]) -> list[tuple[int, str]]:
    """Find videos that are listed twice, or under two patients, and names that may be one's.

    Whoever is two patients to the folds is on both sides of one of them.
    """
    problems = []
    videos: dict[Path, int] = {}
    names: dict[str, tuple[str, int]] = {}
    for line, interview in interviews:
        first = videos.setdefault(interview.video.resolve(), line)
        if first != line:
            problems.append((line, f"{interview.id} is in line {first} already"))
        key = same_patient_key(interview.patient)
        name, seen = names.setdefault(key, (interview.patient, line))
        if name != interview.patient:
            what = (
                f"patient {interview.patient!r} may be {name!r} of line {seen}: write both alike, "
                "or, if these are two people, names that differ in more than this"
            )
            problems.append((line, what))
    return problems + _copies(interviews)


def _copies(interviews: list[tuple[int, Interview]]) -> list[tuple[int, str]]:
    """Find recordings that are in two files, under two patients."""
    by_size: dict[int, list[tuple[int, Interview]]] = {}
    for line, interview in interviews:
        size = interview.video.stat().st_size if interview.video.is_file() else 0
        if size:
            by_size.setdefault(size, []).append((line, interview))
    problems = []
    # Interviews are gigabytes, and copies have the same size.
    for alike in by_size.values():
        first: dict[str, tuple[int, Interview]] = {}
        for line, interview in alike if len(alike) > 1 else ():
            number, other = first.setdefault(file_hash(interview.video), (line, interview))
            if other.patient != interview.patient:
                what = (
                    f"{interview.id} of patient {interview.patient!r} is the same recording as "
                    f"{other.id} of {other.patient!r} in line {number}"
                )
                problems.append((line, what))
    return problems
