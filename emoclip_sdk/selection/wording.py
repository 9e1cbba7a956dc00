"""Which wording of a label tells the caller's own clips apart best."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..inference.scorer import cosine_similarities
from ..results.tables import FlatResult

__all__ = ["WordingScore", "area_under_curve", "read_labeled", "score_wordings"]


@dataclass(frozen=True)
class WordingScore(FlatResult):
    """How well one wording separates the clips of its label from all others.

    Attributes
    ----------
    label : str
    origin : str
        Where the wording is from: ``"bank"``, a file, ``"word"``, ``"templates"``, or ``"label"``,
        the label as the model uses it.
    texts : tuple of str
        One text, or several whose mean embedding was compared.
    auc : float
        Area under the ROC curve, the label's clips against the rest: how often one of its clips is
        more like the wording than another clip. 0.5 is chance.
    n : int
        Clips of the label.
    rest : int
        Other clips.
    """

    label: str
    origin: str
    texts: tuple[str, ...]
    auc: float
    n: int
    rest: int


def read_labeled(path: str | Path) -> list[tuple[str, str]]:
    """Read a CSV file with the columns ``path`` and ``label``; paths are relative to the file.

    Raises
    ------
    EmoCLIPError
        The file can't be read, lacks a column, or a line lacks a value.
    """
    path = Path(path)
    rows = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"path", "label"} - {name.strip() for name in reader.fieldnames or ()}
            if missing:
                raise EmoCLIPError(f"{path}: has no column {' and no column '.join(missing)}")
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            for row in reader:
                video, label = ((row[name] or "").strip() for name in ("path", "label"))
                if not video or not label:
                    raise EmoCLIPError(f"{path}, line {reader.line_num}: needs a path and a label")
                rows.append((str(path.parent / video), label))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EmoCLIPError(f"{path}: can't be read ({error})") from error
    if not rows:
        raise EmoCLIPError(f"{path}: lists no clip")
    return rows


def score_wordings(
    clips: NDArray[np.float32],
    labels: Sequence[str],
    wordings: Mapping[str, Sequence[tuple[str, Mapping[str, float]]]],
    embed_texts: Callable[[Sequence[str]], NDArray[np.float32]],
) -> list[WordingScore]:
    """Compare wordings on labeled clips.

    Parameters
    ----------
    clips : ndarray, (N, D)
        Clip embeddings.
    labels : sequence of str, (N,)
    wordings : mapping of str to sequence of (str, mapping of str to float)
        For each label, origin and weighted texts of each wording.
    embed_texts : callable
        N texts to (N, D), unnormalized.

    Returns
    -------
    list of WordingScore
        By label; the best first.

    Raises
    ------
    EmoCLIPError
        All clips have one label: there is no rest to tell them from.
    """
    if len(set(labels)) < 2:
        raise EmoCLIPError("the clips that show a face have one label: there is nothing to compare")
    ranked = []
    for label, several in wordings.items():
        mine = np.array([other == label for other in labels])
        if not mine.any():
            continue
        vectors = np.stack(
            [
                np.average(embed_texts(list(texts)), axis=0, weights=list(texts.values()))
                for _, texts in several
            ]
        )
        similarities = cosine_similarities(clips, vectors)
        scores = [
            WordingScore(
                label,
                origin,
                tuple(texts),
                area_under_curve(similarities[mine, i], similarities[~mine, i]),
                int(mine.sum()),
                int((~mine).sum()),
            )
            for i, (origin, texts) in enumerate(several)
        ]
        ranked += sorted(scores, key=lambda score: -score.auc)
    return ranked


def area_under_curve(
    positive: NDArray[np.floating[Any]], negative: NDArray[np.floating[Any]]
) -> float:
    """Return the share of pairs in which the positive one is larger; equal ones count half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / (2 * len(ordered)))
