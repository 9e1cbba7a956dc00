"""Frame embeddings on disk: found again when nothing has changed, and only then."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from emoclip_sdk import EmoCLIP
from emoclip_sdk.faces import Detection
from emoclip_sdk.training.data.cache import (
    FrameCache,
    frame_embeddings,
    pool_frames,
    weights_hash,
)
from emoclip_sdk.training.data.datasets.clips import Clip
from emoclip_sdk.training.data.embed import View
from emoclip_sdk.training.data.frames import Augmentation

Stripes = Callable[..., np.ndarray]


@pytest.fixture
def clips(tmp_path: Path, stripes: Stripes) -> list[Clip]:
    folder = tmp_path / "frames"
    folder.mkdir()
    for t, frame in enumerate(stripes(12, 32)):
        Image.fromarray(frame).save(folder / f"{t}.png")
    return [Clip("folder", folder), Clip("array", stripes(40, 32))]


@pytest.fixture
def counted(tiny_model: EmoCLIP, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures went through the image tower, call by call."""
    calls: list[int] = []
    original = tiny_model.encoder.frames

    def frames(crops: np.ndarray, shapes: list | None = None, **options: Any) -> np.ndarray:
        calls.append(len(crops))
        return original(crops, shapes, **options)

    monkeypatch.setattr(tiny_model.encoder, "frames", frames)
    return calls


def files(cache: FrameCache) -> list[Path]:
    return sorted(p for p in cache.folder.rglob("*") if p.is_file())


def test_second_time_reads_the_same_numbers(
    tiny_model: EmoCLIP, clips: list[Clip], counted: list[int], tmp_path: Path
) -> None:
    cache = FrameCache(tmp_path / "cache")
    first = frame_embeddings(tiny_model, clips, cache)
    seen = len(counted)
    assert seen == 1 and len(files(cache)) == 2
    again = frame_embeddings(tiny_model, clips, cache)
    assert len(counted) == seen
    fresh = frame_embeddings(tiny_model, clips)
    for a, b, c in zip(first, again, fresh, strict=True):
        # What was computed is what will be read: rounded, so that a run can be taken up again.
        assert a.dtype == np.float32 and np.array_equal(a, b)
        assert np.array_equal(a, c.astype(np.float16).astype(np.float32))


def test_short_clips_share_a_batch_and_neighbors_change_nothing(
    tiny_model: EmoCLIP, stripes: Stripes, counted: list[int], tmp_path: Path
) -> None:
    lengths = (1, 2, 1, 140, 1, 300, 40, 1, 1)
    clips = [Clip(str(i), stripes(n + i, 32)[i:]) for i, n in enumerate(lengths)]
    clips.insert(2, Clip("gone", tmp_path / "gone"))
    together = frame_embeddings(tiny_model, clips, view=View(1))
    assert [len(frames) for frames in together] == [1, 1, 0, 1, 35, 1, 75, 10, 1, 1]
    assert counted == [64, 64]  # 126 pictures; the last batch is filled up
    alone = [frame_embeddings(tiny_model, [clip], view=View(1))[0] for clip in clips]
    # As a run that was broken off and found some of them in the cache.
    cache = FrameCache(tmp_path / "cache", torch.float32)
    frame_embeddings(tiny_model, clips[3:7:2], cache, view=View(1))
    resumed = frame_embeddings(tiny_model, clips, cache, view=View(1))
    for a, b, c in zip(together, alone, resumed, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a, c)


def test_embeds_as_the_model_does(tiny_model: EmoCLIP, clips: list[Clip], tmp_path: Path) -> None:
    cache = FrameCache(tmp_path / "cache", torch.float32)
    ours = pool_frames(tiny_model, frame_embeddings(tiny_model, clips, cache))
    theirs = tiny_model.embed([clip.video for clip in clips], faces="none")
    assert np.allclose(ours, theirs, atol=1e-5)


def test_anything_that_matters_is_computed_anew(
    tiny_model: EmoCLIP, clips: list[Clip], counted: list[int], tmp_path: Path
) -> None:
    cache = FrameCache(tmp_path / "cache")
    folder = clips[:1]
    assert isinstance(folder[0].video, Path)
    frame_embeddings(tiny_model, folder, cache)
    frame_embeddings(tiny_model, folder, FrameCache(tmp_path / "cache", torch.float32))
    frame_embeddings(tiny_model, folder, cache, view=View(0))
    frame_embeddings(tiny_model, folder, cache, view=View(1))
    frame_embeddings(tiny_model, folder, cache, view=View(1, seed=1))
    frame_embeddings(tiny_model, folder, cache, view=View(1, Augmentation(crop=0.5)))
    assert len(counted) == 6
    os.utime(folder[0].video / "3.png", (1, 1))
    frame_embeddings(tiny_model, folder, cache)
    assert len(counted) == 7
    with torch.no_grad():
        next(tiny_model.encoder.network.towers.visual.parameters()).add_(0.1)
    frame_embeddings(tiny_model, folder, cache)
    assert len(counted) == 8
    with torch.no_grad():  # the temporal module is not in it
        next(tiny_model.encoder.network.temporal.parameters()).add_(0.1)
    frame_embeddings(tiny_model, folder, cache)
    assert len(counted) == 8


