"""The sentence encoder that the text tower learns from."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import CheckpointError, MissingDependencyError

__all__ = ["KeptTeacher", "Teacher", "load_teacher"]

log = logging.getLogger(__name__)


class Teacher(Protocol):
    """A sentence encoder: N texts -> (N, D) float32, unit length."""

    def __call__(self, texts: list[str]) -> NDArray[np.float32]: ...


def load_teacher(name: str) -> Teacher:
    """Load a sentence encoder: a folder, or its name on the Hugging Face Hub.

    Raises
    ------
    MissingDependencyError
        The package sentence-transformers is not installed.
    CheckpointError
        There is no such encoder, or the Hub can't be reached.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise MissingDependencyError(
            "sentence_transformers", "train", "Distilling the text tower"
        ) from None
    try:
        encoder = SentenceTransformer(name, device="cuda" if torch.cuda.is_available() else "cpu")
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"text.teacher: {name}: no sentence encoder of that name could be loaded ({error}). "
            "Name a folder that holds one, or a model on the Hugging Face Hub"
        ) from error

    def encode(texts: list[str]) -> NDArray[np.float32]:
        return encoder.encode(
            texts, batch_size=256, normalize_embeddings=True, show_progress_bar=False
        )

    return encode


class KeptTeacher:
    """A teacher that reads each text once: its embeddings are kept in a run folder, in float16.

    A teacher wider than the student is seen along the leading principal directions of what it read
    first, which are kept as well.

    Parameters
    ----------
    load : callable
        Returns the teacher; called when there is something new to read.
    folder : Path
        Holds ``teacher.json``, the texts, ``teacher.npy``, a row for each, and
        ``teacher_axes.npy``, a row for each direction.
    width : int, optional
        D, of the student. None: the teacher's own.
    """

    def __init__(self, load: Callable[[], Teacher], folder: Path, width: int | None = None) -> None:
        self._load, self._width = load, width
        self._axes = folder / "teacher_axes.npy"
        self._texts, self._vectors = folder / "teacher.json", folder / "teacher.npy"
        self._rows: dict[str, int] = {}
        self._read: NDArray[np.float16] | None = None
        if self._texts.is_file() and self._vectors.is_file():
            known = json.loads(self._texts.read_text(encoding="utf-8"))
            self._rows = {text: row for row, text in enumerate(known)}
            # Vectors are written first: of a run that was broken off, some have no text yet.
            self._read = np.load(self._vectors)[: len(known)]

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        """Return unit vectors (N, D)."""
        if new := [text for text in dict.fromkeys(texts) if text not in self._rows]:
            log.info("the teacher reads %d texts", len(new))
            fresh = self._load()(new).astype(np.float16)
            self._read = fresh if self._read is None else np.concatenate([self._read, fresh])
            self._rows.update({text: len(self._rows) + i for i, text in enumerate(new)})
            self._texts.parent.mkdir(parents=True, exist_ok=True)
            part = self._vectors.with_suffix(".part.npy")
            np.save(part, self._read)
            part.replace(self._vectors)
            part = self._texts.with_suffix(".part")
            part.write_text(json.dumps(list(self._rows)), encoding="utf-8")
            part.replace(self._texts)
        assert self._read is not None
        return self._narrowed(self._read[[self._rows[text] for text in texts]].astype(np.float32))

    def _narrowed(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._width is None or self._width >= vectors.shape[1]:
            return vectors
        if not self._axes.is_file():
            _, _, axes = np.linalg.svd(vectors.T @ vectors)
            part = self._axes.with_suffix(".part.npy")
            np.save(part, axes[: self._width])
            part.replace(self._axes)
        narrow = vectors @ np.load(self._axes).T
        return narrow / np.linalg.norm(narrow, axis=1, keepdims=True)
