"""Portraits that a head model moves: what they are said to show is what they show."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.faces.landmarks import FaceLandmarker
from emoclip_sdk.faces.shapes import FaceShape, crop_shapes
from emoclip_sdk.nn.blendshapes import BLENDSHAPES
from emoclip_sdk.nn.face_landmarks import LANDMARKS
from emoclip_sdk.training.data.ferplus import load_ferplus
from emoclip_sdk.training.heads.portraits import (
    SIDE,
    Portrait,
    paint_triangles,
    read_portraits,
    render_portrait,
)
from emoclip_sdk.training.heads.render import HeadModel, HeadScene
from emoclip_sdk.training.mini.heads import measure_heads


@pytest.fixture(scope="module")
def model(shared: Path) -> HeadModel:
    return HeadModel(shared / "data" / "ict_facekit.npz")


@pytest.fixture(scope="module")
def faces(shared: Path) -> np.ndarray:
    return load_ferplus(shared / "data" / "ferplus.npz", "valid").at_rest[:4]


@pytest.fixture(scope="module")
def portraits(model: HeadModel, faces: np.ndarray) -> list[Portrait]:
    return list(read_portraits(model, faces))


def measured(picture: np.ndarray) -> FaceShape:
    shape = crop_shapes(FaceLandmarker(), [picture])[0]
    assert shape is not None
    return shape


def test_without_expressions_a_portrait_is_the_photograph(portraits: list[Portrait]) -> None:
    assert len(portraits) == 2, "two are seen from the front"
    for portrait in portraits:
        head = portrait.render({})
        assert head.picture.shape == (SIDE, SIDE, 3) and head.strengths == {}
        change = np.abs(head.picture.astype(int) - portrait.picture.astype(int))
        assert np.median(change) == 0 and change.mean() < 2


@pytest.mark.parametrize("side, own, other", [("L", "Left", "Right"), ("R", "Right", "Left")])
def test_one_side_moves_and_it_is_the_persons_own(
    portraits: list[Portrait], side: str, own: str, other: str
) -> None:
    both = {f"{name}_{side}": 1.0 for name in ("mouthSmile", "eyeBlink")}
    scores = [
        measured(portrait.render(both).picture).blendshapes - measured(portrait.picture).blendshapes
        for portrait in portraits
    ]
    for name in ("mouthSmile", "eyeBlink"):
        moved, still = (
            np.mean([change[BLENDSHAPES.index(f"{name}{s}")] for change in scores])
            for s in (own, other)
        )
        assert moved > still + 0.15, name


def test_an_open_jaw_shows_the_mouth_and_leaves_the_forehead(portraits: list[Portrait]) -> None:
    jaw = BLENDSHAPES.index("jawOpen")
    for portrait in portraits:
        head = portrait.render({"jawOpen": 1.0})
        before, after = (measured(p).blendshapes[jaw] for p in (portrait.picture, head.picture))
        assert after > before + 0.3
        change = np.abs(head.picture.astype(int) - portrait.picture.astype(int)).mean(axis=(1, 2))
        assert change[: SIDE // 4].mean() < change[-SIDE // 3 :].mean() / 10


def test_a_mirrored_photograph_is_turned_the_other_way(
    model: HeadModel, faces: np.ndarray, portraits: list[Portrait]
) -> None:
    mirrored = list(read_portraits(model, faces[:, :, ::-1]))
    assert len(mirrored) == len(portraits)
    for one, two in zip(portraits, mirrored, strict=True):
        assert one.scene.yaw == pytest.approx(-two.scene.yaw, abs=4)
        assert one.scene.pitch == pytest.approx(two.scene.pitch, abs=4)


def test_how_a_head_is_turned_is_measured(model: HeadModel) -> None:
    turns = [(0.0, 0.0), (15.0, 0.0), (-15.0, 0.0), (0.0, 12.0)]
    pictures = [model.render(model.neutral, {}, HeadScene(*turn)).picture for turn in turns]
    front, *turned = (portrait.scene for portrait in read_portraits(model, pictures))
    for scene, (yaw, pitch) in zip(turned, turns[1:], strict=True):
        assert scene.yaw - front.yaw == pytest.approx(yaw, abs=5)
        assert scene.pitch - front.pitch == pytest.approx(pitch, abs=5)


def test_what_is_no_face_from_the_front_is_left_out(model: HeadModel) -> None:
    aside = model.render(model.neutral, {}, HeadScene(yaw=40.0)).picture
    noise = np.random.default_rng(0).integers(0, 255, (48, 48), np.uint8)
    assert list(read_portraits(model, [aside, noise, np.zeros((48, 48), np.uint8)])) == []


def test_a_portrait_shows_what_a_head_with_its_seed_may_show(
    model: HeadModel, portraits: list[Portrait]
) -> None:
    moved, again = (list(islice(render_portrait(model, portraits[0], 3), 10)) for _ in range(2))
    assert [head.strengths for head in moved] == [head.strengths for head in again]
    assert np.array_equal(moved[9].picture, again[9].picture)
    assert not moved[0].strengths and moved[9].strengths
    assert {head.scene for head in moved} == {portraits[0].scene}


def test_painted_triangles_are_those_that_hold_a_pixel() -> None:
    rng = np.random.default_rng(0)
    height, width = 23, 31
    sizes = rng.choice([1.5, 4, 20], (40, 1, 1))
    corners = rng.uniform(-4, 32, (40, 1, 2)) + rng.normal(size=(40, 3, 2)) * sizes
    # Only those that run clockwise in the picture are seen.
    ab, ac = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    back = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0] > 0
    corners[back] = corners[back][:, ::-1]
    expected = np.full((height, width), -1)
    for y in range(height):
        for x in range(width):
            for i, triangle in enumerate(corners):
                # A point is inside where it is a mixture of the corners with no negative share.
                shares = np.linalg.solve(
                    np.concatenate([triangle.T, np.ones((1, 3))]), [x + 0.5, y + 0.5, 1]
                )
                if (shares >= 0).all():
                    expected[y, x] = i
    assert (expected >= 0).mean() > 0.3
    assert np.array_equal(paint_triangles(corners, height, width), expected)


def test_portraits_are_measured_as_heads_are(shared: Path, faces: np.ndarray) -> None:
    heads = measure_heads(shared / "data" / "ict_facekit.npz", 0, faces, portraits=1)
    assert set(heads.people) == {0} and len(heads.shapes) > 40
    open_ = heads.actions.presence[:, heads.actions.names.index("jaw_drop")] > 0.5
    for shapes in (heads.shapes, heads.mirrored):
        jaw = shapes[:, 3 * LANDMARKS + BLENDSHAPES.index("jawOpen")].numpy()
        assert jaw[open_].mean() > jaw[~open_].mean() + 0.2
    left, right = (
        shapes[:, 3 * LANDMARKS + BLENDSHAPES.index(f"mouthSmile{side}")]
        for shapes, side in ((heads.shapes, "Left"), (heads.mirrored, "Right"))
    )
    assert np.corrcoef(left, right)[0, 1] > 0.9
