from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.clips import embed_faces, span_windows, window_clip
from emoclip_sdk.video import Face, FrameFaces


def frame(i, *tracks, side=4):
    faces = tuple(
        Face(
            t, (0.0, 0.0, 5.0 + t, 10.0), 0.9, True, np.full((side, side, 3), 10 * t + i, np.uint8)
        )
        for t in tracks
    )
    return FrameFaces(i, i / 7, faces, (10, 10))


def first_pixel(crops):
    return crops[:, 0, 0, :2].astype(np.float32)


def test_embed_faces_keeps_gaps_and_tracks():
    stream = [frame(0), frame(1, 0), frame(2, 0, 1), frame(3, 1), frame(4, 0)]
    found = embed_faces(iter(stream), first_pixel)
    np.testing.assert_allclose(found.times, np.arange(5) / 7)
    assert set(found.rows) == {0, 1}
    np.testing.assert_array_equal(found.frames[found.rows[0][[1, 2, 4]], 0], [1, 2, 4])
    np.testing.assert_array_equal(found.frames[found.rows[1][[2, 3]], 0], [12, 13])
    assert list(found.rows[0] >= 0) == [False, True, True, False, True]
    first, second = found.tracks
    assert (first.id, first.n_frames, first.share) == (0, 3, 3 / 5)
    assert (first.start, first.end) == pytest.approx((1 / 7, 4 / 7))
    assert second.n_frames == 2
    assert found.most_prominent == 0


def test_embed_faces_without_a_face():
    found = embed_faces(iter([frame(0), frame(1)]), first_pixel)
    assert found.rows == {} and found.tracks == () and found.most_prominent is None
    assert len(found.frames) == 0 and len(found.times) == 2


def test_embed_faces_in_batches():
    sizes = []

    def encode(crops):
        sizes.append(len(crops))
        return first_pixel(crops)

    found = embed_faces((frame(i, 0, 1) for i in range(100)), encode)
    assert sum(sizes) == 200 and max(sizes) <= 65
    np.testing.assert_array_equal(found.frames[found.rows[0], 0], np.arange(100))


def test_span_windows():
    assert span_windows(np.full(5, -1), 4) == []
    rows = np.array([-1, -1, 0, -1, 1, -1])
    (only,) = span_windows(rows, 4)
    np.testing.assert_array_equal(only, [0, -1, 1])  # from first to last sight, the gap kept
    clips = span_windows(np.arange(10), 4)
    assert [clip.tolist() for clip in clips] == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    gone = np.array([0, 1, *[-1] * 8, 2, 3])
    assert [clip.tolist() for clip in span_windows(gone, 4)] == [[0, 1, -1, -1], [-1, -1, 2, 3]]


def test_window_clip():
    assert window_clip(np.full(3, -1), 3).tolist() == []
    assert window_clip(np.array([-1, 0, -1, 1, -1]), 3).tolist() == [0, -1, 1]
    assert window_clip(np.array([0, -1, 1, -1, 2]), 3).tolist() == [0, 1, 2]
    assert window_clip(np.arange(9), 3).tolist() == [1, 4, 7]
