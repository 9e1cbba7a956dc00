"""How far labels can be trusted, by the words that they use and by what a model was trained on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..checkpoints.reliability import MeasuredAction, MeasuredReliability
from ..prompts import LabelText
from ..prompts.facial_actions import action_wordings
from ..prompts.labels import label_key
from ..prompts.unreadable import UnreadPart, describes_one_action, unread_parts
from ..results.reliability import LabelReliability
from .scorer import cosine_similarities

__all__ = ["LabelJudge", "neighbor_likeness"]

READABLE_AUC = 0.7
"""Below, the words for a facial action find it too seldom to be worth an answer."""

_NEAREST = 5


def neighbor_likeness(
    vectors: NDArray[np.floating], neighbors: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the mean cosine similarity of N vectors to their five nearest neighbors, (N,)."""
    similarities = np.sort(cosine_similarities(vectors, neighbors), axis=1)
    return np.asarray(similarities[:, -_NEAREST:].mean(axis=1))


class LabelJudge:
    """Tells how far labels can be trusted.

    Parameters
    ----------
    measured : MeasuredReliability, optional
        Of the model. None: nothing is known.
    encode : callable
        From N texts to (N, D), as the text tower reads them before its head: there, words that have
        nothing to do with faces are far from those that have.
    """

    def __init__(
        self,
        measured: MeasuredReliability | None,
        encode: Callable[[list[str]], NDArray[np.float32]],
    ) -> None:
        self._measured = measured
        self._encode = encode
        self._neighbors: NDArray[np.float32] | None = None
        self._by_wording = {
            label_key(wording): name
            for name, wordings in action_wordings().items()
            for wording in wordings
        }
        words = () if measured is None else measured.words
        self._trained = {*map(label_key, words), *self._by_wording}

    def __call__(
        self, vectors: NDArray[np.float32], texts: Sequence[LabelText]
    ) -> dict[str, LabelReliability]:
        """Judge N labels by their embeddings (N, D) and by what they were turned into."""
        return {
            text.label: self._judge(vector, text)
            for vector, text in zip(vectors, texts, strict=True)
        }

    def _judge(self, vector: NDArray[np.float32], text: LabelText) -> LabelReliability:
        measured = self._measured
        if measured is None:
            return LabelReliability(text.label, "unmeasured", "nothing was measured of this model")
        if text.kind == "fitted":
            return LabelReliability(
                text.label,
                "unmeasured",
                "fitted to examples of yours: see what fit_labels reported",
            )
        own = next((c for c in measured.classes if c.name == text.name), None)
        if own is not None and text.kind == "bank":
            sentence = f"measured: {own.recall:.0%} of {own.n} are recognized"
            return LabelReliability(text.label, "measured", sentence, own.name, own.recall)
        if text.kind in ("bank", "compound"):
            return self._alike(vector, text, None, [])
        return self._free(vector, text, measured)

    def _free(
        self, vector: NDArray[np.float32], text: LabelText, measured: MeasuredReliability
    ) -> LabelReliability:
        """Judge words that are the caller's own."""
        wordings = text.texts if text.kind == "custom" else (text.label,)
        action = self._action(wordings)
        if action is not None:
            return self._by_action(text.label, *action)
        parts: list[UnreadPart] = []
        if label_key(text.label) not in self._trained:
            findings = [unread_parts(wording, self._vocabulary) for wording in wordings]
            parts = [part for each in findings for part in each]
            if all(any(part.spoils for part in each) for each in findings):
                return _unread(text.label, parts)
        likeness = float(np.average(self._likeness(wordings), weights=self._weights(text)))
        if likeness < measured.min_likeness:
            sentence = "not readable by this model: far from all that it was trained on"
            return LabelReliability(text.label, "unreadable", sentence, likeness=likeness)
        return self._alike(vector, text, likeness, parts)

    @functools.cached_property
    def _vocabulary(self) -> frozenset[str] | None:
        words = frozenset(self._measured.vocabulary.split()) if self._measured else frozenset()
        return words or None

    @staticmethod
    def _weights(text: LabelText) -> Sequence[float]:
        return text.weights if text.kind == "custom" else (1.0,)

    def _likeness(self, wordings: Sequence[str]) -> NDArray[np.float64]:
        return neighbor_likeness(self._encode(list(wordings)), self.neighbors)

    @property
    def neighbors(self) -> NDArray[np.float32]:
        """What the model was trained on, as its text tower reads it: words, then actions."""
        if self._neighbors is None:
            words = [] if self._measured is None else list(self._measured.words)
            self._neighbors = self._encode([*words, *self._wordings()])
        return self._neighbors

    @staticmethod
    def _wordings() -> list[str]:
        return [wording for wordings in action_wordings().values() for wording in wordings]

    def _action(self, wordings: Sequence[str]) -> tuple[str, bool] | None:
        """Return the one facial action that is described, and whether training had these words."""
        if len(wordings) > 1:
            return None
        exact = self._by_wording.get(label_key(wordings[0]))
        if exact is not None:
            return exact, True
        if not describes_one_action(wordings[0]):
            return None
        similarities = cosine_similarities(self._encode(list(wordings)), self.neighbors)[0]
        rest = similarities[len(similarities) - len(self._wordings()) :]
        if rest.max() < similarities.max():  # a word for an expression is nearer: "happy eyes"
            return None
        # By two wordings: a single one may be near for a word that it shares.
        nearness, start = {}, 0
        for name, known in action_wordings().items():
            nearness[name] = float(np.sort(rest[start : start + len(known)])[-2:].mean())
            start += len(known)
        return max(nearness, key=nearness.__getitem__), False

    def _by_action(self, label: str, name: str, trained: bool) -> LabelReliability:
        actions = () if self._measured is None else self._measured.actions
        action: MeasuredAction | None = next((a for a in actions if a.name == name), None)
        words = "these words" if trained else "such words"
        instead = "; 'emoclip actions' measures faces instead"
        if action is None:
            sentence = f"not readable by this model: how well {words} find a face was not measured"
            return LabelReliability(label, "unreadable", sentence + instead)
        auc = action.auc if trained or action.other_words is None else action.other_words
        if auc < READABLE_AUC:
            sentence = f"not readable by this model: {words} hardly find such faces (AUC {auc:.2f}"
            sentence += f"; 0.5 is chance){instead}"
            return LabelReliability(label, "unreadable", sentence, auc=auc)
        sentence = f"measured: {words} find such faces (AUC {auc:.2f})"
        return LabelReliability(label, "measured", sentence, auc=auc)

    def _alike(
        self,
        vector: NDArray[np.float32],
        text: LabelText,
        likeness: float | None,
        parts: Sequence[UnreadPart],
    ) -> LabelReliability:
        """Say which of the model's own labels has the faces that score highest for a label."""
        assert self._measured is not None
        classes = self._measured.classes
        centers = np.array([known.center for known in classes])
        nearest = classes[int(cosine_similarities(vector[None], centers)[0].argmax())]
        sentence = f"read through its likeness to {nearest.name}"
        if parts:
            sentence += ", but for " + _quoted(parts)
        return LabelReliability(
            text.label,
            "likeness",
            sentence,
            nearest.name,
            nearest.recall,
            likeness=likeness,
            unread=tuple(dict.fromkeys(part.kind for part in parts)),
        )


def _unread(label: str, parts: Sequence[UnreadPart]) -> LabelReliability:
    reasons = "; ".join(dict.fromkeys(part.reason for part in parts))
    sentence = f"not readable by this model: {_quoted(parts)}; {reasons}"
    kinds = tuple(dict.fromkeys(part.kind for part in parts))
    return LabelReliability(label, "unreadable", sentence, unread=kinds)


def _quoted(parts: Sequence[UnreadPart]) -> str:
    return ", ".join(
        f"{' and '.join(repr(word) for word in part.words)} ({part.kind})" for part in parts
    )
