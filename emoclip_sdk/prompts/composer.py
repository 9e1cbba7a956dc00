"""The composer: labels to texts, and texts to one embedding per label (eq. 2)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import PromptError
from .bank import PromptBank
from .files import PLACEHOLDER
from .labels import is_caption, label_key, tidy

__all__ = ["CompoundMode", "LabelEncoder", "LabelText", "compose"]

CompoundMode = Literal["average", "concatenate"]
Kind = Literal["bank", "template", "custom", "compound", "caption", "fitted"]

_MAX_TEXTS = 20_000  # 40 MB of 512-d vectors; a service that is sent ever new labels must not grow
_MAX_MATRICES = 64


@dataclass(frozen=True)
class LabelText:
    """What a label became, so that a result can say it.

    Parameters
    ----------
    label : str
        The label in the caller's wording.
    kind : str
        ``bank``: the bank's descriptions. ``custom``: descriptions added at run time. ``compound``:
        the descriptions of its components. ``template``: unknown to the bank, put into templates.
        ``caption``: a sentence, used word for word. ``fitted``: any of these, moved towards a
        caller's own examples.
    texts : tuple of str
        The texts that were encoded.
    weights : tuple of float
        Their weights in the label's embedding; they sum to 1.
    name : str, optional
        The bank's entry. None for a template or caption.
    parts : tuple of (str, float)
        A compound's components and their weights, which sum to 1.
    """

    label: str
    kind: Kind
    texts: tuple[str, ...]
    weights: tuple[float, ...]
    name: str | None = None
    parts: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "label": self.label,
            "kind": self.kind,
            "name": self.name,
            "parts": dict(self.parts),
            "texts": list(self.texts),
        }


def compose(bank: PromptBank, label: str, compound: CompoundMode = "average") -> LabelText:
    """Return the texts and weights that a label stands for. Encodes nothing.

    Parameters
    ----------
    bank : PromptBank
        Where labels are looked up first.
    label : str
        A name or alias, any other word (template), or a sentence of five words and more (caption).
    compound : {"average", "concatenate"}
        Average: the components' texts weighted as eq. 2 says. Concatenate: the paper's baseline,
        the components' first descriptions joined into one text. It changes compounds only.

    Raises
    ------
    PromptError
        For an empty label or one that is not text, or an unknown label in a bank without templates.
    """
    if not isinstance(label, str) or not label_key(label):
        raise PromptError(f"A label must be text and not empty, not {label!r}")
    if compound not in ("average", "concatenate"):
        raise PromptError(f"compound must be 'average' or 'concatenate', not {compound!r}")
    name = bank.resolve(label)
    compounds = bank.compounds
    if name is None:
        if is_caption(label):
            return LabelText(label, "caption", (tidy(label),), (1.0,))
        if not bank.templates:
            raise PromptError(
                f"The prompt bank does not know {label!r} and has no templates for it"
            )
        # A data set's underscore means a blank; the text tower would read it as a character.
        spoken = tidy(label.replace("_", " "))
        texts = [template.replace(PLACEHOLDER, spoken) for template in bank.templates]
        return _label_text(label, "template", [(text, 1 / len(texts)) for text in texts])
    if name not in compounds:
        kind: Kind = "custom" if bank.is_custom(name) else "bank"
        return _label_text(label, kind, _leaves(bank, compounds, name, 1.0), name)
    total = sum(weight for _, weight in compounds[name])
    parts = tuple((part, weight / total) for part, weight in compounds[name])
    leaves = _leaves(bank, compounds, name, 1.0)
    if compound == "concatenate":
        leaves = [(_joined(bank, compounds, name), 1.0)]
    return _label_text(label, "compound", leaves, name, parts)


def _label_text(
    label: str,
    kind: Kind,
    leaves: Sequence[tuple[str, float]],
    name: str | None = None,
    parts: tuple[tuple[str, float], ...] = (),
) -> LabelText:
    # Two components can share a text (nested compounds): one row, the weights added.
    weights: dict[str, float] = {}
    for text, weight in leaves:
        weights[text] = weights.get(text, 0.0) + weight
    return LabelText(label, kind, tuple(weights), tuple(weights.values()), name, parts)


def _leaves(
    bank: PromptBank, compounds: dict[str, tuple[tuple[str, float], ...]], name: str, share: float
) -> list[tuple[str, float]]:
    # A mean of means is itself a weighted mean of the raw text embeddings, so nesting is arithmetic
    # on the weights and no vector has to be kept per component.
    if name not in compounds:
        texts = bank.descriptions(name)
        return [(text, share / len(texts)) for text in texts]
    total = sum(weight for _, weight in compounds[name])
    return [
        leaf
        for part, weight in compounds[name]
        for leaf in _leaves(bank, compounds, part, share * weight / total)
    ]


def _joined(
    bank: PromptBank, compounds: dict[str, tuple[tuple[str, float], ...]], name: str
) -> str:
    if name not in compounds:
        text = bank.descriptions(name)[0]
        return text if text.endswith((".", "!", "?")) else f"{text}."
    return " ".join(_joined(bank, compounds, part) for part, _ in compounds[name])


class LabelEncoder:
    """Embeds labels with a text encoder, and remembers every text that it has encoded.

    Parameters
    ----------
    bank : PromptBank
        Where labels are looked up. May be changed between calls: the bank's hash tells.
    encode_text : callable
        From N texts to their (N, D) embeddings **before** normalization. Batching is up to it.
    """

    def __init__(
        self, bank: PromptBank, encode_text: Callable[[list[str]], NDArray[np.floating[Any]]]
    ) -> None:
        self.bank = bank
        self.encode_text = encode_text
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._results: dict[Any, tuple[NDArray[np.float32], tuple[LabelText, ...]]] = {}
        self._shifts: dict[str, NDArray[np.float32]] = {}

    @property
    def hash(self) -> str:
        """Hash of what labels are made of: the bank's, and something more after :meth:`fit`."""
        if not self._shifts:
            return self.bank.hash
        digest = hashlib.sha256()
        for key, shift in sorted(self._shifts.items()):
            digest.update(key.encode() + shift.tobytes())
        return f"{self.bank.hash}+{digest.hexdigest()[:6]}"

    @property
    def is_fitted(self) -> bool:
        """Whether some label was moved by :meth:`fit`."""
        return bool(self._shifts)

    def fit(self, shifts: Mapping[str, NDArray[np.float32]]) -> None:
        """Add a vector (D,) to the text embedding, of unit length, of each of these labels.

        What was fitted before is undone. Compounds are made of texts still.
        """
        self._shifts = {self._key(compose(self.bank, label)): v for label, v in shifts.items()}

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
            meaning: both would share the softmax, and each would get half of its due.
        """
        if isinstance(labels, str):
            raise PromptError(f"labels must be a list: [{labels!r}], not {labels!r}")
        wanted = tuple(labels)
        if not wanted:
            raise PromptError("Give at least one label")
        key = (self.hash, wanted, compound)
        found = self._results.get(key) if all(isinstance(label, str) for label in wanted) else None
        if found is None:
            texts = tuple(compose(self.bank, label, compound) for label in wanted)
            _refuse_same(texts)
            found = self._shifted(self._combine(texts), texts)
            if len(self._results) >= _MAX_MATRICES:
                self._results = {}
            self._results[key] = found
        return found[0].copy(), list(found[1])

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
        found = list(texts)
        for i, text in enumerate(texts):
            shift = self._shifts.get(self._key(text))
            if shift is not None:
                vectors[i] = vectors[i] / np.linalg.norm(vectors[i]) + shift
                found[i] = dataclasses.replace(text, kind="fitted")
        return vectors, tuple(found)

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
