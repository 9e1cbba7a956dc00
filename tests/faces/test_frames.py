"""From frames to faces, without a detector and for single pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.faces import (
    Detection,
    face_frames,
)

from .scripted import Scripted, draw, run, tracks


def test_no_frames_no_faces() -> None:
    assert run(lambda i: {}, 0)[0] == []
    result, detector = run(lambda i: {}, 9)
    assert tracks(result) == [""] * 9
    assert detector.asked == [[0, 4, 8]], "nothing to refine"


def test_weak_and_broken_detections_are_dropped() -> None:
    class Poor:
        def detect(self, frames):
            return [
                [
                    Detection((10, 10, 50, 50), 0.89),
                    Detection((10, 10, float("nan"), 50), 0.99),
                    Detection((50, 50, 50, 50), 0.99),
                    Detection((100, 50, 140, 90), 0.90),
                ]
                for _ in frames
            ]

    frames = [draw(i, {"ann": (120, 70, 40)}) for i in range(5)]
    result = list(face_frames(frames, FaceConfig(detect_every=4), size=8, detector=Poor()))
    assert tracks(result) == ["0"] * 5
    assert result[0].faces[0].box == (100, 50, 140, 90)


def test_a_single_picture_keeps_its_faces() -> None:
    result, _ = run(lambda i: {"ann": (60, 60, 40), "bob": (160, 60, 50)}, 1)
    assert tracks(result) == ["01"]


def test_shots_of_one_frame_keep_their_faces() -> None:
    result, _ = run(
        lambda i: {f"person {i}": (40 + 40 * (i % 4), 60, 40)}, 8, scene=lambda i: f"place {i}"
    )
    assert tracks(result) == [str(i) for i in range(8)]


def test_without_a_detector_the_middle_of_the_frame_is_the_face() -> None:
    frames = [draw(i, {"ann": (60, 60, 40)}) for i in range(3)]
    config = FaceConfig(detector="none", margin=0.5)
    result = list(face_frames(frames, config, size=48, detector=Scripted(lambda i: {})))
    for frame, out in zip(frames, result, strict=True):
        (face,) = out.faces
        assert (face.track, face.confidence, face.detected) == (0, 1.0, True)
        assert face.box == (0, 0, 240, 160)
        middle = Image.fromarray(frame.rgb[:, 40:200]).resize((48, 48), Image.Resampling.BICUBIC)
        assert np.abs(face.crop[2:-2, 2:-2] - np.asarray(middle, int)[2:-2, 2:-2]).max() <= 3
