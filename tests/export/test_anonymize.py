"""Annotated videos in which faces can't be recognized, and those in which one still can."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
from builders import write_video

from emoclip_sdk.diagnostics.bench.clips import portrait
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.export.anonymize import CELLS, HOLD, Anonymizer
from emoclip_sdk.faces import MTCNNDetector
from emoclip_sdk.results.paths import FacePath
from emoclip_sdk.video import open_video

LABELS = ["joy", "anger"]


def path(sights: dict[int, tuple[float, float, float, float]], spacing: float = 0.1) -> FacePath:
    """A face that is seen in some of the sampled frames, by their numbers."""
    numbers = np.array(list(sights))
    return FacePath(numbers, numbers * spacing, np.array(list(sights.values())), spacing)


def covered(face: FacePath, time: float) -> np.ndarray:
    """Which pixels of noise are another color afterwards."""
    noise = np.random.default_rng(0).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    return (Anonymizer({0: face})(noise, time) != noise).any(axis=2)


def test_a_face_is_covered_with_a_margin_while_it_moves() -> None:
    face = path({0: (20, 40, 40, 60), 1: (40, 40, 60, 60)})
    for time, left in ((0.0, 20), (0.05, 30), (0.1, 40)):
        changed = covered(face, time)
        assert changed[34:64, left - 4 : left + 24].mean() > 0.99
        assert not changed[:, : left - 8].any() and not changed[:, left + 28 :].any()


def test_gaps_and_the_time_before_and_after_are_covered() -> None:
    """Lost from 0.1 to 1.9 s: it may be anywhere between the two places."""
    face = path({10: (20, 40, 40, 60), 29: (100, 40, 120, 60)})
    assert covered(face, 2.0)[34:64, 16:124].mean() > 0.99
    assert not covered(face, 1.0 - HOLD - 0.01).any()
    assert covered(face, 1.0 - HOLD)[40:60, 20:40].mean() > 0.99
    assert covered(face, 2.9 + HOLD)[40:60, 100:120].mean() > 0.99
    assert not covered(face, 2.9 + 0.1 + HOLD + 0.01).any()


@pytest.mark.parametrize("box", [(-50, -50, 30, 30), (190, 90, 260, 160), (500, 500, 600, 600)])
def test_faces_at_the_border(box) -> None:
    changed = covered(path({0: box}), 0.0)
    assert changed.any() == (box[0] < 200)


def test_no_detector_finds_the_face_again() -> None:
    rgb = next(open_video(portrait()).frames()).rgb
    detector = MTCNNDetector()
    (face,) = detector.detect([rgb])[0]
    hidden = Anonymizer({0: path({0: face.box})})(rgb, 0.0)
    assert detector.detect_small([hidden], 20) == [[]]
    x0, y0, x1, y1 = map(round, face.box)
    inside, before = hidden[y0:y1, x0:x1].astype(float), rgb[y0:y1, x0:x1].astype(float)
    # No more is left than that many cells say.
    cells = cv2.resize(inside, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    smooth = cv2.resize(cells, (x1 - x0, y1 - y0), interpolation=cv2.INTER_CUBIC)
    assert np.abs(smooth - inside).mean() < 0.2 * np.abs(before - inside).mean()
    assert np.array_equal(hidden[300:], rgb[300:])


def pictures(file) -> np.ndarray:
    with av.open(str(file)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


@pytest.fixture(scope="module")
def striped(two_faces):
    """The clip of the scripted detector with stripes, so that a blurred part looks different."""
    frames = two_faces[:20].copy()
    frames[:, :, 1::4] //= 2
    frames[:, :, 2::4] //= 2
    return frames


def test_everybody_but_one(detecting_model, striped, tmp_path) -> None:
    source = write_video(tmp_path / "in.mp4", striped, 10)
    # Nobody is seen well enough to be scored, and all the same they are blurred.
    timeline = detecting_model.timeline(source, LABELS, step=0.5, min_quality=1.0)
    assert timeline.status == "no face" and len(timeline.paths) == 2
    timeline.annotate(source, tmp_path / "plain.mp4")
    timeline.annotate(source, tmp_path / "hidden.mp4", anonymize=True)
    timeline.annotate(source, tmp_path / "one.mp4", anonymize=True, keep_faces=[0])
    plain, hidden, one = (
        pictures(tmp_path / f"{name}.mp4").astype(int) for name in ("plain", "hidden", "one")
    )
    factor = 4  # 128 pixels of width are enlarged
    for track, path in timeline.paths.items():
        x0, y0, x1, y1 = (round(factor * edge) for edge in path.boxes[0])
        face = np.s_[:, y0 + 25 : y1 - 25, x0 + 25 : x1 - 25]  # without what is drawn on it
        assert np.abs(plain - hidden)[face].mean() > 15
        if track == 0:
            assert np.abs(plain - one)[face].mean() < 3
        else:
            assert np.abs(plain - one)[face].mean() > 15
    with pytest.raises(EmoCLIPError, match="no face track 7 to keep; there are: 0, 1"):
        timeline.annotate(source, tmp_path / "x.mp4", anonymize=True, keep_faces=[0, 7])
    with pytest.raises(EmoCLIPError, match="is for anonymize=True"):
        timeline.annotate(source, tmp_path / "x.mp4", keep_faces=[0])
    assert not (tmp_path / "x.mp4").exists()


def test_nobody_to_blur_is_said(tiny_model, tmp_path, caplog) -> None:
    frames = np.full((10, 64, 64, 3), 90, np.uint8)
    tiny_model.timeline(frames, LABELS).annotate(frames, tmp_path / "o.mp4", anonymize=True)
    assert "no face was found that could be blurred" in caplog.text