def test_frames_are_embedded_in_the_precision_that_is_asked_for(
    tiny_checkpoint: Path, clips: list[Clip], tmp_path: Path
) -> None:
    model = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", dtype="float32")
    cache = FrameCache(tmp_path / "cache", torch.float32)
    exact, coarse = (
        np.concatenate(frame_embeddings(model, clips, cache, precision=precision))
        for precision in ("fp32", "bf16")
    )
    # bfloat16 has 8 bits: it rounds by up to 0.4 %.
    assert 1e-3 < np.abs(coarse - exact).max() / np.abs(exact).max() < 5e-2
    assert next(model.encoder.network.towers.visual.parameters()).dtype == torch.float32


def test_views_differ_and_begin_at_other_frames(tiny_model: EmoCLIP, stripes: Stripes) -> None:
    clip = Clip("array", stripes(41, 32))
    still = Augmentation(flip=0.0, rotation=0.0, crop=1.0)
    result = [frame_embeddings(tiny_model, [clip], view=View(v, still))[0] for v in range(5)]
    assert [len(frames) for frames in result] == [11, 10, 10, 10, 11]  # stride 4
    assert np.allclose(result[0], result[4], atol=1e-4)
    assert not np.allclose(result[1], result[2])
    moved = frame_embeddings(tiny_model, [clip], view=View(4))[0]
    assert not np.allclose(result[4], moved)


class _OneFace:
    """Finds a face in every frame whose first pixel is bright."""

    def detect(self, frames: list[np.ndarray]) -> list[list[Detection]]:
        face = Detection((10.0, 10.0, 60.0, 60.0), 0.99)
        return [[face] if frame[0, 0, 0] > 128 else [] for frame in frames]


def test_face_out_of_view_is_nan_and_masked(
    tiny_model: EmoCLIP, two_faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emoclip_sdk.training.data.frames.MTCNNDetector", lambda config: _OneFace())
    clip = Clip("faces", two_faces)
    nobody = Clip("nobody", np.zeros_like(two_faces))
    result = frame_embeddings(tiny_model, [clip, nobody], cropped=False)
    assert np.isnan(result[0]).all(axis=1).any() and not np.isnan(result[0]).all()
    assert result[1].shape == (0, tiny_model.encoder.width)
    pooled = pool_frames(tiny_model, result)
    assert not np.isnan(pooled[0]).any() and np.isnan(pooled[1]).all()
    # In training the nearest frame stands in for it.
    assert not np.isnan(frame_embeddings(tiny_model, [clip], cropped=False, view=View(1))[0]).any()


def test_broken_file_is_written_again(
    tiny_model: EmoCLIP, clips: list[Clip], tmp_path: Path
) -> None:
    cache = FrameCache(tmp_path / "cache")
    first = frame_embeddings(tiny_model, clips, cache)
    files(cache)[0].write_bytes(b"cut short")
    again = frame_embeddings(tiny_model, clips, cache)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def _write(folder: str, seed: int) -> None:
    cache = FrameCache(folder)
    for i in range(200):
        cache.store("key", f"{i % 5:04d}", torch.full((50, 64), float(i % 5)))


def test_two_writers(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(str(tmp_path), i)) for i in range(2)]
    for writer in writers:
        writer.start()
    cache = FrameCache(tmp_path)
    read = 0
    while any(writer.is_alive() for writer in writers) or not read:
        for i in range(5):
            result = cache.load("key", f"{i:04d}")
            if result is not None:
                read += 1
                assert torch.equal(result, torch.full((50, 64), float(i), dtype=torch.float16))
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(files(cache)) == 5  # nothing temporary is left


def test_hash_is_of_values_and_names() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 3)
    before = weights_hash(layer)
    assert weights_hash(torch.nn.Sequential(layer)) != before
    with torch.no_grad():
        layer.weight[0, 0] += 1e-6
    assert weights_hash(layer) != before
