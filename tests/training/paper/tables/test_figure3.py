"""Principal components of Figure 3."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.training.paper.tables import principal_components


def test_principal_components_agree_with_scikit_learn() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 8)) * np.arange(1, 9) + 3
    points, explained = principal_components(vectors)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pca = decomposition.PCA(3).fit(unit)
    np.testing.assert_allclose(explained, pca.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(np.abs(points), np.abs(pca.transform(unit)), atol=1e-9)


def test_components_of_very_few_clips() -> None:
    points, explained = principal_components(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert points.shape == (2, 3)
    assert explained == pytest.approx([1, 0, 0])
