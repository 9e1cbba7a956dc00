"""Which videos a batch consists of: folders, manifests, files."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..errors import BatchError, EmoCLIPError
from ..results.sheets import SHEETS, SheetRow, read_sheet
from ..video import check_part
from ..video.opening import VIDEO_SUFFIXES
from ..video.pictures import FRAME_SUFFIXES
from .crops import VideoPart

__all__ = ["BatchInput", "FolderKind", "find_inputs"]

log = logging.getLogger(__name__)

PATH_COLUMNS = ("path", "video")
PICTURE_SUFFIXES = FRAME_SUFFIXES | {".avif", ".heic", ".heif"}

FolderKind = Literal["pictures", "video"]
"""What the pictures of a folder are: separate ones, or the frames of a video."""


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
        The other columns of its line in the manifest; all of them where it has
        a column ``start`` or ``end``.
    start, end : float, optional
        Seconds between which it is read. None: as the batch says.
    speech : str, optional
        The file that says who speaks in it.
    """

    name: str
    path: str
    columns: dict[str, str] = field(default_factory=dict)
    start: float | None = None
    end: float | None = None
    speech: str | None = None

    @property
    def job(self) -> str | VideoPart:
        """What is read."""
        if self.start is None and self.end is None:
            return self.path
        return VideoPart(self.path, self.start, self.end)


