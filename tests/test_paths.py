from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.clips import EmbeddedFrame
from emoclip_sdk.paths import PathRecorder
from emoclip_sdk.video import Detection


def test_boxes_between_frames_and_in_gaps():
    recorder = PathRecorder()

    def frames():
        for i in range(8):
            found = {} if i in (3, 4) else {7: Detection((10.0 * i, 0.0, 10.0 * i + 5, 5.0), 0.9)}
            yield EmbeddedFrame(i / 4, {t: np.zeros(1, np.float32) for t in found}, found)

    assert len(list(recorder.watch(frames()))) == 8
    (track,) = recorder.paths()
    path = recorder.paths()[track]
    assert track == 7
    assert path.at(0.25) == (10, 0, 15, 5)
    assert path.at(0.375) == pytest.approx((15, 0, 20, 5))
    assert path.at(0.6) == (20, 0, 25, 5), "a frame stands for the time until the next one"
    assert path.at(0.8) is None and path.at(1.2) is None
    assert path.at(1.25) == (50, 0, 55, 5)
    assert path.at(1.9) == (70, 0, 75, 5) and path.at(2.1) is None
    assert path.at(-1) is None
