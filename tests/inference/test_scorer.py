from __future__ import annotations

import numpy as np

from emoclip_sdk.inference.scorer import cosine_similarities, softmax_scores


def test_cosine_ignores_length():
    video = np.array([[3.0, 0.0], [1.0, 1.0]], np.float32)
    text = np.array([[1.0, 0.0], [0.0, 5.0], [-2.0, 0.0]], np.float32)
    root = 0.5**0.5
    np.testing.assert_allclose(
        cosine_similarities(video, text), [[1, 0, -1], [root, root, -root]], atol=1e-7
    )


def test_softmax_is_equation_1():
    scores = softmax_scores(np.array([[0.2, 0.1]]), 10.0)
    e = np.exp([2.0, 1.0])
    np.testing.assert_allclose(scores, [e / e.sum()])


def test_softmax_of_large_logits_and_input_kept():
    similarities = np.array([[1.0, -1.0]])
    np.testing.assert_array_equal(softmax_scores(similarities, 1e4), [[1.0, 0.0]])
    np.testing.assert_array_equal(similarities, [[1.0, -1.0]])
