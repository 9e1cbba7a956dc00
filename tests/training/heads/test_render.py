"""Rendered heads: what they are said to show is what they show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.faces.head_pose import head_pose
from emoclip_sdk.faces.landmarks import FaceLandmarker
from emoclip_sdk.faces.shapes import FaceShape, crop_shapes
from emoclip_sdk.nn.blendshapes import BLENDSHAPES
from emoclip_sdk.training.heads.actions import head_actions, head_sides
from emoclip_sdk.training.heads.posed import render_posed
from emoclip_sdk.training.heads.render import (
    HeadModel,
    HeadScene,
    RenderedHead,
    render_person,
)
from emoclip_sdk.training.heads.talking import FRAMES, VISEMES, render_talking


@pytest.fixture(scope="module")
def model(shared: Path) -> HeadModel:
    return HeadModel(shared / "data" / "ict_facekit.npz")


def measured(model: HeadModel, strengths: dict[str, float], scene: HeadScene) -> FaceShape:
    head = model.render(model.neutral, strengths, scene)
    shape = crop_shapes(FaceLandmarker(), [head.picture])[0]
    assert shape is not None
    return shape


@pytest.mark.parametrize("side, own, other", [("L", "Left", "Right"), ("R", "Right", "Left")])
def test_one_side_moves_and_it_is_the_persons_own(
    model: HeadModel, side: str, own: str, other: str
) -> None:
    both = {f"{name}_{side}": 1.0 for name in ("mouthSmile", "eyeBlink")}
    scores = measured(model, both, HeadScene()).blendshapes
    for name in ("mouthSmile", "eyeBlink"):
        moved, still = (scores[BLENDSHAPES.index(f"{name}{s}")] for s in (own, other))
        assert moved > still + 0.2, name


@pytest.mark.parametrize("yaw, pitch", [(20.0, 0.0), (-20.0, 0.0), (0.0, 15.0)])
def test_a_head_turns_as_it_is_said_to(model: HeadModel, yaw: float, pitch: float) -> None:
    front, turned = (
        head_pose(measured(model, {}, scene).landmarks[None].astype(float))
        for scene in (HeadScene(), HeadScene(yaw, pitch))
    )
    assert turned.yaw[0] - front.yaw[0] == pytest.approx(yaw, abs=6)
    assert turned.pitch[0] - front.pitch[0] == pytest.approx(pitch, abs=6)


def test_a_face_fills_the_picture_as_in_a_crop(model: HeadModel) -> None:
    points = measured(model, {}, HeadScene()).landmarks / 192
    eyes = (points[[33, 133]].mean(axis=0) + points[[362, 263]].mean(axis=0)) / 2
    # FER+'s eyes: at 38 % of the height, a third of the width apart.
    assert eyes[:2] == pytest.approx([0.5, 0.38], abs=0.04)
    apart = points[[362, 263], 0].mean() - points[[33, 133], 0].mean()
    assert apart == pytest.approx(0.35, abs=0.03)
    assert points[152, 1] == pytest.approx(1.0, abs=0.04), "the chin is just in the picture"


def test_the_same_seed_is_the_same_person(model: HeadModel) -> None:
    person = render_person(model, 3)
    first, again = [next(person) for _ in range(2)], render_person(model, 3)
    for head in first:
        other = next(again)
        assert np.array_equal(head.picture, other.picture) and head.scene == other.scene
    assert not np.array_equal(first[0].picture, next(render_person(model, 4)).picture)


def test_actions_follow_from_strengths() -> None:
    blank = np.zeros((1, 1, 3), np.uint8)

    def shown(scene: HeadScene | None = None, **strengths: float) -> dict[str, float]:
        head = [RenderedHead(blank, strengths, scene or HeadScene())]
        return {
            name: value
            for found in (head_actions(head), head_sides(head))
            for name, value in zip(found.names, found.presence[0].tolist(), strict=True)
        }

    rest = shown()
    assert rest["mouth_relaxed"] == rest["no_smile"] == rest["head_ahead"] == 1
    assert rest["smile"] == rest["smirk"] == rest["nose_wrinkle"] == 0
    wide = shown(mouthSmile_L=1.0, mouthSmile_R=0.6)
    assert wide["smile"] == 1 and wide["smirk"] == wide["corner_up_left"] == 0
    mild = shown(mouthSmile_L=0.25, mouthSmile_R=0.25)
    assert mild["smile"] == 0.5 and mild["no_smile"] == 0.5
    half = shown(mouthSmile_L=1.0)
    assert half["smile"] == 0.5 and half["smirk"] == half["corner_up_left"] == 1
    assert half["corner_up_right"] == half["no_smile"] == half["mouth_relaxed"] == 0
    assert shown(jawOpen=0.5)["mouth_open"] == 1 and shown(jawLeft=0.4)["mouth_left"] > 0.75
    left = shown(HeadScene(yaw=30.0, pitch=-7.5))
    assert left["head_left"] == left["head_turned"] == 1 and left["head_right"] == 0
    assert left["head_down"] == 0.5 and left["head_up"] == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", "V", "VTEI"])
def test_another_file_is_refused_by_name(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "heads.npz"
    if isinstance(content, str):  # a part of the arrays, and arrays of another head
        arrays = {name: np.zeros((1, 3, 3)[-2 if name in "VT" else 0 :]) for name in content}
        np.savez(path, **arrays, names=np.array(["jawOpen"]))
    else:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"heads\.npz: not ICT-FaceKit"):
        HeadModel(path)
    with pytest.raises(DatasetError, match=r"absent\.npz: can't be read \(No such file"):
        HeadModel(tmp_path / "absent.npz")


def test_a_pose_has_the_actions_of_its_emotion(model: HeadModel) -> None:
    emotions = ("happiness", "surprise", "contempt")
    heads, again = (list(render_posed(model, 5, emotions)) for _ in range(2))
    assert [posed.emotion for posed in heads] == [e for e in emotions for _ in range(5)]
    assert np.array_equal(heads[3].head.picture, again[3].head.picture)
    for posed in heads:
        shown = posed.head.strengths
        assert shown and max(shown.values()) <= min(1.1 * posed.degree, 1) and posed.degree >= 0.4
        actions = {name.removesuffix("_L").removesuffix("_R") for name in shown}
        if posed.emotion == "happiness":
            assert actions <= {"mouthSmile", "mouthUpperUp", "jawOpen", "cheekSquint",
                               "cheekRaiser"}  # fmt: skip
        if posed.emotion == "contempt":
            sides = {side for side in "LR" if f"mouthSmile_{side}" in shown}
            assert len(sides) < 2, "a smirk has one side"
    shapes = crop_shapes(FaceLandmarker(), [posed.head.picture for posed in heads])
    smile = [BLENDSHAPES.index(f"mouthSmile{side}") for side in ("Left", "Right")]
    jaw = BLENDSHAPES.index("jawOpen")
    seen = [shape.blendshapes for shape in shapes if shape is not None]
    assert len(seen) == len(heads)
    assert np.mean([s[smile].mean() for s in seen[:5]]) > 0.15 + max(
        s[smile].mean() for s in seen[5:10]
    ), "posed smiles are seen as smiles"
    assert np.mean([s[jaw] for s in seen[5:10]]) > 0.1


def test_who_talks_moves_the_mouth_and_keeps_the_pose(model: HeadModel) -> None:
    clips, again = (list(render_talking(model, 5, ("neutral", "happiness"))) for _ in range(2))
    assert [clip.emotion for clip in clips] == ["neutral"] * 3 + ["happiness"]
    assert np.array_equal(clips[3].frames[7].picture, again[3].frames[7].picture)
    assert all(len(clip.frames) == FRAMES for clip in clips) and clips[0].degree == 1
    spoken = {name for viseme in VISEMES for name in viseme} | {"eyeBlink"}
    spoken |= {"browOuterUp", "browInnerUp"}  # brows that stress a word
    landmarker = FaceLandmarker()
    jaw, smile = BLENDSHAPES.index("jawOpen"), BLENDSHAPES.index("mouthSmileLeft")
    seen = []
    for clip in clips[2:]:
        shapes = crop_shapes(landmarker, [head.picture for head in clip.frames])
        seen.append(np.array([shape.blendshapes for shape in shapes if shape is not None]))
        assert len(seen[-1]) == FRAMES
    for clip in clips[:3]:
        assert {name[:-2] if name[-2:] in ("_L", "_R") else name
                for head in clip.frames for name in head.strengths} <= spoken  # fmt: skip
    assert np.ptp(seen[0][:, jaw]) > 0.1, "a mouth that opens and closes"
    posed = [min(head.strengths.get(f"mouthSmile_{side}", 0) for side in "LR")
             for head in clips[3].frames]  # fmt: skip
    assert min(posed) > 0.3, "the smile stays"
    assert seen[1][:, smile].mean() > seen[0][:, smile].mean() + 0.1, "and is seen"
