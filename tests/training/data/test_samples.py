"""Batches of clips that are read anew: what can't be used is replaced, memory follows the part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import DatasetError
from emoclip_sdk.runtime.worker_pool import WorkerPool
from emoclip_sdk.training.data import samples
from emoclip_sdk.training.data.datasets.clips import Clip
from emoclip_sdk.training.data.frames import Augmentation, ClipCrops
from emoclip_sdk.training.data.samples import ClipBatch, DecodedFrames
from emoclip_sdk.training.engine.plan import ShuffledPlan


@pytest.fixture
def source(tiny_model: EmoCLIP, stripes: Callable[..., np.ndarray], tmp_path: Path):
    def make(*broken: int) -> DecodedFrames:
        clips = [
            Clip(f"{i}", tmp_path / f"{i}.mp4" if i in broken else np.roll(stripes(6), i, axis=2))
            for i in range(6)
        ]
        return DecodedFrames(
            clips,
            tiny_model.config,
            cropped=True,
            augmentation=Augmentation(),
            seed=5,
            workers=WorkerPool(0),
            device=torch.device("cpu"),
        )

    return make


def _batches(source: DecodedFrames, first: int = 0) -> list[ClipBatch]:
    plan = ShuffledPlan(samples=6, batch_size=3, epochs=2, seed=1, first=first)
    return list(source.stream(plan))


def test_an_unreadable_clip_is_replaced_and_named(source, caplog: pytest.LogCaptureFixture) -> None:
    decoded = source(2)
    batches = _batches(decoded)
    assert list(decoded.left_out) == ["2"]
    assert caplog.text.count("not used: 2: ") == 1  # once, though it is met in each epoch
    assert all(len(batch.rows) == 3 and 2 not in batch.rows for batch in batches)
    clean = _batches(source())
    replaced = [
        (batch, i)
        for batch, whole in zip(batches, clean, strict=True)
        for i, row in enumerate(whole.rows)
        if row == 2
    ]
    assert len(replaced) == 2
    # The pictures are those of the row that the batch names.
    batch, i = replaced[0]
    epoch_batches = batches[:2]
    original = next(
        (other, other.rows.index(batch.rows[i]))
        for other in epoch_batches
        if batch.rows[i] in other.rows
        and (other is not batch or other.rows.index(batch.rows[i]) != i)
    )
    assert torch.equal(
        batch.part(slice(i, i + 1)), original[0].part(slice(original[1], original[1] + 1))
    )
    # A run that goes on after two steps draws the same clips.
    assert [b.rows for b in _batches(source(2), first=2)] == [b.rows for b in batches[2:]]


def test_parts_are_the_whole(source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "_TOGETHER", 2)
    (batch, *_) = _batches(source())
    whole = batch.part(slice(None))
    assert len(whole) == 3
    assert torch.equal(torch.cat([batch.part(slice(0, 1)), batch.part(slice(1, 3))]), whole)
    sizes: list[int] = []
    original = samples.warp
    monkeypatch.setattr(samples, "warp", lambda x, t: (sizes.append(len(x)), original(x, t))[1])
    batch.part(slice(1, 2))
    batch.part(slice(None))
    n = whole.shape[1]
    assert sizes == [n, 2 * n, n]  # never more than two clips at once


def test_a_window_without_a_face_is_replaced(source, monkeypatch: pytest.MonkeyPatch) -> None:
    original = samples.read_clip_crops
    calls: list[Any] = []

    def read(clips: Any, config: Any, selections: Any, **options: Any) -> Iterator[ClipCrops]:
        for clip in original(clips, config, selections, **options):
            calls.append(options["ahead"])
            faceless = ClipCrops(clip.images[:0], [], "4: no face is found")
            yield faceless if len(calls) == 2 else clip

    monkeypatch.setattr(samples, "read_clip_crops", read)
    decoded = source()
    batches = _batches(decoded)
    assert [len(batch.rows) for batch in batches] == [3] * 4
    assert list(decoded.left_out.values()) == ["4: no face is found"]
    assert calls[0] == 6  # two batches are read ahead
    assert calls.count(None) == 1


def test_nothing_that_can_be_read_ends_the_run(source) -> None:
    with pytest.raises(DatasetError, match=r"19 clips.*emoclip-train check"):
        _batches(source(*range(6)))
