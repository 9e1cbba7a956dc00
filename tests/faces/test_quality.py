"""What lowers the quality of a face: blur, darkness, glare, a small face, the picture's border."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.faces import Detection, face_frames
from emoclip_sdk.faces.quality import QualityMean
from emoclip_sdk.video import Frame


def noise_face(side=300, seed=0):
    """A picture with detail at every scale, as faces have: 1/f noise about a middle gray."""
    spectrum = np.fft.rfft2(np.random.default_rng(seed).standard_normal((side, side)))
    y, x = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    picture = np.fft.irfft2(spectrum / np.maximum(np.hypot(y, x), 1 / side), (side, side))
    gray = (115 + 40 * picture / picture.std()).clip(0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


class Fixed:
    def __init__(self, box):
        self.box = box

    def detect(self, frames):
        return [[Detection(self.box, 1.0)] for _ in frames]


def quality(rgb, box=None, margin=0.1):
    height, width = rgb.shape[:2]
    box = box or (0.0, 0.0, float(width), float(height))
    frames = [Frame(i, i / 7, rgb) for i in range(3)]
    found = face_frames(frames, FaceConfig(margin=margin), size=96, detector=Fixed(box))
    return [face.quality for frame in found for face in frame.faces][-1]


def blurred(rgb, share):
    radius = share * len(rgb)
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(radius)))


def test_a_face_in_good_light_counts_fully():
    found = quality(noise_face())
    assert found.score == 1.0
    assert found.face_size == pytest.approx(300)
    assert found.brightness == pytest.approx(115 / 255, abs=0.02)
    assert found.outside == 0.0


def test_blur_counts_and_contrast_and_size_do_not():
    face = noise_face()
    scores = [quality(blurred(face, share)).score for share in (0.0, 0.02, 0.04, 0.08)]
    assert scores == sorted(scores, reverse=True) and scores[2] < 0.6 and scores[3] < 0.3
    pale = (100 + 0.3 * (face.astype(float) - 100)).astype(np.uint8)
    assert quality(pale).sharpness == pytest.approx(quality(face).sharpness, rel=0.1)
    half = np.asarray(Image.fromarray(face).resize((150, 150), Image.Resampling.BICUBIC))
    assert quality(half).sharpness == pytest.approx(quality(face).sharpness, rel=0.1)


def test_a_dark_and_a_glaring_face_count_little():
    face = noise_face()
    assert quality((face * 0.05).astype(np.uint8)).score < 0.3
    assert quality(255 - ((255 - face) * 0.05).astype(np.uint8)).score < 0.3
    assert quality((face * 0.4).astype(np.uint8)).score > 0.9, "dim, and well visible"


def test_a_small_face_counts_little():
    small = np.asarray(Image.fromarray(noise_face()).resize((16, 16), Image.Resampling.BICUBIC))
    assert quality(small).score == pytest.approx(16 / 64)


def test_a_face_that_is_cut_off_counts_by_what_is_left():
    found = quality(noise_face(), (-100.0, 0.0, 100.0, 200.0))
    assert found.outside == pytest.approx(0.5) and found.score == pytest.approx(0.5)
    gone = quality(noise_face(), (-300.0, 0.0, -100.0, 200.0))
    assert gone.outside == 1.0 and gone.score == 0.0


def test_given_crops_have_a_quality_too():
    frames = [Frame(0, 0.0, np.full((80, 120, 3), 128, np.uint8))]
    (frame,) = face_frames(frames, FaceConfig(detector="none"), size=32)
    assert frame.faces[0].quality.score == 0.0, "one gray: nothing is sharp"
    assert frame.faces[0].quality.brightness == pytest.approx(128 / 255)


def test_the_mean_is_that_of_each_figure():
    a, b = quality(noise_face()), quality(blurred(noise_face(), 0.04))
    mean = QualityMean([a, b]).mean()
    assert mean.score == pytest.approx((a.score + b.score) / 2)
    assert mean.sharpness == pytest.approx((a.sharpness + b.sharpness) / 2)
    assert QualityMean().mean() is None
