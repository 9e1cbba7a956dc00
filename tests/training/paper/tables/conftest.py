"""MAFW and DFEW of a few arrays, in place of the readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.cache import FrameCache
from emoclip_sdk.training.data.datasets import (
    BASIC_CLASSES,
    MAFW_CLASSES,
    MAFW_COMPOUNDS,
    Clip,
    ClipDataset,
    Problem,
)
from emoclip_sdk.training.paper.tables import Bench, bench, read_roots


def small_clips(name: str, root: Path, *, fold: int = 1, task: str = "single") -> ClipDataset:
    """Stand in for `open_clips`: folds 1 and 2 are there, two clips for each class."""
    if fold > 2:
        raise DatasetError(f"{root}: no list of fold {fold}")
    classes = BASIC_CLASSES if name == "dfew" else MAFW_CLASSES
    if task == "compound":
        classes = MAFW_CLASSES + MAFW_COMPOUNDS
    rng = np.random.default_rng(fold)
    x = np.arange(32)

    def clip(i: int) -> Clip:
        phase = rng.integers(0, 40)
        frames = (128 + 100 * np.sin((x + phase) / (2 + i % len(classes)))).astype(np.uint8)
        video = np.broadcast_to(frames[None, :, None, None], (4, 32, 32, 3))
        return Clip(f"{name}{fold}-{i}", video, i % len(classes))

    splits = {key: tuple(map(clip, range(2 * len(classes)))) for key in ("train", "test")}
    off = Problem("unexpected count", f"{name} fold {fold}, test", "22 clips, published 1839")
    return ClipDataset(name, classes, splits, problems=(off,))


@pytest.fixture
def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a maker of benches from the text of a roots file."""
    monkeypatch.setattr(bench, "open_clips", small_clips)

    def make(text: str) -> Bench:
        path = tmp_path / "roots.yaml"
        path.write_text(text, encoding="utf-8")
        cache = FrameCache(tmp_path / "cache")
        return Bench(read_roots(path), tmp_path / "measurements", cache, device="cpu", draws=20)

    return make
