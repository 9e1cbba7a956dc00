"""Times of frames."""

from __future__ import annotations

import pytest

from emoclip_sdk.video import open_video

from .conftest import gray_ramp


def test_times_start_at_zero_whatever_the_file_says(make_video) -> None:
    path = make_video("late.mkv", gray_ramp(3), codec="ffv1", ticks=[3000, 3060, 3300])
    assert [f.time for f in open_video(path).frames()] == pytest.approx([0, 0.1, 0.5])
