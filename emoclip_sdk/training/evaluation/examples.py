"""What was decided on each clip, as a table, and some clips as a picture (the paper's Figure 4)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError, MissingDependencyError, VideoError
from ...video import open_video
from ..data.datasets import Clip
from ..data.trained_on import Overlap
from .metrics import decide

__all__ = ["choose_examples", "draw_examples", "write_predictions"]


def write_predictions(
    path: Path,
    clips: Sequence[Clip],
    scores: NDArray[np.floating[Any]],
    classes: Sequence[str],
    overlap: Overlap | None = None,
) -> None:
    """Write a row for each clip: its class, the decision, whether it is right, and all scores.

    Parameters
    ----------
    path : Path
        A CSV file.
    clips : sequence of Clip
        All with a label.
    scores : ndarray, (N, C)
        A row of NaN, a clip without a decision, leaves its cells empty.
    classes : sequence of str
    overlap : Overlap, optional
        Whether the model has met the clips in training.

    Raises
    ------
    DatasetError
        The file can't be written.
    """
    decisions = decide(scores)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            head = ["clip", "class", "predicted", "right", "in_training"]
            writer.writerow([*head, *(f"score_{name}" for name in classes)])
            for i, (clip, decision) in enumerate(zip(clips, decisions, strict=True)):
                predicted = classes[decision] if decision >= 0 else ""
                met = "" if overlap is None else int(overlap.training[i])
                numbers = [f"{x:.6f}" if decision >= 0 else "" for x in scores[i]]
                right = int(decision == clip.label)
                writer.writerow(
                    [clip.id, classes[clip.label or 0], predicted, right, met, *numbers]
                )
    except OSError as error:
        raise DatasetError(f"{path}: can't be written ({error.strerror or error})") from error


def choose_examples(
    clips: Sequence[Clip], scores: NDArray[np.floating[Any]], n: int = 6
) -> tuple[list[int], list[int]]:
    """Choose clips that were decided rightly and wrongly: the surest of each class, surest first.

    Returns
    -------
    right, wrong : list of int
        Rows, at most `n` each, of as many classes as there are.
    """
    decisions = decide(scores)
    labels = np.array([clip.label for clip in clips])
    sides = []
    for side in (decisions == labels, (decisions >= 0) & (decisions != labels)):
        rows = sorted(np.flatnonzero(side), key=lambda i: -scores[i].max())
        first: dict[int, list[int]] = {}
        for row in rows:
            first.setdefault(int(labels[row]), []).append(int(row))
        # Each class's surest clip, then each one's second.
        turns = max(map(len, first.values()), default=0)
        ordered = [of[k] for k in range(turns) for of in first.values() if k < len(of)]
        sides.append(ordered[:n])
    return sides[0], sides[1]


def draw_examples(
    path: Path,
    clips: Sequence[Clip],
    scores: NDArray[np.floating[Any]],
    classes: Sequence[str],
    n: int = 6,
) -> None:
    """Draw the middle frames of right examples above those of wrong ones.

    The pictures are the dataset's: whoever publishes the file needs its leave.

    Raises
    ------
    DatasetError
        The file can't be written.
    MissingDependencyError
        matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "train", "The examples") from None
    sides = choose_examples(clips, scores, n)
    columns = max(map(len, sides)) or 1
    figure = Figure(figsize=(1.9 * columns, 5.2), layout="constrained")
    axes = figure.subplots(2, columns, squeeze=False)
    for title, row, rows in zip(("right", "wrong"), axes, sides, strict=True):
        row[0].set_ylabel(title)
        for axis in row:
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_frame_on(False)
        for axis, i in zip(row, rows, strict=False):
            axis.imshow(_middle_frame(clips[i]))
            decision = int(scores[i].argmax())
            lines = [f"{classes[decision]} {scores[i, decision]:.2f}"]
            if title == "wrong":
                lines.append(f"is {classes[clips[i].label or 0]}")
            axis.set_title("\n".join(lines), fontsize=8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise DatasetError(f"{path}: can't be written ({error.strerror or error})") from error


def _middle_frame(clip: Clip) -> NDArray[np.uint8]:
    try:
        (frame,) = open_video(clip.video).choose(lambda count: [count // 2])
    except VideoError:
        return np.full((8, 8, 3), 255, np.uint8)  # it was read from the cache, and is gone since
    return frame.rgb
