"""The landmark and blendshape networks say what MediaPipe's runtime says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emoclip_sdk.faces.landmarks import load_face_networks
from emoclip_sdk.nn.blendshapes import BLENDSHAPE_POINTS, BLENDSHAPES, BlendshapeNetwork
from emoclip_sdk.nn.face_landmarks import LandmarkNetwork

SHOWN = [1, 33, 263, 61, 291, 473]  # tip of the nose, outer eye and mouth corners, an iris
SCORED = ["browInnerUp", "eyeBlinkLeft", "jawOpen", "mouthSmileLeft"]


@pytest.fixture(scope="module")
def landmarks() -> LandmarkNetwork:
    return load_face_networks()[0]


@pytest.fixture(scope="module")
def blendshapes() -> BlendshapeNetwork:
    return load_face_networks()[1]


def waves() -> np.ndarray:
    y, x = np.mgrid[:256, :256] / 256
    channels = [
        0.5 + 0.5 * np.sin(7 * x + 3 * y),
        0.5 + 0.5 * np.sin(11 * y),
        0.5 + 0.5 * np.cos(9 * x * y),
    ]
    return np.stack(channels).astype(np.float32)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((256, 256, 3), np.float32).transpose(2, 0, 1)


# What TFLite's interpreter (ai-edge-litert 2.3.0) makes of the networks in `face_landmarker.task`.
REFERENCE = {
    "noise": (
        noise(0),
        [
            [112.67, 105.53, -38.41],
            [63.27, 67.61, 20.21],
            [186.63, 70.74, 14.60],
            [73.26, 130.04, -2.54],
            [130.79, 135.51, -6.16],
            [153.05, 113.26, 9.11],
        ],
        -15.5824,
        [0.0185, 0.0020, 0.0015, 0.0004],
    ),
    "other noise": (
        noise(1),
        [
            [120.50, 104.86, -26.59],
            [78.04, 75.69, 13.95],
            [164.82, 73.82, 11.53],
            [100.80, 137.98, -1.55],
            [135.52, 140.21, -3.45],
            [153.59, 72.02, 7.75],
        ],
        -15.1767,
        [0.0273, 0.0024, 0.0933, 0.0],
    ),
    "waves": (
        waves(),
        [
            [127.66, 129.10, -36.32],
            [64.65, 85.47, 7.76],
            [178.08, 86.20, 6.63],
            [98.12, 158.14, 6.59],
            [152.11, 157.86, 7.89],
            [162.88, 84.90, -2.86],
        ],
        -9.6652,
        [0.4005, 0.2757, 0.0012, 0.0],
    ),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_the_runtime_says_the_same(landmarks, blendshapes, name) -> None:
    crop, points, logit, scores = REFERENCE[name]
    mesh = landmarks(torch.from_numpy(np.ascontiguousarray(crop))[None])
    assert mesh.points[0, SHOWN].numpy() == pytest.approx(np.array(points), abs=0.02)
    assert float(mesh.presence[0]) == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-2)
    with torch.inference_mode():
        shown = blendshapes(mesh.points[:, list(BLENDSHAPE_POINTS), :2])[0]
    assert [float(shown[BLENDSHAPES.index(n)]) for n in SCORED] == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize("n", [1, 3, 17])
def test_a_batch_says_what_one_by_one_says(landmarks, n) -> None:
    """Batches that are no multiple of those that the network takes at once."""
    crops = torch.rand(n, 3, 256, 256, generator=torch.Generator().manual_seed(n))
    together = landmarks(crops)
    last = landmarks(crops[-1:])
    assert torch.allclose(together.points[-1:], last.points, atol=2e-3)
    assert torch.allclose(together.presence[-1:], last.presence, rtol=1e-3)
    strided = landmarks(crops.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(together.points, strided.points, atol=2e-3)


def test_crops_are_left_as_they_are(landmarks) -> None:
    crops = torch.rand(2, 3, 256, 256)
    before = crops.clone()
    landmarks(crops)
    assert torch.equal(crops, before)


def test_blendshapes_do_not_see_place_and_size(blendshapes) -> None:
    points = torch.rand(2, 146, 2, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        moved = blendshapes(points * 300 + torch.tensor([500.0, 80.0]))
        assert torch.allclose(blendshapes(points), moved, atol=1e-4)


def test_names_and_points_are_unique() -> None:
    assert len(set(BLENDSHAPES)) == 52
    assert len(set(BLENDSHAPE_POINTS)) == 146
    assert sorted(BLENDSHAPE_POINTS) == list(BLENDSHAPE_POINTS)
