"""Which clips are shown as examples."""

from __future__ import annotations

import numpy as np

from emoclip_sdk.training.data.datasets import Clip
from emoclip_sdk.training.evaluation import choose_examples


def test_examples_are_the_surest_of_each_class() -> None:
    labels = [0, 0, 0, 1, 1, 2, 2]
    sure = np.array([0.5, 0.9, 0.7, 0.6, 0.8, 0.55, 0.95])
    decided = [0, 0, 1, 1, 0, 2, 1]
    scores = np.full((7, 3), 0.01)
    scores[range(7), decided] = sure
    scores[2] = np.nan  # no face: no example
    clips = [
        Clip(str(i), np.zeros((1, 2, 2, 3), np.uint8), label) for i, label in enumerate(labels)
    ]
    right, wrong = choose_examples(clips, scores)
    assert right == [1, 3, 5, 0]  # classes 0, 1 and 2 first, then the second of class 0
    assert wrong == [6, 4]
    assert choose_examples(clips, scores, n=2) == ([1, 3], [6, 4])
    assert choose_examples(clips[:1], scores[:1]) == ([0], [])
