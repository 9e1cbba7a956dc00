"""Text lists line by line, so that a complaint can name file and line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ....errors import DatasetError
from .classes import class_of_word
from .clips import Problem

__all__ = [
    "NumberedLine",
    "read_lines",
    "read_named",
    "read_numbered",
    "read_text",
    "read_worded",
    "zero_based",
]


@dataclass(frozen=True)
class NumberedLine:
    """A line ``path num_frames label``.

    Attributes
    ----------
    where : str
        ``file:line``.
    path : str
        With forward slashes.
    label : int
        As it stands in the file.
    """

    where: str
    path: str
    label: int


def read_text(path: Path, layout: str) -> str:
    """Read a list in UTF-8 or, as MAFW's Chinese captions circulate, in GB18030 (GBK).

    Raises
    ------
    DatasetError
        The file is missing or in neither encoding; the message ends with `layout`.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file. Expected: {layout}") from None
    except OSError as error:
        raise DatasetError(f"{path}: can't be read ({error.strerror or error})") from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DatasetError(f"{path}: is neither in UTF-8 nor in GBK. Save it as UTF-8")


def read_lines(path: Path, layout: str) -> list[tuple[str, str]]:
    """Return ``(file:line, text)`` of every line that is not blank.

    Raises
    ------
    DatasetError
        As :func:`read_text`.
    """
    # Not splitlines(): it also breaks at characters that may stand inside of a caption.
    lines = read_text(path, layout).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [(f"{path}:{n}", line) for n, line in enumerate(lines, start=1) if line.strip()]


def read_numbered(path: Path, layout: str, problems: list[Problem]) -> list[NumberedLine]:
    """Read a list of ``path num_frames label``; a line that isn't one goes to `problems`.

    Raises
    ------
    DatasetError
        As :func:`read_text`.
    """
    lines = []
    for where, text in read_lines(path, layout):
        fields = text.strip().rsplit(None, 2)  # from the right: a path may hold blanks
        if len(fields) != 3 or not all(field.isdecimal() for field in fields[1:]):
            what = f"expected 'path num_frames label', found {text.strip()[:80]!r}"
            problems.append(Problem("malformed line", where, what))
            continue
        lines.append(NumberedLine(where, fields[0].replace("\\", "/"), int(fields[2])))
    return lines


def read_named(path: Path, layout: str, problems: list[Problem]) -> list[NumberedLine]:
    """Read a list of ``video_name,label`` with a header, as DFEW is released.

    Clips are numbered there, and their folders have five digits.

    Raises
    ------
    DatasetError
        As :func:`read_text`.
    """
    lines = []
    for number, (where, text) in enumerate(read_lines(path, layout)):
        fields = [field.strip().strip('"') for field in text.split(",")]
        if number == 0 and not any(field.isdecimal() for field in fields):
            continue  # the header
        if len(fields) != 2 or not fields[0] or not fields[1].isdecimal():
            what = f"expected 'video_name,label', found {text.strip()[:80]!r}"
            problems.append(Problem("malformed line", where, what))
            continue
        lines.append(NumberedLine(where, fields[0].zfill(5), int(fields[1])))
    return lines


def read_worded(path: Path, layout: str, problems: list[Problem]) -> list[NumberedLine]:
    """Read a list of ``Scene/Emotion/clip Emotion``, as FERV39K is released; labels from 0.

    Raises
    ------
    DatasetError
        As :func:`read_text`.
    """
    lines = []
    for number, (where, text) in enumerate(read_lines(path, layout)):
        fields = text.replace(",", " ").split()
        if number == 0 and not any("/" in field for field in fields):
            continue  # a header, where there is one
        label = class_of_word(fields[-1])
        if len(fields) != 2 or label is None:
            what = f"expected 'Scene/Emotion/clip Emotion', found {text.strip()[:80]!r}"
            problems.append(Problem("malformed line", where, what))
            continue
        lines.append(NumberedLine(where, fields[0].replace("\\", "/"), label))
    return lines


def zero_based(files: Sequence[tuple[Path, list[NumberedLine]]], n_classes: int) -> list[list[int]]:
    """Return the labels of lists that belong together, counted from 0.

    DFEW's release counts from 1, most research code from 0. A file that has a 0 counts from 0, one
    that has an `n_classes` counts from 1. A file with neither fits both and follows the others.

    Raises
    ------
    DatasetError
        A file fits neither way of counting, or no file tells which of the two it is.
    """
    bases = [_base(lines, n_classes) for _, lines in files]
    known = {base for base in bases if base is not None}
    labels = []
    for (path, lines), base_of_file in zip(files, bases, strict=True):
        if base_of_file is None and lines and len(known) != 1:
            raise DatasetError(
                f"{path}: has neither a label 0 nor a label {n_classes}, and no list beside it "
                "tells whether labels count from 0 or from 1. Use the complete list"
            )
        base = base_of_file if base_of_file is not None else next(iter(known), 0)
        labels.append([line.label - base for line in lines])
    return labels


def _base(lines: list[NumberedLine], n_classes: int) -> int | None:
    if not lines:
        return None
    low = min(line.label for line in lines)
    high = max(line.label for line in lines)
    if high > n_classes or (low == 0 and high == n_classes):
        highest = next(line for line in lines if line.label == high)
        raise DatasetError(
            f"{highest.where}: label {high} in a list whose labels must be 0 to {n_classes - 1}, "
            f"or 1 to {n_classes} (its lowest is {low}). Is it the list of these {n_classes} "
            "classes?"
        )
    if low == 0:
        return 0
    return 1 if high == n_classes else None
