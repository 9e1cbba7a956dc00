"""Plans of frame numbers: uniform, and as the paper's reference draws them."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.video import clip_window, paper, uniform


def test_impossible_plans_are_refused() -> None:
    for call in (
        lambda: uniform(5, 0),
        lambda: paper(0, 4, 4, np.random.default_rng(0)),
        lambda: paper(8, 4, 0, np.random.default_rng(0)),
    ):
        with pytest.raises(ValueError, match="not"):
            call()


def test_uniform_is_spread_and_in_the_middle() -> None:
    assert uniform(8, 4).tolist() == [1, 3, 5, 7]
    assert uniform(100, 4).tolist() == [12, 37, 62, 87]
    assert uniform(3, 4).tolist() == [0, 1, 2]
    assert uniform(0, 4).tolist() == []


class FixedStart:
    """A random generator that is not."""

    def __init__(self, start: int) -> None:
        self.start = start

    def integers(self, high: int) -> int:
        assert 0 <= self.start < high
        return self.start


@pytest.mark.parametrize(
    ("n", "start", "expected"),
    [
        (40, 2, [8, 12, 16, 20]),  # stride 4: 10 kept, the window fits
        (40, 8, [32, 36, 0, 4]),  # wraps round
        (12, 1, [4, 8, 0, 4]),  # 3 kept: wraps
        (5, 0, [0, 4, 0, 4]),  # 2 kept: 0 4 | 0 4
        (5, 1, [4, 0, 4, 0]),  # 4 | 0 4, then reflected at its end
        (3, 0, [0, 0, 0, 0]),
    ],
)
def test_paper_sampling_is_the_references(n, start, expected) -> None:
    assert paper(n, 4, 4, FixedStart(start)).tolist() == expected  # type: ignore[arg-type]


def test_paper_sampling_always_fills_the_clip() -> None:
    for n in range(1, 200):
        clip = paper(n, 32, 4, np.random.default_rng(n))
        assert clip.shape == (32,)
        assert np.all((clip >= 0) & (clip < n) & (clip % 4 == 0))


def test_short_clips_are_filled_in_one_way_whoever_asks() -> None:
    assert clip_window(3, 7, "wrap").tolist() == [0, 1, 2, 0, 1, 2, 1]
    assert clip_window(3, 7, "wrap", start=2).tolist() == [2, 0, 1, 2, 1, 0, 2]
    assert clip_window(3, 7, "inside").tolist() == [0, 1, 2, 2, 2, 2, 2]
    for n in (1, 3, 7, 9):  # training's clip from the first frame is the one that use sees
        drawn = paper(n, 7, 1, FixedStart(0))  # type: ignore[arg-type]
        assert drawn.tolist() == clip_window(n, 7, "wrap").tolist()
    with pytest.raises(ValueError, match="at least one frame"):
        clip_window(0, 7, "wrap")
