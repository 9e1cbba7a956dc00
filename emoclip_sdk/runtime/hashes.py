"""Hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["file_hash"]


def file_hash(*paths: Path) -> str:
    """Return the SHA-256 of one file, or of several one after the other, as 64 hex digits.

    Raises
    ------
    OSError
        A file can't be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
