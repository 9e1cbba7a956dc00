"""DFEW and FERV39K: lists of ``path num_frames label``."""

from __future__ import annotations

from pathlib import Path

from .classes import BASIC_CLASSES, class_of_word
from .clips import ClipDataset, Problem, Split
from .lists import read_named, read_numbered, read_worded, zero_based
from .locate import ClipFolder
from .rows import ListRow, build_dataset

__all__ = ["DFEW_LAYOUT", "FERV39K_LAYOUT", "read_dfew", "read_ferv39k"]

DFEW_LAYOUT = (
    "ROOT/DFEW_set_{1..5}_{train,test}.txt with lines 'path num_frames label' (or, as released, "
    "ROOT/EmoLabel_DataSplit/{train,test}(single-labeled)/set_{1..5}.csv), and frames in "
    "ROOT/DFEW_Frame_Face/<clip>/ (or ROOT/Clip/clip_224x224/<clip>/, or videos <clip>.mp4 there)"
)
FERV39K_LAYOUT = (
    "ROOT/{train,test}_image.txt with lines 'path num_frames label' (or, as released, "
    "ROOT/4_setups/All_scenes/{train,test}_All.csv with lines 'path Emotion'), and frames in "
    "ROOT/2_ClipsforFaceCrop/<Scene>/<Emotion>/<clip>/"
)
_SPLITS: tuple[Split, ...] = ("train", "test")
# Where DFEW's clips are, and whether their pictures are face crops.
_DFEW_FRAMES = {
    "DFEW_Frame_Face": True,
    "Clip/clip_224x224": True,
    "Clip/clip_224x224_avi": True,
    "Clip/clip_224x224_16f": True,  # 16 frames of each, whatever its length
    "Clip/original": False,
}


def read_dfew(root: Path, fold: int) -> ClipDataset:
    """Read one fold of DFEW (Jiang et al., ACM MM 2020).

    Only the last part of a path counts: lists carry the folders of whoever wrote them. Whether
    labels count from 0 or from 1 is detected.

    Raises
    ------
    DatasetError
        A list or the folder of the frames is missing; labels that fit neither way of counting.
    """
    problems: list[Problem] = []
    paths = [root / f"DFEW_set_{fold}_{split}.txt" for split in _SPLITS]
    released = root / "EmoLabel_DataSplit"
    read = read_numbered
    if released.is_dir() and not any(path.is_file() for path in paths):
        paths = [released / f"{split}(single-labeled)" / f"set_{fold}.csv" for split in _SPLITS]
        read = read_named
    files = [(path, read(path, DFEW_LAYOUT, problems)) for path in paths]
    labels = zero_based(files, len(BASIC_CLASSES))
    rows = {
        split: [
            ListRow(line.path.rstrip("/").rpartition("/")[2], line.where, label)
            for line, label in zip(lines, numbers, strict=True)
        ]
        for split, (_, lines), numbers in zip(_SPLITS, files, labels, strict=True)
    }
    frames = next((name for name in _DFEW_FRAMES if (root / name).is_dir()), "DFEW_Frame_Face")
    return build_dataset(
        "dfew",
        BASIC_CLASSES,
        rows,
        ClipFolder(root / frames, DFEW_LAYOUT).find,
        cropped=_DFEW_FRAMES[frames],
        problems=problems,
    )


def read_ferv39k(root: Path) -> ClipDataset:
    """Read FERV39K (Wang et al., CVPR 2022).

    The last three parts of a path count: scene, emotion, clip. A row whose label is not the one of
    its folder is left out.

    Raises
    ------
    DatasetError
        As :func:`read_dfew`.
    """
    problems: list[Problem] = []
    paths = [root / f"{split}_image.txt" for split in _SPLITS]
    released = root / "4_setups" / "All_scenes"
    read = read_numbered
    if released.is_dir() and not any(path.is_file() for path in paths):
        paths = [released / f"{split}_All.csv" for split in _SPLITS]
        read = read_worded
    files = [(path, read(path, FERV39K_LAYOUT, problems)) for path in paths]
    labels = zero_based(files, len(BASIC_CLASSES))
    rows: dict[Split, list[ListRow]] = {split: [] for split in _SPLITS}
    for split, (_, lines), numbers in zip(_SPLITS, files, labels, strict=True):
        for line, label in zip(lines, numbers, strict=True):
            parts = line.path.rstrip("/").split("/")[-3:]
            if len(parts) != 3:
                what = f"expected a path that ends in <Scene>/<Emotion>/<clip>, found {line.path!r}"
                problems.append(Problem("malformed line", line.where, what))
            elif class_of_word(parts[1]) != label:
                what = f"label {line.label} means {BASIC_CLASSES[label]}, the folder is {parts[1]}"
                problems.append(Problem("conflicting label", line.where, what))
            else:
                rows[split].append(ListRow("/".join(parts), line.where, label))
    folder = ClipFolder(root / "2_ClipsforFaceCrop", FERV39K_LAYOUT)
    return build_dataset(
        "ferv39k", BASIC_CLASSES, rows, folder.find, cropped=True, problems=problems
    )