def find_inputs(
    sources: Iterable[str | os.PathLike[str] | BatchInput], folder_as: FolderKind | None = None
) -> list[BatchInput]:
    """List the videos of folders, manifests and files, each once.

    Parameters
    ----------
    sources : iterable of path or BatchInput
        A folder: the videos in it and below it, by their suffixes, without hidden ones and
        without symbolic links that lead out of it. A ``.csv``, ``.tsv`` or ``.xlsx`` file: a
        manifest with a column ``path`` or ``video``, relative to the file; its other columns go to
        the output, and ``start`` and ``end`` say which part of the video is meant, in seconds or as
        ``HH:MM:SS.mmm``, and ``speech`` which file says who speaks. Anything else is a video or a
        picture, whether it can be read or not. What was found before stays as it is.
    folder_as : {"pictures", "video"}, optional
        What the pictures in folders are: each for itself, or in each folder the frames of one
        video. None: a folder that holds nothing but pictures is refused, and a folder that a
        manifest lists is the frames of a video.

    Raises
    ------
    BatchError
        A folder without videos, or with pictures that may be either; a manifest that can't be
        used, or nothing at all.
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
            paths = _in_folder(source, folder_as)
            several = [BatchInput(_unicode(path), path) for path in paths]
        elif source.lower().endswith(SHEETS):
            several = _in_manifest(Path(source), folder_as)
        else:
            several = [BatchInput(_unicode(source), source)]
        for item in several:
            videos.setdefault(item.name, item)
    if not videos:
        raise BatchError("no videos: give a folder, a manifest (.csv) or files")
    return list(videos.values())


def _in_folder(root: str, folder_as: FolderKind | None) -> list[str]:
    """Return the videos of a folder, in order of their names; ask where pictures may be either."""
    contents = _FolderContents(root)
    if folder_as == "pictures":
        paths = sorted([*contents.videos, *contents.pictures])
    elif folder_as == "video":
        paths = sorted([*contents.videos, *{os.path.dirname(path) for path in contents.pictures}])
    else:
        paths = contents.videos
        if contents.pictures and not paths:
            raise BatchError(
                f"{root}: holds {len(contents.pictures)} pictures and no video. Are they separate "
                "pictures (--as pictures; in Python folder_as='pictures'), or the frames of one "
                "video in each folder (--as video)?"
            )
        if contents.pictures:
            log.warning(
                "%s: %d pictures beside the videos are left out; --as pictures reads them, too",
                root,
                len(contents.pictures),
            )
    if not paths:
        raise BatchError(
            f"{root}: holds no video ({', '.join(sorted(VIDEO_SUFFIXES))}) and no picture "
            f"({', '.join(sorted(PICTURE_SUFFIXES))})"
        )
    return paths


class _FolderContents:
    """The videos and pictures in a folder and below it, in order of folders and names."""

    def __init__(self, root: str) -> None:
        self.videos: list[str] = []
        self.pictures: list[str] = []
        inside = os.path.join(os.path.realpath(root), "")
        left_out = 0
        # A linked folder is never entered: it leads out, or to what is found anyway, or in circles.
        for here, folders, files in os.walk(root, onerror=_refuse):
            folders[:] = sorted(name for name in folders if name[0] != ".")
            for name in sorted(files):
                suffix = os.path.splitext(name)[1].lower()
                if name[0] == "." or suffix not in VIDEO_SUFFIXES | PICTURE_SUFFIXES:
                    continue
                path = os.path.join(here, name)
                if os.path.islink(path) and not os.path.realpath(path).startswith(inside):
                    left_out += 1
                else:
                    (self.videos if suffix in VIDEO_SUFFIXES else self.pictures).append(path)
        if left_out:
            log.warning(
                "%s: %d symbolic links lead out of the folder and are left out", root, left_out
            )


def _refuse(error: OSError) -> None:
    raise BatchError(f"{error.filename}: can't be read ({error.strerror or error})")


def _in_manifest(file: Path, folder_as: FolderKind | None) -> list[BatchInput]:
    """Read a table of videos, as a spreadsheet saves it."""
    videos: dict[str, BatchInput] = {}
    lines: dict[str, str] = {}
    try:
        sheet = read_sheet(file, PATH_COLUMNS)
        column = next(name for name in PATH_COLUMNS if name in sheet.columns)
        for row in sheet.rows:
            for item in _pictures_of(_listed(file, row, column), folder_as):
                if item.name in videos:
                    raise BatchError(
                        f"{row.where}: '{item.name}' is there twice, first in {lines[item.name]}"
                    )
                videos[item.name] = item
                lines[item.name] = row.where.removeprefix(f"{file}, ")
    except BatchError:
        raise
    except EmoCLIPError as error:
        raise BatchError(str(error)) from error
    if not videos:
        raise BatchError(f"{file}: lists no video")
    return list(videos.values())


def _pictures_of(item: BatchInput, folder_as: FolderKind | None) -> Iterator[BatchInput]:
    """Yield what a line of a manifest means: the pictures of its folder, or the one video."""
    if folder_as != "pictures" or not os.path.isdir(item.path):
        yield item
        return
    contents = _FolderContents(item.path)
    for path in [*contents.videos, *contents.pictures]:
        inside = os.path.relpath(path, item.path)
        yield BatchInput(_unicode(os.path.join(item.name, inside)), path, item.columns)


def _listed(file: Path, row: SheetRow, column: str) -> BatchInput:
    """Return the video, or the part of one, of a line of a manifest."""
    name = row.values[column]
    if not name.strip():
        raise BatchError(f"{row.where}: the {column} is empty")
    path = name if "://" in name else os.path.join(file.parent, name)
    said = row.values.get("speech", "").strip()
    speech = os.path.join(file.parent, said) if said else None
    start, end = row.seconds("start"), row.seconds("end")
    # Where there are parts, the path stands beside the name of each, to join tables on.
    columns = dict(row.values)
    if "start" not in columns and "end" not in columns:
        del columns[column]
    if start is None and end is None:
        return BatchInput(name, path, columns, speech=speech)
    try:
        check_part(start, end)
    except EmoCLIPError as error:
        raise BatchError(f"{row.where}: {error}") from None
    # As W3C's "Media Fragments URI" writes it.
    span = ",".join("" if t is None else f"{t:.6f}".rstrip("0").rstrip(".") for t in (start, end))
    return BatchInput(f"{name}#t={span.rstrip(',')}", path, columns, start, end, speech)


def _unicode(path: str) -> str:
    """Return a name that can be written anywhere: a file system allows bytes that are no text."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
