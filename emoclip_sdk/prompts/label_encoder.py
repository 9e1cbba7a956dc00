"""From labels to one text embedding each (eq. 2), with a cache of every text."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PromptError
from .bank import PromptBank
from .composer import CompoundMode, LabelText, compose
from .labels import has_latin_word, label_key

__all__ = ["LabelEncoder"]

_MAX_TEXTS = 20_000  # 40 MB of 512-d vectors; a service that is sent ever new labels must not grow
_MAX_MATRICES = 64
_ALIKE = 1 - 1e-6  # cosine of two labels between which a text encoder sees no difference


class LabelEncoder:
    """Embeds labels with a text encoder, and remembers every text that it has encoded.

    Parameters
    ----------
    bank : PromptBank
        Where labels are looked up. May be changed between calls: its hash is part of the key.
    encode_text : callable
        From N texts to their (N, D) embeddings **before** normalization. Batching is up to it.
    english : bool
        The text encoder reads English alone: labels in other scripts, which it would all read
        alike, are refused.

    Attributes
    ----------
    shifts : dict of str to ndarray (D,)
        What :meth:`fit` adds to labels, by their comparison keys.
    """

    def __init__(
        self,
        bank: PromptBank,
        encode_text: Callable[[list[str]], NDArray[np.floating[Any]]],
        english: bool = False,
    ) -> None:
        self.bank = bank
        self.english = english
        self.encode_text = encode_text
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._results: dict[Any, tuple[NDArray[np.float32], tuple[LabelText, ...]]] = {}
        self.shifts: dict[str, NDArray[np.float32]] = {}

    @property
    def hash(self) -> str:
        """Hash of what labels are made of: the bank's, and something more after :meth:`fit`."""
        if not self.shifts:
            return self.bank.hash
        digest = hashlib.sha256()
        for key, shift in sorted(self.shifts.items()):
            digest.update(key.encode() + shift.tobytes())
        return f"{self.bank.hash}+{digest.hexdigest()[:6]}"

    @property
    def is_fitted(self) -> bool:
        """Whether some label was moved by :meth:`fit`."""
        return bool(self.shifts)

    def fit(self, shifts: Mapping[str, NDArray[np.float32]]) -> None:
        """Add a vector (D,) to the text embedding, of unit length, of each of these labels.

        What was fitted before is undone. Compounds are made of texts still.
        """
        self.shifts = {self._key(compose(self.bank, label)): v for label, v in shifts.items()}

    def embed(
        self, labels: Sequence[str], *, compound: CompoundMode = "average"
    ) -> tuple[NDArray[np.float32], list[LabelText]]:
        """Embed labels: the weighted mean of their texts' raw embeddings (eq. 2 and its like).

        The mean is taken before normalization, for a compound's components as in eq. 2 and in the
        same way for the descriptions of one label and for templates. Nothing is normalized here:
        the cosine similarity of eq. 1 does that.

        Parameters
        ----------
        labels : sequence of str
            Different labels; see :func:`compose` for what each becomes.
        compound : {"average", "concatenate"}
            How compounds are made.

        Returns
        -------
        embeddings : numpy.ndarray
            (N, D) float32, one row per label in the given order. A copy, free to be changed.
        texts : list of LabelText
            What each label became.

        Raises
        ------
        PromptError
            For no labels, a text instead of a list, an unusable label, or two labels of one
            meaning, or that the text encoder can't tell apart: both would share the softmax, and
            each would get half of its due.
        """
        if isinstance(labels, str):
            raise PromptError(f"labels must be a list: [{labels!r}], not {labels!r}")
        requested = tuple(labels)
        if not requested:
            raise PromptError("Give at least one label")
        key = (self.hash, requested, compound)
        cacheable = all(isinstance(label, str) for label in requested)
        result = self._results.get(key) if cacheable else None
        if result is None:
            texts = tuple(compose(self.bank, label, compound) for label in requested)
            _refuse_same(texts)
            if self.english:
                _refuse_unread(texts)
            result = self._shifted(self._combine(texts), texts)
            _refuse_alike(*result)
            if len(self._results) >= _MAX_MATRICES:
                self._results = {}
            self._results[key] = result
        return result[0].copy(), list(result[1])

    def clear(self) -> None:
        """Forget all embeddings. Needed after the text encoder's weights have changed."""
        self._vectors, self._results = {}, {}

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed N texts word for word, to (N, D) unnormalized; each is encoded once."""
        known = self._vectors
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            fresh = np.asarray(self.encode_text(new), dtype=np.float32)
            if fresh.ndim != 2 or len(fresh) != len(new):
                raise ValueError(
                    f"encode_text returned shape {fresh.shape} for {len(new)} texts, not (N, D)"
                )
            known = {**known, **dict(zip(new, fresh, strict=True))}
            self._vectors = known if len(known) <= _MAX_TEXTS else {}
        return np.stack([known[text] for text in texts])

    def _combine(self, labels: Sequence[LabelText]) -> NDArray[np.float32]:
        texts = list(dict.fromkeys(text for label in labels for text in label.texts))
        known = dict(zip(texts, self.embed_texts(texts), strict=True))
        rows = [
            np.average([known[text] for text in label.texts], axis=0, weights=label.weights)
            for label in labels
        ]
        return np.stack(rows).astype(np.float32)

    def _shifted(
        self, vectors: NDArray[np.float32], texts: tuple[LabelText, ...]
    ) -> tuple[NDArray[np.float32], tuple[LabelText, ...]]:
        shifted = list(texts)
        for i, text in enumerate(texts):
            shift = self.shifts.get(self._key(text))
            if shift is not None:
                vectors[i] = vectors[i] / np.linalg.norm(vectors[i]) + shift
                shifted[i] = dataclasses.replace(text, kind="fitted")
        return vectors, tuple(shifted)

    @staticmethod
    def _key(text: LabelText) -> str:
        return label_key(text.name or text.label)


def _refuse_same(labels: Sequence[LabelText]) -> None:
    seen: dict[str, str] = {}
    for item in labels:
        key = LabelEncoder._key(item)
        if key in seen:
            raise PromptError(
                f"The labels {seen[key]!r} and {item.label!r} mean the same "
                f"({item.name or item.label}). Leave one of them out"
            )
        seen[key] = item.label


def _refuse_unread(labels: Sequence[LabelText]) -> None:
    """Refuse labels that go to an English text encoder in another script, or as signs alone."""
    unread = [
        label.label
        for label in labels
        if label.kind in ("template", "caption") and not has_latin_word(label.label)
    ]
    if unread:
        raise PromptError(
            f"This model reads English, and there is nothing that it can read in "
            f"{', '.join(map(repr, unread))}. Use an English word or sentence, or describe the "
            f"face in English under this name: add_label({unread[0]!r}, 'Wide eyes and ...'), or a "
            "prompt file"
        )


def _refuse_alike(vectors: NDArray[np.float32], labels: Sequence[LabelText]) -> None:
    """Refuse labels whose embeddings are the same, whatever their words."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors.astype(np.float64) / np.where(lengths > 0, lengths, 1)
    alike = np.triu(unit @ unit.T > _ALIKE, 1)
    if alike.any():
        one, other = (labels[int(i)].label for i in np.argwhere(alike)[0])
        raise PromptError(
            f"This model can't tell the labels {one!r} and {other!r} apart: its text encoder reads "
            "both alike. It reads English, and of a long text the beginning (about 50 words). Use "
            "other words"
        )
