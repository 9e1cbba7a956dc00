"""The whole room on real faces. Skipped where the shared media are absent."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.faces import FrameFaces, MTCNNDetector, TrackTable, face_frames, most_prominent
from emoclip_sdk.faces.boxes import iou
from emoclip_sdk.video import open_video

RATE = 7.0


@pytest.fixture(scope="module")
def detector() -> MTCNNDetector:
    return MTCNNDetector()


def faces_of(
    path: Path, detector: MTCNNDetector, config: FaceConfig | None = None
) -> list[FrameFaces]:
    frames = open_video(path).sample(RATE)
    return list(face_frames(frames, config or FaceConfig(), size=112, detector=detector))


def pattern(result: list[FrameFaces]) -> str:
    """One character per frame: a track number, or a point for nobody."""
    return "".join("".join(str(f.track) for f in frame.faces) or "." for frame in result)


# --- the detector itself, without media -----------------------------------------------------------


def test_the_detector_takes_any_size_and_finds_no_face_in_noise(detector) -> None:
    rng = np.random.default_rng(0)
    shapes = [(180, 320), (1, 1), (10, 400), (180, 320), (400, 10), (15, 15), (16, 16), (300, 200)]
    frames = [rng.integers(0, 255, (*shape, 3)).astype(np.uint8) for shape in shapes]
    assert detector.detect(frames) == [[] for _ in shapes]
    assert detector.detect([]) == []


# --- real clips -----------------------------------------------------------------------------------


def test_one_man_is_one_track(media, detector) -> None:
    result = faces_of(media / "pyfeat/single_face.mp4", detector)
    assert pattern(result) == "0" * 17
    assert [f.index for f in result][:3] == [0, 4, 8]
    for frame in result:
        (face,) = frame.faces
        assert face.confidence > 0.9
        assert face.crop.shape == (112, 112, 3)
        assert face.crop.std() > 20


def test_followed_boxes_are_where_detection_would_put_them(media, detector) -> None:
    path = media / "pyfeat/single_face.mp4"
    sparse = faces_of(path, detector)
    dense = faces_of(path, detector, FaceConfig(detect_every=1))
    overlaps = [iou(a.faces[0].box, b.faces[0].box) for a, b in zip(sparse, dense, strict=True)]
    assert min(overlaps) > 0.8
    assert np.mean(overlaps) > 0.9
    assert all(face.detected for frame in sparse for face in frame.faces)


def test_boxes_are_those_of_the_library_on_the_full_frame(media, detector) -> None:
    from facenet_pytorch import MTCNN

    library = MTCNN(keep_all=True)
    overlaps = []
    for name in ("pyfeat/single_face.mp4", "liveportrait/d19.mp4", "synthetic_actors/angry.mp4"):
        frames = [frame.rgb for frame in open_video(media / name).sample(1.0)][:3]
        for rgb, found in zip(frames, detector.detect(frames), strict=True):
            boxes, _ = library.detect(rgb)
            overlaps.append(iou(tuple(map(float, boxes[0])), found[0].box))
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
    "name", ["liveportrait/d20.mp4", "synthetic_actors/fear.mp4", "pyfeat/single_face.jpg"]
)
def test_one_person_is_one_track(media, detector, name) -> None:
    result = faces_of(media / name, detector)
    assert set(pattern(result)) == {"0"}


def test_the_same_video_gives_the_same_faces(media, detector) -> None:
    path = media / "pyfeat/single_face.mp4"
    for a, b in zip(faces_of(path, detector), faces_of(path, MTCNNDetector()), strict=True):
        assert a.faces[0].box == b.faces[0].box
        assert np.array_equal(a.faces[0].crop, b.faces[0].crop)


def test_boxes_are_in_pixels_of_the_full_frame(media, detector) -> None:
    photo = Image.open(media / "pyfeat/single_face.jpg").convert("RGB")
    boxes = []
    for factor in (1, 2):
        rgb = np.asarray(photo.resize((photo.width * factor, photo.height * factor)))
        ((face,),) = detector.detect([rgb])
        boxes.append(np.array(face.box) / factor)
    assert np.abs(boxes[0] - boxes[1]).max() < 0.05 * (boxes[0][2] - boxes[0][0])
