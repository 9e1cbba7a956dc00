"""The default detector: any size of picture, and what it says without its package."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.faces import (
    MTCNNDetector,
    face_frames,
)

from .scripted import draw


def test_missing_facenet_says_what_to_install(monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    with pytest.raises(EmoCLIPError, match="pip install"):
        list(face_frames([draw(0, {})], FaceConfig(), size=8))


@pytest.fixture(scope="module")
def detector() -> MTCNNDetector:
    return MTCNNDetector()


def test_the_detector_takes_any_size_and_finds_no_face_in_noise(detector) -> None:
    rng = np.random.default_rng(0)
    shapes = [(180, 320), (1, 1), (10, 400), (180, 320), (400, 10), (15, 15), (16, 16), (300, 200)]
    frames = [rng.integers(0, 255, (*shape, 3)).astype(np.uint8) for shape in shapes]
    assert detector.detect(frames) == [[] for _ in shapes]
    assert detector.detect([]) == []
