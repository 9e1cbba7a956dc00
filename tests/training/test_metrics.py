"""WAR and UAR against a hand-worked example."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.metrics import recalls


def test_war_uar_and_absent_classes() -> None:
    labels = np.array([0, 0, 0, 1])
    predicted = np.array([0, 0, 2, 1])  # class 2 is predicted but never occurs
    figures = recalls(predicted, labels, ("a", "b", "c"))
    assert figures["war"] == pytest.approx(3 / 4)
    assert figures["uar"] == pytest.approx((2 / 3 + 1) / 2)
    assert figures["n"] == 4
    assert figures["per_class"]["a"] == {"recall": pytest.approx(2 / 3), "n": 3}
    assert figures["per_class"]["c"] == {"recall": None, "n": 0}
