"""Tracks: what holds whatever a detector says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emoclip_sdk.config import FaceConfig
from emoclip_sdk.faces import Detection, face_frames
from emoclip_sdk.video import Frame

numbers = st.floats(-50, 200) | st.sampled_from([float("nan"), float("inf"), 0.0])
detections = st.builds(Detection, st.tuples(*[numbers] * 4), st.floats(0, 1))


class Scripted:
    """Says of the n-th picture that it is shown what the script says."""

    def __init__(self, script):
        self.script = script

    def detect(self, pictures):
        return [self.script[int(picture[0, 0, 0]) % len(self.script)] for picture in pictures]


@given(
    st.lists(st.lists(detections, max_size=3), min_size=1, max_size=12),
    st.integers(0, 25),
    st.integers(1, 5),
    st.booleans(),
    st.booleans(),
)
def test_every_frame_comes_out_once_with_usable_faces(script, n, every, at_once, cuts):
    rng = np.random.default_rng(0)
    scenes = rng.integers(0, 255, (n + 1, 80, 100, 3), dtype=np.uint8)
    frames = []
    for i in range(n):
        rgb = scenes[i if cuts else 0].copy()
        rgb[0, 0, 0] = i
        frames.append(Frame(i, i / 7, rgb))
    config = FaceConfig(detect_every=every)
    found = list(face_frames(frames, config, size=16, detector=Scripted(script), at_once=at_once))
    assert [f.index for f in found] == list(range(n))
    known = set()
    for frame in found:
        tracks = [face.track for face in frame.faces]
        assert tracks == sorted(set(tracks))
        known |= set(tracks)
        for face in frame.faces:
            assert np.isfinite(face.box).all() and face.crop.shape == (16, 16, 3)
            assert face.box[0] < face.box[2] and face.box[1] < face.box[3]
            assert config.min_confidence <= face.confidence <= 1
    assert known == set(range(len(known)))
