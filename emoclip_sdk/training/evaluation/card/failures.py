"""What the figures say against a model, in sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["failures"]


def failures(document: dict[str, Any]) -> list[str]:
    """Return the measured limits of a model, for its card.

    Parameters
    ----------
    document : dict
        From :func:`~emoclip_sdk.training.evaluation.card.card_suite`.
    """
    rows = {row["key"]: row for row in document["rows"]}
    limits = []
    for key, sentences in _SENTENCES.items():
        if key in rows:
            limits += sentences(rows[key], document["classes"])
    return limits


def _accuracy(row: dict[str, Any], classes: list[str]) -> list[str]:
    recall = {k: v["recall"] for k, v in row["per_class"].items() if v["recall"] is not None}
    weak = sorted((value, name) for name, value in recall.items() if value < 0.5)
    limits = []
    if weak:
        listed = ", ".join(
            f"{name} ({_percent(value)} of {row['per_class'][name]['n']})" for value, name in weak
        )
        limits.append(f"Fewer than half of the pictures are recognized of: {listed}.")
    shares = []
    for i, counts in enumerate(row["confusion"]):
        total = sum(counts)
        shares += [
            (n / total, classes[i], classes[j]) for j, n in enumerate(counts) if j != i and total
        ]
    worst = [item for item in sorted(shares, reverse=True)[:3] if item[0] > 0]
    if worst:
        listed = ", ".join(f"{a} taken for {b} ({_percent(share)} of it)" for share, a, b in worst)
        limits.append(f"The largest confusions: {listed}.")
    return limits


def _left_out(row: dict[str, Any], _: list[str]) -> list[str]:
    recalls = {name: part["recall"] for name, part in row["per_class"].items()}
    weak = sorted((value, name) for name, value in recalls.items() if value < 0.4)
    if not weak:
        return []
    listed = ", ".join(f"{name} ({_percent(value)})" for value, name in weak)
    return [f"Without examples in training the model recognizes these poorly: {listed}."]


def _synonyms(row: dict[str, Any], _: list[str]) -> list[str]:
    limits = []
    for name, missed in row["misses"].items():
        words = ", ".join(f"{word} → {to}" for word, to in missed.items())
        limits.append(f"Words for {name} that go elsewhere: {words}.")
    return limits


def _temporal(row: dict[str, Any], _: list[str]) -> list[str]:
    figures = row["frames"]["temporal"]
    if figures["expressive clips called neutral"] is None:
        return []
    return [
        f"Of clips in which an expression takes a quarter of the frames, "
        f"{_percent(figures['expressive clips called neutral'])} are called neutral, and "
        f"{_percent(figures['right on expressive clips'])} are recognized (clips made of pictures)."
    ]


def _abstention(row: dict[str, Any], _: list[str]) -> list[str]:
    outside = row["abstains where the label is not offered"]
    inside = row["abstains where the label is offered"]
    if outside is None or inside is None:
        return []
    return [
        f"Where none of four offered labels fits, the model answers {_percent(1 - outside)} of the "
        f"pictures all the same; where one does, it wrongly abstains on {_percent(inside)}."
    ]


_SENTENCES: dict[str, Callable[[dict[str, Any], list[str]], list[str]]] = {
    "accuracy": _accuracy,
    "left_out": _left_out,
    "synonyms": _synonyms,
    "temporal": _temporal,
    "abstention": _abstention,
}


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
