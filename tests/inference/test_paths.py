from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.faces import Detection
from emoclip_sdk.inference.frames import EmbeddedFrame
from emoclip_sdk.inference.paths import PathRecorder


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


def test_rows_say_where_the_face_is(detecting_model, two_faces):
    found = detecting_model.timeline(two_faces, ["joy", "fear"], window=1, step=1, fps=10)
    large, small = detecting_model.reader.detector.BOXES
    boxes = {row.track: row.box for row in found if row.face_found}
    assert boxes == {0: pytest.approx(large), 1: pytest.approx(small)}
    assert found.rows[0].detection_confidence == pytest.approx(0.99)
    assert found.paths[1].at(0.5) == pytest.approx(small) and found.paths[1].at(5.0) is None
    nobody = next(row for row in found if row.track is None)
    assert nobody.box is None and np.isnan(nobody.detection_confidence)
    streamed = list(detecting_model.timeline_rows(two_faces, ["joy", "fear"], fps=10))
    assert streamed[0].box == pytest.approx(large)
    read = detecting_model.read(two_faces, fps=10)
    assert detecting_model.timeline(read, ["joy", "fear"]).paths.keys() == {0, 1}
