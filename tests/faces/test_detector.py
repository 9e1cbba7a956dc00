"""A detector of one's own is used by whatever reads a video."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from emoclip_sdk import Detection, EmoCLIP, EmoCLIPError, FaceConfig

LABELS = ["joy", "anger"]


class Corner:
    """Finds a face in the upper left corner of every frame."""

    def __init__(self) -> None:
        self.looked = 0

    def detect(self, frames):
        self.looked += len(frames)
        return [[Detection((5.0, 5.0, 45.0, 45.0), 0.95)] for _ in frames]


@pytest.fixture
def model(tiny_checkpoint):
    return EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", detector=Corner())


def test_every_method_uses_it(model, stripes):
    frames = stripes(20, 64)
    for call in (
        model.classify,
        model.embed,
        model.timeline,
        model.explain,
        lambda video: list(model.timeline_rows(video)),
    ):
        before = model.detector.looked
        call(frames)
        assert model.detector.looked > before
    (row, *_) = model.timeline(frames, LABELS)
    assert row.box == pytest.approx((5.0, 5.0, 45.0, 45.0))
    assert row.detection_confidence == pytest.approx(0.95)


def test_processes_get_a_copy(model, crop_video):
    (result,) = model.classify_batch([crop_video], LABELS, workers=1)
    assert result.scores == pytest.approx(model.classify(crop_video, LABELS).scores, abs=1e-6)
    model.detector.handle = lambda: None
    with pytest.raises(EmoCLIPError, match="detector Corner can't be sent to the processes"):
        list(model.classify_batch([crop_video], LABELS, workers=1))


def test_what_can_not_detect_is_refused(tiny_checkpoint):
    with pytest.raises(EmoCLIPError, match=r"method detect\(frames\)"):
        EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", detector="retinaface")


def test_faces_says_how_they_are_found(tiny_checkpoint, stripes):
    faces = FaceConfig(detector="none")
    model = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", faces=faces)
    assert model.config.faces == faces and model.classify(stripes(5), LABELS).face_found
    sure = FaceConfig(min_confidence=0.99)
    model = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", detector=Corner(), faces=sure)
    assert not model.classify(stripes(5, 64), LABELS).face_found
    assert dataclasses.replace(model.config.faces, min_confidence=0.9) == FaceConfig()
    crops = model.embed(stripes(5, 64), faces="none")
    assert np.isfinite(crops).all()  # frames that are crops need no detector
