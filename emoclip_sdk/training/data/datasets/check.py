"""What is on disk beside what should be: the report of ``emoclip-train check``."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import DatasetError, VideoError
from ....runtime.metering import counted
from ....runtime.progress import ProgressOption
from ....runtime.worker_pool import WorkerPool
from ....video import open_video
from .clips import Clip, ClipDataset, Problem
from .registry import DATASETS, DatasetTask, read_dataset
from .sizes import PublishedSizes, class_counts

__all__ = ["ADVICE", "CheckReport", "FoldReport", "check_dataset", "unreadable_clips"]

ADVICE = {
    "missing clip": "Left out. Put its frames or its video there, or take it out of the list.",
    "malformed line": "Left out. Correct the line.",
    "unusual columns": "Used with its label. Compare the caption, or correct the line.",
    "unknown class": "Left out. Correct the word, or check the other task (--task).",
    "conflicting label": "FERV39K leaves it out, MAFW trusts the list with captions. Correct one.",
    "duplicate": "The first one counts. Delete the others.",
    "in two splits": "Kept where it is measured. Take it out of one of the lists.",
    "subject in two splits": "Used all the same. Move the person to one split.",
    "missing caption": "Used without one: it can't be trained by captions. Add the English one.",
    "unexpected file": "Passed over. Move it away, or to where the layout has a place for it.",
    "unexpected count": "Complete the folder, or say --no-sizes if it is a part, or synthetic.",
    "mixed crops": "Faces are searched in all. Crop the others, too (emoclip-train crop).",
    "unreadable clip": "Training does without it; in tests it counts as wrong. Replace it.",
}
"""For each kind of problem what becomes of the clip, and what to do."""


@dataclass(frozen=True)
class FoldReport:
    """One fold, read, and what was published about it (None: nothing)."""

    fold: int
    dataset: ClipDataset
    published: PublishedSizes | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: per split its clips, captions and subjects, and clips per class."""
        splits = {}
        for split, clips in self.dataset.splits.items():
            counts = class_counts(clips, len(self.dataset.classes))
            splits[split] = {
                "clips": len(clips),
                "published": self.published.total(split) if self.published else None,
                "captions": sum(clip.caption is not None for clip in clips),
                "published captions": self.published.captions(split) if self.published else None,
                "subjects": len({clip.subject for clip in clips} - {None}),
                "classes": {
                    name: {
                        "clips": count,
                        "published": self.published.of_class(split, i) if self.published else None,
                    }
                    for i, (name, count) in enumerate(
                        zip(self.dataset.classes, counts, strict=True)
                    )
                },
            }
        return {"fold": self.fold, "cropped": self.dataset.cropped, "splits": splits}


@dataclass(frozen=True)
class CheckReport:
    """A dataset, checked.

    Attributes
    ----------
    name, task, root
    folds : tuple of FoldReport
    problems : tuple of Problem
        Of all folds; what several folds tell of the same file is told once.
    """

    name: str
    task: DatasetTask
    root: Path
    folds: tuple[FoldReport, ...]
    problems: tuple[Problem, ...]

    def by_kind(self) -> dict[str, list[Problem]]:
        """Return the problems by their kind, the most frequent one first."""
        groups: dict[str, list[Problem]] = {}
        for problem in self.problems:
            groups.setdefault(problem.kind, []).append(problem)
        return dict(sorted(groups.items(), key=lambda item: -len(item[1])))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        published = self.folds[0].published
        return {
            "dataset": self.name,
            "task": self.task,
            "root": str(self.root),
            "note": DATASETS[self.name].note,
            "source_of_sizes": published.source if published else None,
            "folds": [fold.to_dict() for fold in self.folds],
            "problems": {
                "total": len(self.problems),
                "kinds": {kind: len(problems) for kind, problems in self.by_kind().items()},
                "advice": {kind: ADVICE[kind] for kind in self.by_kind()},
                "list": [dataclasses.asdict(problem) for problem in self.problems],
            },
        }

    def write_problems(self, path: Path) -> None:
        """Write all problems as CSV: kind, where, what, advice.

        Raises
        ------
        DatasetError
            The file can't be written.
        """
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["kind", "where", "what", "advice"])
                writer.writerows((p.kind, p.where, p.what, ADVICE[p.kind]) for p in self.problems)
        except OSError as error:
            raise DatasetError(f"{path}: can't be written ({error.strerror or error})") from error


def check_dataset(
    name: str,
    root: Path,
    *,
    folds: Sequence[int] = (1,),
    task: DatasetTask = "single",
    sizes: bool = True,
    frames: bool = False,
    workers: int = 1,
    progress: ProgressOption = None,
) -> CheckReport:
    """Read folds of a dataset and collect everything that is wrong with them.

    Parameters
    ----------
    name, root, task
        As in :func:`open_clips`.
    folds : sequence of int
    sizes : bool
        Compare with the published sizes.
    frames : bool
        Decode every frame of every clip, too.
    workers : int
        Processes that decode.
    progress : bool or callable, optional
        Told how many clips are decoded.

    Raises
    ------
    DatasetError
        As :func:`open_clips`, except that a dataset without a usable clip is reported.
    """
    reports = []
    problems: dict[tuple[str, str], Problem] = {}
    clips: dict[str, Clip] = {}
    for fold in folds:
        dataset = read_dataset(name, root, fold=fold, task=task, sizes=sizes)
        published = DATASETS[name].sizes(fold, task)
        reports.append(FoldReport(fold, dataset, published))
        for problem in dataset.problems:
            key = problem.what if problem.kind == "missing clip" else str(problem)
            problems.setdefault((problem.kind, key), problem)
        clips.update((clip.id, clip) for split in dataset.splits.values() for clip in split)
    all_problems = list(problems.values())
    if frames:
        all_problems += unreadable_clips(list(clips.values()), workers=workers, progress=progress)
    return CheckReport(name, task, root, tuple(reports), tuple(all_problems))


def unreadable_clips(
    clips: Sequence[Clip],
    *,
    workers: int = 1,
    progress: ProgressOption = None,
) -> list[Problem]:
    """Decode every frame of every clip and return a problem for each that can't be decoded."""
    paths = [clip.video for clip in clips if not isinstance(clip.video, np.ndarray)]
    problems = []
    with WorkerPool(workers) as pool:
        decoded = pool.map((_decode, path) for path in paths)
        for problem in counted(decoded, progress, len(paths), "decoding clips"):
            if problem is not None:
                problems.append(problem)
    return problems


def _decode(path: Path) -> Problem | None:
    try:
        for _ in open_video(path).frames():
            pass
    except VideoError as error:
        return Problem("unreadable clip", str(path), error.reason)
    return None
