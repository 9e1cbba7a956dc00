"""Each label against its absence: probabilities that don't depend on the other labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checkpoints.reliability import MeasuredPresence, MeasuredReliability
from ..errors import EmoCLIPError
from ..prompts import LabelText
from ..results.reliability import LabelReliability

__all__ = ["MIN_PRESENCE", "LabelPresence", "label_presence"]

MIN_PRESENCE = 0.5
"""The probability from which on a label counts as shown, unless the caller says another one."""


@dataclass(frozen=True)
class LabelPresence:
    """The calibrated curve of each of N labels: from cosine similarity to probability.

    Attributes
    ----------
    scales, levels : ndarray, (N,)
        The probability is 1 / (1 + exp(level - scale · cosine)) (Platt 1999).
    """

    scales: NDArray[np.float64]
    levels: NDArray[np.float64]

    def scores(self, similarities: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Turn cosine similarities (B, N) to probabilities (B, N)."""
        logits = self.scales * np.asarray(similarities, np.float64) - self.levels
        return np.asarray(1 / (1 + np.exp(-logits)))


def label_presence(
    measured: MeasuredReliability | None,
    texts: Sequence[LabelText],
    reliability: Mapping[str, LabelReliability],
    model: str,
) -> LabelPresence:
    """Choose the curve of each label: its own, that of facial actions, or that of other words.

    Parameters
    ----------
    measured : MeasuredReliability, optional
    texts : sequence of LabelText
        What the N labels became.
    reliability : mapping of str to LabelReliability
        What is known of them.
    model : str
        Its name, for messages.

    Raises
    ------
    EmoCLIPError
        Nothing was calibrated with the model, or a label has no probability of its own.
    """
    if measured is None or not measured.presence:
        raise EmoCLIPError(
            f"{model}: multi_label needs probabilities that were calibrated with the model, and it "
            "has none. Calibrate it with 'emoclip-train reliability --model FOLDER --root "
            "ferplus.npz', or leave multi_label out: scores then compare the labels"
        )
    known = {(each.kind, each.name): each for each in measured.presence}
    curves = [_curve(known, text, reliability[text.label]) for text in texts]
    return LabelPresence(
        np.array([each.scale for each in curves]), np.array([each.level for each in curves])
    )


def _curve(
    known: Mapping[tuple[str, str], MeasuredPresence], text: LabelText, trust: LabelReliability
) -> MeasuredPresence:
    if text.kind == "compound":
        raise EmoCLIPError(
            f"'{text.label}' is a compound, which is one more label that competes with the others. "
            "With multi_label, name its parts: each has a probability of its own, and several may "
            "be high"
        )
    if text.kind == "fitted":
        raise EmoCLIPError(
            f"'{text.label}' was fitted to examples of yours, for which no probabilities are "
            "calibrated: leave multi_label out, or unfit_labels()"
        )
    own = known.get(("label", text.name or ""))
    if own is not None and trust.level == "measured" and trust.auc is None:
        return own
    words = known["words", ""]
    return words if trust.auc is None else known.get(("actions", ""), words)
