"""Interviews become clip embeddings, once; embeddings of two models don't mix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import DatasetError
from emoclip_sdk.inference.options import ReadOptions
from emoclip_sdk.probes.interview import interview_clips
from emoclip_sdk.training.data.cache import FrameCache
from emoclip_sdk.training.ness.clips import embed_study
from emoclip_sdk.training.ness.manifest import read_study
from emoclip_sdk.training.ness.scales import shipped_scales

from .conftest import no_model

CAINS = shipped_scales()["cains"]


def study_of(folder: Path, *videos: str):
    rows = [f"{video},p{i},{i}" for i, video in enumerate(videos)]
    lines = ["video,patient,facial_expression", *rows]
    (folder / "manifest.csv").write_text("\n".join(lines))
    return read_study(folder, CAINS)


@pytest.fixture
def frames(tmp_path: Path, stripes: Callable[..., np.ndarray]) -> str:
    (tmp_path / "frames").mkdir()
    for t, frame in enumerate(stripes(130, 32)):
        Image.fromarray(frame).save(tmp_path / "frames" / f"{t:03d}.png")
    return "frames"


def test_video_is_embedded_once(
    tmp_path: Path, frames: str, tiny_model: EmoCLIP, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, cache = study_of(tmp_path, frames), FrameCache(tmp_path / "cache", torch.float32)
    _, clips, _ = embed_study(study, lambda: tiny_model, cache, faces="none")
    vectors = interview_clips(tiny_model, tmp_path / frames, ReadOptions(faces="none"))
    assert len(vectors) == 2  # 130 frames at 25 fps, 7 a second: 37 samples, two clips of 32
    np.testing.assert_array_equal(clips.vectors, vectors)
    assert clips.encoder == {"name": tiny_model.name, "weights": tiny_model.encoder.video_hash()}

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(tiny_model, "reader", refuse)
    _, again, _ = embed_study(study, lambda: tiny_model, cache, faces="none")
    np.testing.assert_array_equal(again.vectors, clips.vectors)
    with pytest.raises(AssertionError, match="read again"):
        embed_study(study, lambda: tiny_model, cache, faces="detect")  # other crops


def test_unusable_interviews_are_left_out(tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", vectors=np.ones((3, 4), np.float32))
    np.savez(tmp_path / "hidden.npz", vectors=np.full((3, 4), np.nan, np.float32))
    np.savez(tmp_path / "other.npz", embeddings=np.ones((3, 4)))
    (tmp_path / "broken.npz").write_bytes(b"PK")
    study = study_of(tmp_path, "hidden.npz", "good.npz", "other.npz", "broken.npz")
    kept, clips, unusable = embed_study(study, no_model, FrameCache(tmp_path / "cache"))
    assert [one.id for one in kept.interviews] == ["good.npz"]
    assert kept.ratings.tolist() == [[1.0]] and clips.starts.tolist() == [0, 3]
    for messages, word in zip(
        unusable, ("no face", "no array 'vectors'", "can't be read"), strict=True
    ):
        assert word in messages


def test_embeddings_of_two_models(tmp_path: Path) -> None:
    for name, weights in (("a", "1"), ("b", "2")):
        vectors = np.ones((3, 4), np.float32)
        np.savez(tmp_path / f"{name}.npz", vectors=vectors, model=name, weights=weights)
    study = study_of(tmp_path, "a.npz", "b.npz")
    with pytest.raises(DatasetError, match=r"b\.npz: was embedded by b \(width 4, weights 2\)"):
        embed_study(study, no_model, FrameCache(tmp_path / "cache"))
