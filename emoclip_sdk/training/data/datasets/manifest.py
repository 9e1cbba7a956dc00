"""Anyone's own clips: a CSV file of paths with labels, captions or both."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ....errors import DatasetError
from .clips import ClipDataset, Problem, Split
from .lists import read_text
from .locate import MissingClip, has_pictures
from .rows import SPLITS, ListRow, build_dataset
from .trees import detect_crops

__all__ = ["MANIFEST_LAYOUT", "read_manifest"]

MANIFEST_LAYOUT = (
    "ROOT (a CSV file, or a folder with manifest.csv) with the columns path, split (train, valid "
    "or test) and label or caption or both, perhaps subject; paths are relative to the file"
)


def read_manifest(root: Path, cropped: bool | None = None) -> ClipDataset:
    """Read a CSV file with the columns path, split, label, caption, subject.

    `path` is a folder of frames, a video or a picture, relative to the file. Of `label` and
    `caption` either column, or the entry of a row, may be missing; `subject` too. Other columns are
    left alone. Classes are the labels in alphabetical order.

    Parameters
    ----------
    root : Path
        The file, or the folder in which it is called ``manifest.csv``.
    cropped : bool, optional
        Whether the frames are face crops. By default those that ``emoclip-train crop`` made are.

    Raises
    ------
    DatasetError
        The file is missing, is no CSV file or lacks a column.
    """
    path = root / "manifest.csv" if root.is_dir() else root
    problems: list[Problem] = []
    records = _records(path, problems)
    labels = sorted({label for _, _, label, _, _, _ in records if label})
    rows: dict[Split, list[ListRow]] = {}
    for where, name, label, caption, subject, split in records:
        row = ListRow(name, where, labels.index(label) if label else None, caption, subject)
        rows.setdefault(split, []).append(row)
    folder = path.parent
    clips = [folder / name for _, name, *_ in records]
    cropped, mixed = detect_crops(clips, folder, cropped)

    def find(name: str) -> Path:
        clip = folder / name
        if not clip.exists():
            raise MissingClip(f"{clip}: no such file or folder")
        if clip.is_dir() and not has_pictures(clip):
            raise MissingClip(f"{clip}: the folder holds no picture")
        return clip

    return build_dataset("manifest", labels, rows, find, cropped=cropped, problems=problems + mixed)


_Record = tuple[str, str, str | None, str | None, str | None, Split]


def _records(path: Path, problems: list[Problem]) -> list[_Record]:
    """Return where, path, label, caption, subject and split of the rows that make sense."""
    reader = csv.DictReader(io.StringIO(read_text(path, MANIFEST_LAYOUT), newline=""))
    records: list[_Record] = []
    try:
        columns = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        missing = sorted({"path", "split"} - set(columns))
        if missing or not {"label", "caption"} & set(columns):
            lacks = " and ".join(missing) or "label or caption"
            raise DatasetError(f"{path}: there is no column {lacks}. Expected: {MANIFEST_LAYOUT}")
        for record in reader:
            where = f"{path}:{reader.line_num}"
            if None in record or None in record.values():
                n = sum(value is not None for value in record.values())
                n += len(record.get(None, ())) - (None in record)
                what = f"expected {len(columns)} columns, found {n}"
                problems.append(Problem("malformed line", where, what))
                continue
            values = {key: value.strip() or None for key, value in record.items()}
            name, split = values["path"], values["split"]
            label, caption = values.get("label"), values.get("caption")
            if name is None or split not in SPLITS:
                what = f"needs a path and train, valid or test as split, found {name!r}, {split!r}"
                problems.append(Problem("malformed line", where, what))
            elif label is None and caption is None:
                problems.append(Problem("malformed line", where, "neither a label nor a caption"))
            else:
                records.append((where, name, label, caption, values.get("subject"), split))
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is no CSV ({error})") from error
    return records
