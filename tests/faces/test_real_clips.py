"""Detection and tracking on real faces: of the example clip, and of others where they are there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emoclip_sdk.assets import asset
from emoclip_sdk.config import FaceConfig
from emoclip_sdk.faces import FrameFaces, MTCNNDetector, TrackTable, face_frames, most_prominent
from emoclip_sdk.faces.boxes import iou
from emoclip_sdk.video import open_video

RATE = 7.0


PORTRAIT = "portrait.mp4"  # ours: these tests run for everyone


@pytest.fixture(scope="module")
def detector() -> MTCNNDetector:
    return MTCNNDetector()


@pytest.fixture
def clip(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Return what finds a clip by its name, and skips the test where there is no such clip."""

    def find(name: str) -> Path:
        return asset(name) if name == PORTRAIT else request.getfixturevalue("media") / name

    return find


def faces_of(
    path: Path, detector: MTCNNDetector, config: FaceConfig | None = None
) -> list[FrameFaces]:
    frames = open_video(path).sample(RATE)
    return list(face_frames(frames, config or FaceConfig(), size=112, detector=detector))


def pattern(result: list[FrameFaces]) -> str:
    """One character per frame: a track number, or a point for nobody."""
    return "".join("".join(str(f.track) for f in frame.faces) or "." for frame in result)


def test_one_man_is_one_track(media, detector) -> None:
    result = faces_of(media / "pyfeat/single_face.mp4", detector)
    assert pattern(result) == "0" * 17
    assert [f.index for f in result][:3] == [0, 4, 8]
    for frame in result:
        (face,) = frame.faces
        assert face.confidence > 0.9
        assert face.crop.shape == (112, 112, 3)
        assert face.crop.std() > 20


@pytest.mark.parametrize("name", [PORTRAIT, "pyfeat/single_face.mp4"])
def test_followed_boxes_are_where_detection_would_put_them(clip, detector, name) -> None:
    path = clip(name)
    sparse = faces_of(path, detector)
    dense = faces_of(path, detector, FaceConfig(detect_every=1))
    overlaps = [iou(a.faces[0].box, b.faces[0].box) for a, b in zip(sparse, dense, strict=True)]
    assert min(overlaps) > 0.8
    assert np.mean(overlaps) > 0.9
    assert all(face.detected for frame in sparse for face in frame.faces)


@pytest.mark.parametrize(
    "names",
    [
        (PORTRAIT,),
        ("pyfeat/single_face.mp4", "liveportrait/d19.mp4", "synthetic_actors/angry.mp4"),
    ],
)
def test_boxes_are_those_of_the_library_on_the_full_frame(clip, detector, names) -> None:
    from facenet_pytorch import MTCNN

    library = MTCNN(keep_all=True)
    overlaps = []
    for name in names:
        frames = [frame.rgb for frame in open_video(clip(name)).sample(1.0)][:3]
        for rgb, detections in zip(frames, detector.detect(frames), strict=True):
            boxes, _ = library.detect(rgb)
            overlaps.append(iou(tuple(map(float, boxes[0])), detections[0].box))
    assert min(overlaps) > 0.8
    assert np.mean(overlaps) > 0.93


def test_following_a_face_that_is_not_there(media, detector) -> None:
    (frame, *_) = open_video(media / "pyfeat/no_face.mp4").sample(1.0)
    here, outside = detector.follow(
        [frame.rgb] * 2, [(50.0, 50.0, 250.0, 250.0), (-90.0, -90.0, -10.0, -10.0)]
    )
    assert here.confidence < 0.7
    assert outside.confidence == 0


def test_a_cartoon_has_no_face(media, detector) -> None:
    result = faces_of(media / "pyfeat/no_face.mp4", detector)
    assert pattern(result) == "." * len(result)
    assert len(result) > 20


@pytest.mark.parametrize(("name", "expected"), [("face_noface", "0."), ("noface_face", ".0")])
def test_leaving_and_coming(media, detector, name, expected) -> None:
    result = faces_of(media / f"pyfeat/{name}.mov", detector)
    runs = "".join(key for key, _ in groupby(pattern(result)))
    assert runs == expected
    assert pattern(result).count("0") == 17, "to the frame, as with detection on every frame"


def test_five_people_in_a_photo(media, detector) -> None:
    (frame,) = faces_of(media / "pyfeat/multi_face.jpg", detector)
    assert [face.track for face in frame.faces] == [0, 1, 2, 3, 4]
    areas = [(f.box[2] - f.box[0]) * (f.box[3] - f.box[1]) * f.confidence for f in frame.faces]
    assert areas == sorted(areas, reverse=True)
    table = TrackTable()
    table.add(frame)
    best = most_prominent(table.stats())
    assert best is not None
    assert best.track == 0


@pytest.mark.parametrize(
    "name",
    [PORTRAIT, "liveportrait/d20.mp4", "synthetic_actors/fear.mp4", "pyfeat/single_face.jpg"],
)
def test_one_person_is_one_track(clip, detector, name) -> None:
    result = faces_of(clip(name), detector)
    assert set(pattern(result)) == {"0"}


def test_the_same_video_gives_the_same_faces(detector) -> None:
    path = asset(PORTRAIT)
    for a, b in zip(faces_of(path, detector), faces_of(path, MTCNNDetector()), strict=True):
        assert a.faces[0].box == b.faces[0].box
        assert np.array_equal(a.faces[0].crop, b.faces[0].crop)


def test_boxes_are_in_pixels_of_the_full_frame(detector) -> None:
    photo = Image.fromarray(next(open_video(asset(PORTRAIT)).frames()).rgb)
    boxes = []
    for factor in (1, 2):
        rgb = np.asarray(photo.resize((photo.width * factor, photo.height * factor)))
        ((face,),) = detector.detect([rgb])
        boxes.append(np.array(face.box) / factor)
    assert np.abs(boxes[0] - boxes[1]).max() < 0.1 * (boxes[0][2] - boxes[0][0])
