"""Files that are written whole or not at all, and text that every format can hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import EmoCLIPError

__all__ = ["atomic_write", "plain_text"]


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield ``NAME.part`` beside a file, to be written; it takes the file's name when it is whole.

    What raises an error leaves neither behind.

    Raises
    ------
    EmoCLIPError
        The file can't be written.
    """
    part = path.with_name(path.name + ".part")
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
