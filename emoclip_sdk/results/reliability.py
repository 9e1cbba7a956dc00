"""How far a label can be trusted, and what follows for a result: plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .numbers import json_value

__all__ = [
    "LabelReliability",
    "Level",
    "judged",
    "reliability_lines",
    "verdict",
]

Level = Literal["measured", "likeness", "unreadable", "unmeasured"]
"""How far a label can be trusted."""


@dataclass(frozen=True)
class LabelReliability:
    """How far a label can be trusted, by what was measured of the model.

    Attributes
    ----------
    label : str
    level : {"measured", "likeness", "unreadable", "unmeasured"}
        ``measured``: it is one of the labels or facial actions that the model was measured on.
        ``likeness``: it is not, and is read through its likeness to one that is. ``unreadable``:
        the model can't read it; where it wins, the result abstains. ``unmeasured``: nothing was
        measured of this model, or of the caller's own examples.
    text : str
        The same in a sentence without its end.
    like : str, optional
        The model's own label whose faces score highest for it.
    recall : float, optional
        Share of the clips with the label `like` that the model recognizes.
    auc : float, optional
        Of a facial action: how well its words rank faces that do it above others; 0.5 is chance.
    likeness : float, optional
        Cosine similarity of its text to what the model was trained on: mean of the five nearest.
    unread : tuple of str
        What of it can't be read: ``"negation"``, ``"age"`` and so on.
    """

    label: str
    level: Level
    text: str
    like: str | None = None
    recall: float | None = None
    auc: float | None = None
    likeness: float | None = None
    unread: tuple[str, ...] = ()

    @property
    def readable(self) -> bool:
        """Whether nothing says that the model can't read it."""
        return self.level != "unreadable"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {name: json_value(value) for name, value in vars(self).items()}


_LISTED = 12  # labels of one line
_LINES: dict[Level, str] = {
    "measured": "measured, recognized of each",
    "likeness": "read through their likeness",
    "unreadable": "not readable by this model",
    "unmeasured": "nothing was measured of",
}


def reliability_lines(reliability: Mapping[str, LabelReliability]) -> list[str]:
    """Return a line for each level that some of the labels have, for people to read.

    Examples
    --------
    >>> joy = LabelReliability("joy", "measured", "", "happiness", recall=0.92)
    >>> glee = LabelReliability("glee", "likeness", "", "happiness", recall=0.92)
    >>> reliability_lines({"joy": joy, "glee": glee})
    ['measured, recognized of each: joy 92%', 'read through their likeness: glee (to happiness)']
    """
    lines: dict[str, list[str]] = {}
    for known in reliability.values():
        lines.setdefault(_LINES[known.level], []).append(known.label + _figure(known))
    return [f"{line}: {_listed(lines[line])}" for line in _LINES.values() if line in lines]


def _figure(known: LabelReliability) -> str:
    if known.level == "measured" and known.recall is not None:
        return f" {known.recall:.0%}"
    if known.level == "measured" and known.auc is not None:
        return f" AUC {known.auc:.2f}"
    unread = ", ".join(known.unread)
    if known.level == "likeness":
        return f" (to {known.like}; unread: {unread})" if unread else f" (to {known.like})"
    return f" ({unread})" if unread else ""


def _listed(items: Iterable[str]) -> str:
    names = list(items)
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def verdict(
    scores: Mapping[str, float],
    confidence: float,
    min_score: float,
    margin: float,
    reliability: Mapping[str, LabelReliability],
) -> tuple[bool, tuple[str, ...]]:
    """Return whether a result abstains, and which labels can't be told from the best one.

    Parameters
    ----------
    scores : mapping of str to float
        Of a face that was scored.
    confidence : float
        See :class:`Prediction`.
    min_score : float
        A confidence below abstains, and so does a best label that can't be read. 0: never.
    margin : float
        Labels whose scores differ by a factor of less than exp(margin) can't be told apart.
    reliability : mapping of str to LabelReliability
    """
    ranked = sorted(scores, key=lambda label: -scores[label])
    best = ranked[0]

    def readable(label: str) -> bool:
        return label not in reliability or reliability[label].readable

    abstained = min_score > 0 and (confidence < min_score or not readable(best))
    bound = scores[best] * math.exp(-margin)
    tied = tuple(label for label in ranked[1:] if scores[label] > bound and readable(label))
    return abstained, tied


def judged(
    scores: Mapping[str, float],
    confidence: float,
    min_score: float,
    margin: float,
    reliability: Mapping[str, LabelReliability],
    multi_label: bool,
) -> dict[str, Any]:
    """Return the fields `abstained`, `tied` and `present` of a result; see :func:`verdict`.

    With `multi_label`, each readable label whose score is `min_score` or more is present, and a
    result abstains where none is.
    """
    if not multi_label:
        abstained, tied = verdict(scores, confidence, min_score, margin, reliability)
        return {"abstained": abstained, "tied": tied, "present": ()}
    present = tuple(
        label
        for label in sorted(scores, key=lambda label: -scores[label])
        if scores[label] >= min_score and (label not in reliability or reliability[label].readable)
    )
    return {"abstained": not present, "tied": (), "present": present}
