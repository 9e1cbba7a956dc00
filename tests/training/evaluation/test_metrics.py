"""Figures of merit against hand-worked examples and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.evaluation import figures_of_merit, recalls

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def test_war_uar_and_a_class_that_never_occurs() -> None:
    labels = np.array([0, 0, 0, 1])
    predicted = np.array([0, 0, 2, 1])  # class 2 is predicted but never occurs
    figures = recalls(predicted, labels, ("a", "b", "c"))
    assert figures["war"] == pytest.approx(3 / 4)
    assert figures["uar"] == pytest.approx((2 / 3 + 1) / 2)
    assert figures["n"] == 4
    assert figures["per_class"]["a"] == {"recall": pytest.approx(2 / 3), "n": 3}
    assert figures["per_class"]["c"] == {"recall": None, "n": 0}
    assert figures["confusion"] == [[2, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_no_decision_is_wrong() -> None:
    figures = recalls(np.array([0, -1, 1]), np.array([0, 0, 1]), ("a", "b"))
    assert figures["war"] == pytest.approx(2 / 3)
    assert figures["uar"] == pytest.approx(3 / 4)
    assert figures["per_class"]["a"]["n"] == 2
    assert figures["confusion"] == [[1, 0], [0, 1]]


def _scored(n: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(count, n, p=np.arange(1, count + 1) / sum(range(1, count + 1)))
    scores = rng.random((n, count)).round(1) + 0.6 * np.eye(count)[labels] + 0.01
    return scores / scores.sum(axis=1, keepdims=True), labels


def test_agrees_with_scikit_learn() -> None:
    scores, labels = _scored(300, 6, 0)
    figures = figures_of_merit(scores, labels, "abcdef")
    predicted = scores.argmax(axis=1)
    assert figures["war"] == pytest.approx(sklearn_metrics.accuracy_score(labels, predicted))
    uar = sklearn_metrics.balanced_accuracy_score(labels, predicted)
    assert figures["uar"] == pytest.approx(uar)
    f1 = sklearn_metrics.f1_score(labels, predicted, average="macro")
    assert figures["f1"] == pytest.approx(f1, abs=1e-6)
    auc = sklearn_metrics.roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    assert figures["auc"] == pytest.approx(auc, abs=1e-6)


def test_f1_and_auc_leave_absent_classes_out() -> None:
    scores, labels = _scored(200, 4, 1)
    scores = np.insert(scores, 2, 0.0, axis=1)  # never predicted, never there
    labels = np.where(labels >= 2, labels + 1, labels)
    wide = figures_of_merit(scores, labels, "abxcd")
    narrow = figures_of_merit(
        np.delete(scores, 2, axis=1), np.where(labels > 2, labels - 1, labels), "abcd"
    )
    for key in ("uar", "war", "f1", "auc"):
        assert wide[key] == pytest.approx(narrow[key]), key
    assert wide["per_class"]["x"]["recall"] is None


def test_one_class_has_no_auc() -> None:
    figures = figures_of_merit(np.array([[0.6, 0.4], [0.2, 0.8]]), np.array([0, 0]), "ab")
    assert figures["auc"] is None
    assert figures["uar"] == figures["war"] == 0.5
