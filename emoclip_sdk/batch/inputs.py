"""Which videos a batch consists of: folders, CSV manifests, files."""

from __future__ import annotations

import codecs
import csv
import io
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BatchError, EmoCLIPError
from ..video import check_part
from ..video.opening import VIDEO_SUFFIXES
from .crops import VideoPart

__all__ = ["BatchInput", "find_inputs"]

log = logging.getLogger(__name__)

MANIFESTS = (".csv", ".tsv")
PATH_COLUMNS = ("path", "video")
_SEPARATOR = re.compile(r"sep=(.)\r?\n")  # a first line that is for Excel


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
    """

    name: str
    path: str
    columns: dict[str, str] = field(default_factory=dict)
    start: float | None = None
    end: float | None = None

    @property
    def job(self) -> str | VideoPart:
        """What is read."""
        if self.start is None and self.end is None:
            return self.path
        return VideoPart(self.path, self.start, self.end)


def find_inputs(sources: Iterable[str | os.PathLike[str] | BatchInput]) -> list[BatchInput]:
    """List the videos of folders, manifests and files, each once.

    Parameters
    ----------
    sources : iterable of path or BatchInput
        A folder: the videos in it and below it, by their suffixes, without hidden ones and
        without symbolic links that lead out of it. A ``.csv`` or ``.tsv`` file: a manifest with a
        column ``path`` or ``video``, relative to the file; its other columns go to the output, and
        ``start`` and ``end`` say which part of the video is meant, in seconds. Anything else
        is a video, whether it can be read or not. What was found before stays as it is.

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
        elif source.lower().endswith(MANIFESTS):
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
    """Read a table of videos, as a spreadsheet saves it."""
    videos: dict[str, BatchInput] = {}
    lines: dict[str, int] = {}
    try:
        text = _text(file)
        first = _SEPARATOR.match(text)
        separator = first[1] if first else _separator(text)
        begin = first.end() if first else 0
        reader = csv.DictReader(
            io.StringIO(text[begin:], newline=""), restkey="", strict=True, delimiter=separator
        )
        names = reader.fieldnames or []
        column = next((name for name in PATH_COLUMNS if name in names), None)
        if column is None:
            raise BatchError(
                f"{file}: has no column 'path' or 'video'; its columns are {list(names)}"
            )
        if len(set(names)) < len(names) or "" in names:
            raise BatchError(f"{file}: a column has no name, or two have the same: {names}")
        for row in reader:
            number = reader.line_num + (first is not None)
            where = f"{file}, line {number}"
            if "" in row or None in row.values():
                raise BatchError(f"{where}: not {len(names)} fields, as the first line has")
            if not any(value.strip() for value in row.values()):
                continue  # a line of a spreadsheet that was emptied
            item = _listed(file, row, column, separator, where)
            name = item.name
            if name in videos:
                raise BatchError(f"{where}: '{name}' is there twice, first in {lines[name]}")
            videos[name], lines[name] = item, number
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise BatchError(
            f"{file}: can't be read as CSV in UTF-8 ({reason}). In Excel, save it as 'CSV UTF-8'"
        ) from error
    if not videos:
        raise BatchError(f"{file}: lists no video")
    return list(videos.values())


def _text(file: Path) -> str:
    """Read text in UTF-8, or in UTF-16 where the file begins with its mark: Excel's own kinds."""
    content = file.read_bytes()
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig")


def _separator(text: str) -> str:
    """Return what separates the columns: what makes one of them that of the paths."""
    for separator in (",", ";", "\t"):
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
        if any(name in header for name in PATH_COLUMNS):
            return separator
    return ","


def _listed(file: Path, row: dict[str, str], column: str, separator: str, where: str) -> BatchInput:
    """Return the video, or the part of one, of a line of a manifest."""
    name = row[column]
    if not name.strip():
        raise BatchError(f"{where}: the {column} is empty")
    path = name if "://" in name else os.path.join(file.parent, name)
    start, end = (_seconds(row.get(key, ""), key, separator, where) for key in ("start", "end"))
    # Where there are parts, the path stands beside the name of each, to join tables on.
    columns = dict(row)
    if "start" not in row and "end" not in row:
        del columns[column]
    if start is None and end is None:
        return BatchInput(name, path, columns)
    try:
        check_part(start, end)
    except EmoCLIPError as error:
        raise BatchError(f"{where}: {error}") from None
    # As W3C's "Media Fragments URI" writes it.
    span = ",".join("" if t is None else f"{t:.6f}".rstrip("0").rstrip(".") for t in (start, end))
    return BatchInput(f"{name}#t={span.rstrip(',')}", path, columns, start, end)


def _seconds(text: str, column: str, separator: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        # Where a comma is no separator, it may be the decimal point.
        return float(text if separator == "," else text.replace(",", "."))
    except ValueError:
        raise BatchError(f"{where}: '{text}' in column {column} is no number of seconds") from None


def _unicode(path: str) -> str:
    """Return a name that can be written anywhere: a file system allows bytes that are no text."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
