"""Statistics of tracks."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.faces import (
    Face,
    FrameFaces,
    TrackTable,
    most_prominent,
)


def faces(index: int, *boxes: tuple[int, tuple[float, float, float, float], float]) -> FrameFaces:
    crop = np.zeros((2, 2, 3), np.uint8)
    in_frame = tuple(Face(track, box, confidence, True, crop) for track, box, confidence in boxes)
    return FrameFaces(index, index / 10, in_frame, (100, 50))


def test_track_table_adds_up() -> None:
    table = TrackTable()
    table.add(faces(0, (0, (0, 0, 10, 10), 1.0)))
    table.add(faces(1))
    table.add(faces(2, (0, (0, 0, 10, 10), 0.5), (1, (0, 0, 50, 50), 0.9)))
    first, second = table.stats()
    assert (first.track, first.n_frames, first.first, first.last) == (0, 2, 0.0, 0.2)
    assert first.prominence == pytest.approx(0.02 + 0.01)
    assert (second.n_frames, second.first) == (1, 0.2)
    assert second.prominence == pytest.approx(0.45)
    assert table.n_frames == 3
    assert most_prominent(table.stats()) is second
    assert most_prominent(()) is None


def test_equal_prominence_goes_to_the_earlier_track() -> None:
    table = TrackTable()
    table.add(faces(0, (1, (0, 0, 10, 10), 1.0), (0, (20, 0, 30, 10), 1.0)))
    best = most_prominent(table.stats())
    assert best is not None
    assert best.track == 0
