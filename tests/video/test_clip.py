"""A video read as a model would see it."""

from __future__ import annotations

import numpy as np
import pytest

from emoclip_sdk.config import SamplingConfig
from emoclip_sdk.video import paper, read_clip, uniform

from .conftest import gray_ramp


def numbers(frames) -> list[int]:
    return [f.index for f in frames]


def test_read_clip_modes() -> None:
    source = np.stack(gray_ramp(50, 4, 4))
    config = SamplingConfig(n_frames=8, rate=5.0, stride=4)
    assert numbers(read_clip(source, config)) == list(range(0, 50, 5))
    assert numbers(read_clip(source, config, "uniform")) == uniform(50, 8).tolist()
    drawn = numbers(read_clip(source, config, "paper", seed=3))
    assert drawn == paper(50, 8, 4, np.random.default_rng(3)).tolist()
    assert drawn == numbers(read_clip(source, config, "paper", seed=3))
    assert len({tuple(numbers(read_clip(source, config, "paper", seed=s))) for s in range(9)}) > 1
    with pytest.raises(ValueError, match="mode"):
        read_clip(source, config, "random")  # type: ignore[arg-type]


def test_read_clip_from_a_file(make_video) -> None:
    path = make_video("a.mp4", gray_ramp(50), fps=25)
    for mode in ("deterministic", "uniform", "paper"):
        frames = read_clip(path, SamplingConfig(n_frames=8), mode)
        assert [f.rgb.mean() for f in frames] == pytest.approx([4 * f.index for f in frames], abs=4)
