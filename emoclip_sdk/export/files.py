"""Files that are written whole or not at all, never over what is read, with text for any format."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import EmoCLIPError
from ..video.pictures import FRAME_SUFFIXES

__all__ = ["atomic_write", "check_output", "plain_text"]

_PART = ".part"


def check_output(path: str | Path, inputs: Iterable[Any], others: Iterable[Any] = ()) -> None:
    """Refuse an output that would take the place of something that is read, or written besides.

    Two names of one file count as one, also by links. A picture may not be written into a folder of
    frames either: it would be a frame of it from then on.

    Parameters
    ----------
    path : str or Path
        The file or folder to be written.
    inputs : iterable
        What is read: paths. Anything else, as None or the content of a file, can't be written over.
    others : iterable
        Further outputs, likewise.

    Raises
    ------
    EmoCLIPError
        Naming the output and what it would destroy.
    """
    path = Path(path)
    for given in inputs:
        for target in (path, path.parent / (path.name + _PART)):
            if _same_file(target, given):
                raise EmoCLIPError(
                    f"{path}: is read ({os.fsdecode(given)}), and would be overwritten. "
                    "Write to another name"
                )
        if _joins_frames(path, given):
            raise EmoCLIPError(
                f"{path}: would become a frame of the folder {os.fsdecode(given)}, which is read. "
                "Write to another folder"
            )
    for other in others:
        if _same_file(path, other):
            raise EmoCLIPError(f"{path}: is to be written twice. Name each output otherwise")


def _same_file(path: Path, other: Any) -> bool:
    if not isinstance(other, str | os.PathLike):
        return False
    try:
        if os.path.realpath(path) == os.path.realpath(os.fsdecode(other)):
            return True
        return os.path.samefile(path, other)  # hard links, and names that differ by case only
    except (OSError, ValueError):  # one is not there: what is not there is not destroyed
        return False


def _joins_frames(path: Path, folder: Any) -> bool:
    if path.suffix.lower() not in FRAME_SUFFIXES or not isinstance(folder, str | os.PathLike):
        return False
    try:
        if not os.path.isdir(folder) or not _same_file(path.parent, folder):
            return False
        with os.scandir(os.fsdecode(folder)) as items:
            return any(os.path.splitext(item.name)[1].lower() in FRAME_SUFFIXES for item in items)
    except (OSError, ValueError):
        return False


@contextmanager
def atomic_write(path: str | Path, origin: str | None = None) -> Iterator[Path]:
    """Yield ``NAME.part`` beside a file, to be written; it takes the file's name when it is whole.

    What raises an error leaves neither behind.

    Parameters
    ----------
    path : str or Path
    origin : str, optional
        The file that the result was read from, which stays as it is.

    Raises
    ------
    EmoCLIPError
        The file can't be written, or is the origin.
    """
    path = Path(path)
    if not path.name:
        raise EmoCLIPError(f"'{path}' is the name of no file: nothing can be written there")
    check_output(path, [origin])
    part = path.with_name(path.name + _PART)
    try:
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise EmoCLIPError(f"{path}: can't be written ({error.strerror or error})") from error


def plain_text(text: str) -> str:
    """Return a text on one line, without what XML can't hold: control characters, surrogates."""
    return "".join(
        c
        for c in " ".join(text.split())
        if unicodedata.category(c) not in ("Cc", "Cs") and c not in "\ufffe\uffff"
    )
