"""Small faces: found where they are to be expected, and from the size on that one asks for."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from emoclip_sdk import EmoCLIP, EmoCLIPError
from emoclip_sdk.config import FaceConfig
from emoclip_sdk.diagnostics.bench.clips import portrait
from emoclip_sdk.faces import Detection, MTCNNDetector, face_frames
from emoclip_sdk.faces.small_faces import SmallFaceSearch
from emoclip_sdk.video import Frame, open_video

LARGE = Detection((100, 100, 300, 300), 0.99)
SMALL = Detection((500, 100, 530, 130), 0.99)  # of a picture 640 pixels wide
FRAME = np.zeros((360, 640, 3), np.uint8)


class Closer:
    """A detector that sees `first` at once, and `closer` if it is asked to."""

    def __init__(self, first: list[Detection], closer: list[Detection]) -> None:
        self.first, self.closer = first, closer
        self.asked: list[float] = []  # sizes
        self.seen = 0

    def detect(self, frames):
        return [self.first for _ in frames]

    def detect_small(self, frames, min_face):
        self.asked += [min_face] * len(frames)
        return [self.closer for _ in frames]


def test_a_picture_of_large_faces_is_looked_at_once() -> None:
    detector = Closer([LARGE], [LARGE, SMALL])
    assert SmallFaceSearch(detector, 0.9)([FRAME] * 20) == [[LARGE]] * 20
    assert detector.asked == []


@pytest.mark.parametrize("first", [[], [SMALL], [LARGE, SMALL]])
def test_where_faces_are_small_or_none_is_seen_smaller_ones_are_found(first) -> None:
    many = [SMALL] * 5
    detector = Closer(first, many)
    assert SmallFaceSearch(detector, 0.9)([FRAME] * 10) == [many] * 10
    assert detector.asked == [20] * 10  # a fortieth of 640 is less than MTCNN's own 20
    SmallFaceSearch(detector, 0.9)([np.zeros((1080, 1920, 3), np.uint8)])
    assert detector.asked[-1] == pytest.approx(48)


def test_empty_pictures_are_looked_at_closely_now_and_then() -> None:
    detector = Closer([], [Detection(SMALL.box, 0.5)])  # texture
    search = SmallFaceSearch(detector, 0.9)
    looked = []
    for i in range(15):
        before = len(detector.asked)
        assert search([FRAME]) == [[]]
        if len(detector.asked) > before:
            looked.append(i)
    assert looked == [0, 2, 6, 10, 14]
    detector.closer = [SMALL] * 3  # they come
    assert search([FRAME] * 4)[-1] == [SMALL] * 3
    assert search([FRAME] * 4) == [[SMALL] * 3] * 4


def test_min_face_is_for_every_picture() -> None:
    detector = Closer([LARGE], [LARGE, SMALL])
    assert SmallFaceSearch(detector, 0.9, 33)([FRAME] * 3) == [[LARGE, SMALL]] * 3
    assert detector.asked == [33] * 3


def head(side: int) -> np.ndarray:
    """Head and shoulders on a square of so many pixels; the face has six tenths of its height."""
    rgb = next(open_video(portrait()).frames()).rgb[22:186, 113:277]
    return cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def video_call() -> np.ndarray:
    """7 x 7 persons on 1920 x 1080 pixels, a face about a third of its tile's height."""
    frame = np.full((1080, 1920, 3), 40, np.uint8)
    rng = np.random.default_rng(0)
    for i in range(49):
        light = np.clip(head(88) * rng.uniform(0.7, 1.2), 0, 255).astype(np.uint8)
        y, x = i // 7 * 154 + 66, i % 7 * 274 + 93
        frame[y : y + 88, x : x + 88] = light[:, :: rng.choice([1, -1])]
    return frame


def test_everybody_in_a_video_call_is_found(video_call) -> None:
    frames = [Frame(0, 0.0, video_call)]
    (seen,) = face_frames(frames, FaceConfig(), size=8, detector=MTCNNDetector())
    assert len(seen.faces) == 49
    assert len({(int(f.box[0]) // 274, int(f.box[1]) // 154) for f in seen.faces}) == 49


def test_min_face_finds_who_is_small_beside_who_is_large() -> None:
    frame = np.full((720, 1280, 3), 40, np.uint8)
    frame[200:648, 100:548] = head(448)
    frame[300:364, 1000:1064] = head(64)
    detector = MTCNNDetector()

    def found(min_face: float | None) -> int:
        seen = face_frames(
            [Frame(0, 0.0, frame)], FaceConfig(), size=8, detector=detector, min_face=min_face
        )
        return len(next(seen).faces)

    assert (found(None), found(20), found(100)) == (1, 2, 1)


@pytest.mark.parametrize("wrong", [0, -20, 11, math.nan, math.inf, "40", True])
def test_a_smallest_face_is_a_number_of_pixels(tiny_model: EmoCLIP, wrong) -> None:
    with pytest.raises(EmoCLIPError, match="min_face must be a number of pixels, 12 or more"):
        tiny_model.classify("missing.mp4", ["joy", "anger"], min_face=wrong)


def test_a_smallest_face_that_nothing_is_told_of(tiny_checkpoint, crop_video) -> None:
    class Whole:
        def detect(self, frames):
            return [[LARGE] for _ in frames]

    model = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", detector=Whole())
    with pytest.raises(EmoCLIPError, match="the detector Whole can't be told min_face=30"):
        model.classify(crop_video, ["joy", "anger"], min_face=30)
    with pytest.raises(EmoCLIPError, match="leave one of the two out"):
        model.classify(crop_video, ["joy", "anger"], min_face=30, faces="none")
