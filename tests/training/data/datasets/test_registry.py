"""Opening by name, FER+, and the published sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import write_ferplus

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import DATASETS, open_clips


def test_ferplus_clips_are_views(tmp_path: Path) -> None:
    n = 6
    votes = np.zeros((n, 10), np.uint8)
    votes[:, 1] = 10
    split = ["train", "train", "train", "valid", "test", "test"]
    write_ferplus(tmp_path / "ferplus.npz", votes, split=split)
    data = open_clips("ferplus", tmp_path)
    assert [len(data.splits[split]) for split in ("train", "valid", "test")] == [3, 1, 2]
    clip = data.splits["test"][1]
    assert clip.video.shape == (1, 48, 48, 3) and (clip.video == 5).all()
    assert clip.video.strides[-1] == 0 and data.classes[clip.label] == "happiness"
    assert len({c.id for clips in data.splits.values() for c in clips}) == n
    assert [p.kind for p in data.problems] == ["unexpected count"] * 3


def test_published_sizes_add_up() -> None:
    """Every fold of a dataset holds all of its clips."""
    for name, total in (("mafw", 9172), ("dfew", 11697), ("ferv39k", 38935)):
        info = DATASETS[name]
        classes = info.classes["single"]
        for fold in info.folds:
            sizes = info.sizes(fold)
            counts = [sizes.splits[s] for s in ("train", "test")]
            assert [len(c) for c in counts] == [len(classes)] * 2
            assert sum(map(sum, counts)) == total
            if "all" in sizes.splits:
                assert sizes.splits["all"] == tuple(map(sum, zip(*counts, strict=True)))
    assert DATASETS["mafw"].sizes(3, "compound").total("all") == 8996


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There are: mafw, dfew"):
        open_clips("raf", tmp_path)
    with pytest.raises(DatasetError, match="no fold 6. There are: 1, 2, 3, 4, 5"):
        open_clips("dfew", tmp_path, fold=6)
    with pytest.raises(DatasetError, match="no task compound"):
        open_clips("dfew", tmp_path, task="compound")
    with pytest.raises(DatasetError, match="given by its layout"):
        open_clips("dfew", tmp_path, cropped=False)
