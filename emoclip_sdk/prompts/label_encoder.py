"""From labels to one text embedding each (eq. 2), with a cache of every text."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PromptError
from .bank import PromptBank
from .composer import CompoundMode, LabelText, compose
from .labels import LabelSet, has_latin_word, label_key, listed_labels
from .near_misses import near_misses

__all__ = ["LabelEncoder"]

log = logging.getLogger(__name__)

_MAX_TEXTS = 20_000  # 40 MB of 512-d vectors; a service that is sent ever new labels must not grow
_MAX_MATRICES = 64
_MANY = 50  # parts of a text that is certainly a list
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
        self._noted: set[Any] = set()  # labels that were looked at; (label,): alone

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

    def described(self, labels: LabelSet) -> LabelEncoder:
        """Return an encoder whose bank has the descriptions that come with `labels`.

        Without any, it is this one. This one and its bank stay as they are; texts that were encoded
        are shared.

        Raises
        ------
        PromptError
            A description that is no text, or empty.
        """
        if not isinstance(labels, Mapping):
            return self
        other = copy.copy(self)
        other.bank = self.bank.copy()
        for name, texts in labels.items():
            if texts is None:
                continue
            if not isinstance(texts, str) and not isinstance(texts, Sequence):
                raise PromptError(
                    f"The description of {name!r} must be a text, a list of texts, or None for "
                    f"those of the prompt bank, not {texts!r}"
                )
            other.bank.add_label(name, texts)
        own = {label_key(name) for name, texts in labels.items() if texts is not None}
        other.shifts = {key: shift for key, shift in self.shifts.items() if key not in own}
        return other

    def note(self, texts: Sequence[LabelText], multi_label: bool = False) -> None:
        """Log, once, what a caller may not expect of labels: near misses, and one label alone.

        With `multi_label`, one label alone is nothing to wonder about.
        """
        if len(self._noted) > _MAX_TEXTS:
            self._noted.clear()
        for text in texts:
            if text.kind != "template" or text.label in self._noted:
                continue
            self._noted.add(text.label)
            if close := near_misses(self.bank, text.label):
                log.warning(
                    "%r is not in the prompt bank and is used through templates. Did you mean %s?",
                    text.label,
                    " or ".join(map(repr, close)),
                )
        if len(texts) == 1 and not multi_label and (texts[0].label,) not in self._noted:
            self._noted.add((texts[0].label,))
            log.warning(
                "%r is the only label: its score is 1 whatever a face shows. Add what else it "
                "could be, such as 'neutral', or look at confidence and similarities",
                texts[0].label,
            )

    def embed(
        self, labels: Iterable[str], *, compound: CompoundMode = "average"
    ) -> tuple[NDArray[np.float32], list[LabelText]]:
        """Embed labels: the weighted mean of their texts' raw embeddings (eq. 2 and its like).

        The mean is taken before normalization, for a compound's components as in eq. 2 and in the
        same way for the descriptions of one label and for templates. Nothing is normalized here:
        the cosine similarity of eq. 1 does that.

        Parameters
        ----------
        labels : iterable of str
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
            names = listed_labels(labels) or [labels]
            raise PromptError(f"labels must be a list: {names!r}, not the text {labels!r}")
        requested = tuple(labels)
        if not requested:
            raise PromptError("Give at least one label")
        key = (self.hash, requested, compound)
        cacheable = all(isinstance(label, str) for label in requested)
        result = self._results.get(key) if cacheable else None
        if result is None:
            texts = tuple(compose(self.bank, label, compound) for label in requested)
            _refuse_lists(texts, self.bank)
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


def _refuse_lists(labels: Sequence[LabelText], bank: PromptBank) -> None:
    """Refuse a label that is a list of labels: all in one, or with marks that no name has."""
    for item in labels:
        names = listed_labels(item.label)
        if len(names) < 2 or item.kind in ("caption", "custom") or bank.has_wording(item.label):
            continue
        if len(labels) > 1 and not set(";|\t\n") & set(item.label):
            continue  # "anger, disgust and contempt" among others is how data sets write a compound
        if len(names) > _MANY:
            raise PromptError(f"One label is a list of {len(names)}: give each as a label")
        if any(name in bank or near_misses(bank, name) for name in names):
            raise PromptError(
                f"{item.label!r} is one label that reads like {len(names)}: write {names!r}"
                + (f", or {' + '.join(names)!r} for their compound" if item.name else "")
            )


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
        first, second = (labels[int(i)] for i in np.argwhere(alike)[0])
        one, other = first.label, second.label
        if set(first.texts) == set(second.texts):
            raise PromptError(
                f"The labels {one!r} and {other!r} are made of the same descriptions: each would "
                "get half of the score. Leave one of them out"
            )
        raise PromptError(
            f"This model can't tell the labels {one!r} and {other!r} apart: its text encoder reads "
            "both alike. It reads English, and of a long text the beginning (about 50 words). Use "
            "other words"
        )
