"""FER+ as clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emoclip_sdk.training.data.datasets import open_clips
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES


def test_ferplus_clips_are_views(tmp_path: Path) -> None:
    n = 6
    votes = np.zeros((n, 10), np.uint8)
    votes[:, 1] = 10
    np.savez(
        tmp_path / "ferplus.npz",
        images=np.arange(n, dtype=np.uint8)[:, None, None].repeat(48, 1).repeat(48, 2),
        votes=votes,
        columns=np.array([*FERPLUS_CLASSES, "unknown", "NF"]),
        split=np.array(["train", "train", "train", "valid", "test", "test"]),
        duplicate=np.zeros(n, bool),
    )
    data = open_clips("ferplus", tmp_path)
    assert [len(data.splits[split]) for split in ("train", "valid", "test")] == [3, 1, 2]
    clip = data.splits["test"][1]
    assert clip.video.shape == (1, 48, 48, 3) and (clip.video == 5).all()
    assert clip.video.strides[-1] == 0 and data.classes[clip.label] == "happiness"
    assert len({c.id for clips in data.splits.values() for c in clips}) == n
    assert [p.kind for p in data.problems] == ["unexpected count"] * 3
