"""Which videos a batch consists of: folders, CSV manifests, files."""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BatchError
from ..video.opening import VIDEO_SUFFIXES

__all__ = ["BatchInput", "find_inputs"]

log = logging.getLogger(__name__)

PATH_COLUMNS = ("path", "video")


@dataclass(frozen=True)
class BatchInput:
    """One video of a batch.

    Parameters
    ----------
    name : str
        As the caller or the manifest gives it; what the output calls it. Always valid Unicode.
    path : str
        What is opened.
    columns : dict of str to str
        The other columns of its line in the manifest.
    """

    name: str
    path: str
    columns: dict[str, str] = field(default_factory=dict)


def find_inputs(sources: Iterable[str | os.PathLike[str] | BatchInput]) -> list[BatchInput]:
    """List the videos of folders, manifests and files, each once.

    Parameters
    ----------
    sources : iterable of path or BatchInput
        A folder: the videos in it and below it, by their suffixes, without hidden ones and
        without symbolic links that lead out of it. A ``.csv`` file: a manifest with a column
        ``path`` or ``video``, relative to the file; its other columns go to the output. Anything
        else is a video, whether it can be read or not. What was found before stays as it is.

    Raises
    ------
    BatchError
        A folder without videos, a manifest that can't be used, or nothing at all.
    """
    videos: dict[str, BatchInput] = {}
    for given in sources:
        if isinstance(given, BatchInput):
            videos.setdefault(given.name, given)
            continue
        source = os.fspath(given)
        if not source:
            raise BatchError("'' is the name of no file or folder: one of the inputs is empty")
        if os.path.isdir(source):
            several = [BatchInput(_unicode(path), path) for path in _in_folder(source)]
            if not several:
                raise BatchError(
                    f"{source}: holds no video ({', '.join(sorted(VIDEO_SUFFIXES))}). Folders of "
                    "frames can be listed in a manifest"
                )
        elif source.lower().endswith(".csv"):
            several = _in_manifest(Path(source))
        else:
            several = [BatchInput(_unicode(source), source)]
        for item in several:
            videos.setdefault(item.name, item)
    if not videos:
        raise BatchError("no videos: give a folder, a manifest (.csv) or files")
    return list(videos.values())


def _in_folder(root: str) -> Iterator[str]:
    """Yield the videos below a folder, in order of their names."""
    inside = os.path.join(os.path.realpath(root), "")
    left_out = 0
    # A linked folder is never entered: it leads out, or to what is found anyway, or in circles.
    for here, folders, files in os.walk(root, onerror=_refuse):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in sorted(files):
            if name[0] == "." or os.path.splitext(name)[1].lower() not in VIDEO_SUFFIXES:
                continue
            path = os.path.join(here, name)
            if os.path.islink(path) and not os.path.realpath(path).startswith(inside):
                left_out += 1
            else:
                yield path
    if left_out:
        log.warning("%s: %d symbolic links lead out of the folder and are left out", root, left_out)


def _refuse(error: OSError) -> None:
    raise BatchError(f"{error.filename}: can't be read ({error.strerror or error})")


def _in_manifest(file: Path) -> list[BatchInput]:
    """Read a CSV file of videos."""
    videos: dict[str, BatchInput] = {}
    lines: dict[str, int] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, restkey="", strict=True)
            names = reader.fieldnames or []
            column = next((name for name in PATH_COLUMNS if name in names), None)
            if column is None:
                raise BatchError(
                    f"{file}: has no column 'path' or 'video'; its columns are {list(names)}"
                )
            if len(set(names)) < len(names) or "" in names:
                raise BatchError(f"{file}: a column has no name, or two have the same: {names}")
            for row in reader:
                where = f"{file}, line {reader.line_num}"
                if "" in row or None in row.values():
                    raise BatchError(f"{where}: not {len(names)} fields, as the first line has")
                name = row.pop(column)
                if not name.strip():
                    raise BatchError(f"{where}: the {column} is empty")
                if name in videos:
                    raise BatchError(f"{where}: '{name}' is there twice, first in {lines[name]}")
                path = name if "://" in name else os.path.join(file.parent, name)
                videos[name], lines[name] = BatchInput(name, path, row), reader.line_num
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise BatchError(f"{file}: can't be read as CSV in UTF-8 ({reason})") from error
    if not videos:
        raise BatchError(f"{file}: lists no video")
    return list(videos.values())


def _unicode(path: str) -> str:
    """Return a name that can be written anywhere: a file system allows bytes that are no text."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
