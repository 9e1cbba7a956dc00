"""All datasets by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ....errors import DatasetError
from ..ferplus import FERPLUS_CLASSES
from . import ferplus, mafw, manifest, numbered, trees
from .classes import BASIC_CLASSES, MAFW_CLASSES, MAFW_COMPOUNDS
from .clips import ClipDataset
from .sizes import PublishedSizes, compare_sizes, published_sizes

__all__ = ["DATASETS", "DatasetInfo", "DatasetTask", "open_clips", "read_dataset"]

DatasetTask = Literal["single", "compound"]


@dataclass(frozen=True)
class DatasetInfo:
    """What there is to know about a dataset before it is read.

    Attributes
    ----------
    name : str
        As in :func:`open_clips`.
    title : str
    layout : str
        What must be on disk; ROOT is the folder or file that is given.
    classes : mapping of str to tuple of str
        Per task; empty where the data define them.
    folds : tuple of int
    own : bool
        Anyone's own data: no published sizes, and `cropped` can be told.
    note : str
        What a reader of results must know.
    """

    name: str
    title: str
    layout: str
    read: Callable[[Path, int, DatasetTask, bool | None], ClipDataset] = field(repr=False)
    classes: Mapping[DatasetTask, tuple[str, ...]] = field(default_factory=dict)
    folds: tuple[int, ...] = (1,)
    own: bool = False
    note: str = ""

    @property
    def tasks(self) -> tuple[DatasetTask, ...]:
        """The tasks that the dataset is labeled for."""
        return tuple(self.classes) or ("single",)

    def sizes(self, fold: int = 1, task: DatasetTask = "single") -> PublishedSizes | None:
        """Return the published numbers of clips, or None where there are none."""
        return published_sizes(self.name, fold, task)


_FIVE = (1, 2, 3, 4, 5)
DATASETS: dict[str, DatasetInfo] = {
    info.name: info
    for info in (
        DatasetInfo(
            "mafw",
            "MAFW",
            mafw.MAFW_LAYOUT,
            lambda root, fold, task, _: mafw.read_mafw(root, fold, task),
            {"single": MAFW_CLASSES, "compound": MAFW_CLASSES + MAFW_COMPOUNDS},
            _FIVE,
        ),
        DatasetInfo(
            "dfew",
            "DFEW",
            numbered.DFEW_LAYOUT,
            lambda root, fold, *_: numbered.read_dfew(root, fold),
            {"single": BASIC_CLASSES},
            _FIVE,
        ),
        DatasetInfo(
            "ferv39k",
            "FERV39K",
            numbered.FERV39K_LAYOUT,
            lambda root, *_: numbered.read_ferv39k(root),
            {"single": BASIC_CLASSES},
        ),
        DatasetInfo(
            "afew",
            "AFEW",
            trees.AFEW_LAYOUT,
            lambda root, *_: trees.read_afew(root),
            {"single": BASIC_CLASSES},
            note="The labels of AFEW's test set are not public: test is its validation set.",
        ),
        DatasetInfo(
            "ferplus",
            "FER+",
            ferplus.FERPLUS_LAYOUT,
            lambda root, *_: ferplus.read_ferplus(root),
            {"single": FERPLUS_CLASSES},
            note="Pictures: every clip is one frame.",
        ),
        DatasetInfo(
            "manifest",
            "manifest",
            manifest.MANIFEST_LAYOUT,
            lambda root, _fold, _task, cropped: manifest.read_manifest(root, cropped),
            own=True,
        ),
        DatasetInfo(
            "folder",
            "folder",
            trees.FOLDER_LAYOUT,
            lambda root, _fold, _task, cropped: trees.read_folder(root, cropped),
            own=True,
        ),
    )
}


def read_dataset(
    name: str,
    root: str | Path,
    *,
    fold: int = 1,
    task: DatasetTask = "single",
    cropped: bool | None = None,
    sizes: bool = True,
) -> ClipDataset:
    """Read a dataset like :func:`open_clips`, and return it even if no clip can be used.

    Parameters
    ----------
    sizes : bool
        Whether numbers of clips that differ from the published ones are a problem.
    """
    info = DATASETS.get(name)
    if info is None:
        raise DatasetError(f"{name}: no such dataset. There are: {', '.join(DATASETS)}")
    if fold not in info.folds:
        raise DatasetError(f"{name}: no fold {fold}. There are: {', '.join(map(str, info.folds))}")
    if task not in info.tasks:
        raise DatasetError(f"{name}: no task {task}. There are: {', '.join(info.tasks)}")
    if cropped is not None and not info.own:
        raise DatasetError(f"{name}: whether its frames are face crops is given by its layout")
    dataset = info.read(Path(root), fold, task, cropped)
    published = info.sizes(fold, task) if sizes else None
    if published is None:
        return dataset
    where = f"{name} {task} fold {fold}" if len(info.folds) > 1 else name
    off = compare_sizes(dataset, published, where)
    return dataclasses.replace(dataset, problems=(*dataset.problems, *off))


def open_clips(
    name: str,
    root: str | Path,
    *,
    fold: int = 1,
    task: DatasetTask = "single",
    cropped: bool | None = None,
) -> ClipDataset:
    """Open a dataset on disk.

    Parameters
    ----------
    name : str
        A key of :data:`DATASETS`.
    root : str or Path
        Its folder or file, see :attr:`DatasetInfo.layout`.
    fold : int
        From 1, for the sets that have folds.
    task : {"single", "compound"}
        MAFW's 11 or its 43 classes.
    cropped : bool, optional
        For `manifest` and `folder`: whether the frames are face crops. By default those that
        ``emoclip-train crop`` made are.

    Returns
    -------
    ClipDataset
        With everything that could not be used, or is not as published, in its `problems`.

    Raises
    ------
    DatasetError
        Unknown name, fold or task; a missing list or folder; no usable clip at all.
    """
    dataset = read_dataset(name, root, fold=fold, task=task, cropped=cropped)
    if any(dataset.splits.values()):
        return dataset
    why = f"; the first of {len(dataset.problems)} problems: {dataset.problems[0]}"
    raise DatasetError(
        f"{root}: no clip of {name} can be used{why if dataset.problems else ''}. "
        f"Expected: {DATASETS[name].layout}"
    )
