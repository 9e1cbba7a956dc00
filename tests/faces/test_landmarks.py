from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emoclip_sdk.assets import asset
from emoclip_sdk.errors import CheckpointError
from emoclip_sdk.faces.head_pose import gaze, head_pose
from emoclip_sdk.faces.landmarks import FaceLandmarker, crop_region
from emoclip_sdk.faces.regions import FaceRegion, region_from_landmarks
from emoclip_sdk.nn.blendshapes import BLENDSHAPES

FACE = FaceRegion(198.0, 109.0, 140.0, 0.05)  # of the first frame of portrait.mp4


@pytest.fixture(scope="module")
def landmarker() -> FaceLandmarker:
    return FaceLandmarker()


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    import av

    with av.open(str(asset("portrait.mp4"))) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def ramp(height: int = 200, width: int = 250) -> np.ndarray:
    """A pixel's red is its x, its green is its y."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x, y, np.zeros_like(x)]).astype(np.uint8)


# Crops


@pytest.mark.parametrize("angle", [0.0, 0.3, -2.0])
@pytest.mark.parametrize("side", [40.0, 100.5])
def test_a_crop_shows_what_its_map_says(angle, side) -> None:
    region = FaceRegion(120.3, 100.7, side, angle)
    crop = 255 * crop_region(ramp(), region, size=64)[0].numpy()
    rows, columns = np.mgrid[:64, :64] + 0.5
    x, y = np.einsum("ac,cij->aij", region.to_frame(64), [columns, rows, np.ones_like(rows)])
    # Pixel i has the value i in its middle, at i + 0.5.
    assert crop[0] == pytest.approx(x - 0.5, abs=2e-3)
    assert crop[1] == pytest.approx(y - 0.5, abs=2e-3)


def test_a_large_face_is_averaged_and_not_skipped() -> None:
    stripes = np.zeros((300, 300, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = 255 * crop_region(stripes, FaceRegion(150.0, 150.0, 128.0), size=32)
    assert crop.numpy() == pytest.approx(127.5, abs=1)
    turned = FaceRegion(120.0, 100.0, 150.0, 0.4)
    rows, columns = np.mgrid[:16, :16] + 0.5
    x, _ = np.einsum("ac,cij->aij", turned.to_frame(16), [columns, rows, np.ones_like(rows)])
    crop = 255 * crop_region(ramp(), turned, size=16)
    assert crop[0, 0].numpy() == pytest.approx(x - 0.5, abs=0.2)


@pytest.mark.parametrize("center", [(0.0, 0.0), (250.0, 190.0), (-500.0, 100.0)])
def test_beyond_the_border_the_edge_is_repeated(center) -> None:
    padded = np.pad(ramp(), ((700, 700), (700, 700), (0, 0)), mode="edge")
    crop = crop_region(ramp(), FaceRegion(*center, 80.0, 0.2), size=48)
    moved = FaceRegion(center[0] + 700, center[1] + 700, 80.0, 0.2)
    assert torch.allclose(crop, crop_region(padded, moved, size=48), atol=2e-4)


# Faces


def test_the_portrait_smiles_into_the_camera(landmarker, portrait) -> None:
    shapes = landmarker([portrait], [FACE])
    (points,), (presence,), (scores,) = shapes
    assert presence > 0.99
    right, left = points[33, :2], points[263, :2]
    eyes = np.linalg.norm(right - left)
    # Level eyes, and mouth corners that are as far from the nose.
    assert abs(right[1] - left[1]) < 0.1 * eyes
    corners = [np.linalg.norm(points[corner, :2] - points[1, :2]) for corner in (61, 291)]
    assert corners[0] == pytest.approx(corners[1], rel=0.1)
    named = dict(zip(BLENDSHAPES, scores.tolist(), strict=True))
    assert named["mouthSmileLeft"] > 0.8 and named["mouthSmileRight"] > 0.8
    assert named["jawOpen"] < 0.1
    pose = head_pose(shapes.landmarks)
    assert abs(pose.yaw[0]) < 10 and abs(pose.pitch[0]) < 20 and abs(pose.roll[0]) < 10
    assert np.abs(gaze(shapes.landmarks, pose)).max() < 20
    # What TFLite's interpreter makes of the same crop, in its pixels.
    expected = [[124.2, 139.1], [77.5, 92.7], [173.2, 93.1], [91.2, 153.3], [159.0, 152.3]]
    to_frame = FACE.to_frame(256)
    places = np.array(expected) @ to_frame[:, :2].T + to_frame[:, 2]
    assert points[[1, 33, 263, 61, 291], :2] == pytest.approx(places, abs=0.3)
    assert points[1, 2] == pytest.approx(-36.49 * 140 / 256, abs=0.3)


def test_the_next_region_is_about_the_face_that_was_found(landmarker, portrait) -> None:
    """A square that is off by a fifth of the face and turned finds its way back."""
    start = FaceRegion(FACE.x + 15, FACE.y - 12, FACE.side * 1.2, -0.3)
    first = region_from_landmarks(landmarker([portrait], [start]).landmarks[0])
    region = region_from_landmarks(landmarker([portrait], [first]).landmarks[0])
    assert (region.x, region.y) == pytest.approx((FACE.x, FACE.y), abs=3)
    assert region.side == pytest.approx(FACE.side, rel=0.05)
    assert region.angle == pytest.approx(FACE.angle, abs=0.05)


def test_turned_frames_give_turned_landmarks(landmarker, portrait) -> None:
    upright = landmarker([portrait], [FACE])
    turned = np.ascontiguousarray(np.rot90(portrait, -1))  # clockwise
    height = portrait.shape[0]
    region = FaceRegion(height - FACE.y, FACE.x, FACE.side, FACE.angle + math.pi / 2)
    shapes = landmarker([turned], [region])
    x, y = upright.landmarks[0, :, 0], upright.landmarks[0, :, 1]
    assert shapes.landmarks[0, :, :2] == pytest.approx(np.stack([height - y, x], 1), abs=0.1)
    assert head_pose(shapes.landmarks).roll[0] == pytest.approx(
        head_pose(upright.landmarks).roll[0] + 90, abs=0.5
    )


def test_many_faces_are_the_same_as_each_for_itself(landmarker, portrait) -> None:
    small = np.ascontiguousarray(portrait[::2, ::2])
    frames = [portrait, small] * 18  # more than a batch, of two sizes
    regions = [FACE, FaceRegion(FACE.x / 2, FACE.y / 2, FACE.side / 2, FACE.angle)] * 18
    shapes = landmarker(frames, regions)
    assert shapes.landmarks.shape == (36, 478, 3)
    assert shapes.blendshapes.shape == (36, 52)
    for i in (0, 35):
        alone = landmarker([frames[i]], [regions[i]])
        for many, one in zip(shapes, alone, strict=True):
            assert many[i] == pytest.approx(one[0], abs=2e-3)


def test_threads_change_nothing(landmarker, portrait) -> None:
    regions = [FaceRegion(FACE.x + i, FACE.y, FACE.side, FACE.angle) for i in range(10)]
    threads = torch.get_num_threads()
    results = []
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            results.append(landmarker([portrait] * 10, regions))
    finally:
        torch.set_num_threads(threads)
    for one, two in zip(*results, strict=True):
        assert two == pytest.approx(one, abs=2e-3)


def test_nothing_is_no_face(landmarker) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    plain = np.full((200, 200, 3), 90, np.uint8)
    shapes = landmarker([noise, plain], [FaceRegion(100.0, 100.0, 150.0)] * 2)
    assert shapes.presence.max() < 0.01
    empty = landmarker([], [])
    assert [array.shape for array in empty] == [(0, 478, 3), (0,), (0, 52)]
    with pytest.raises(ValueError, match="1 frames for 0 regions"):
        landmarker([noise], [])


# Files


def test_wrong_files_are_refused_by_name(tmp_path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(CheckpointError, match=r"weights\.safetensors: no such file"):
        FaceLandmarker(path)
    path.write_bytes(b"not a safetensors file at all")
    with pytest.raises(CheckpointError, match=r"weights\.safetensors: broken or cut short"):
        FaceLandmarker(path)
    tensors = load_file(asset("face-landmarker") / "model.safetensors")
    del tensors["blendshapes.head.bias"]
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=r"not the weights of a face landmarker.*head\.bias"):
        FaceLandmarker(path)
    tensors["blendshapes.head.bias"] = torch.zeros(51)
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match="size mismatch"):
        FaceLandmarker(path)
