"""Stand-ins on disk: our readers find nothing wrong with them but their size."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import open_clips
from emoclip_sdk.training.data.datasets.check import unreadable_clips
from emoclip_sdk.training.data.datasets.classes import MAFW_CLASSES
from emoclip_sdk.training.synthetic import GROUND_TRUTH, make_synthetic
from emoclip_sdk.video import open_video

TINY = dict(clips_per_class=5, size=32, frames=(2, 3), subjects=10)


def _truth(root: Path) -> list[dict[str, str]]:
    with (root / GROUND_TRUTH).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _frames(path: Path) -> np.ndarray:
    return np.stack([frame.rgb for frame in open_video(path).frames()])


def _check(dataset, splits: dict[str, int]) -> None:
    """Sizes are as told, and nothing but they differs from what is published."""
    assert {name: len(clips) for name, clips in dataset.splits.items()} == splits
    assert {problem.kind for problem in dataset.problems} <= {"unexpected count"}
    for name, clips in dataset.splits.items():
        counts = Counter(clip.label for clip in clips)
        assert set(counts) == set(range(len(dataset.classes))), name


@pytest.fixture(scope="module")
def mafw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("stand-ins") / "mafw"
    make_synthetic("mafw", root, **TINY)
    return root


def test_mafw(mafw: Path) -> None:
    truth = {Path(row["path"]).name: row for row in _truth(mafw)}
    for fold in (1, 5):
        single = open_clips("mafw", mafw, fold=fold)
        _check(single, {"train": 44, "test": 11})
        for clips in single.splits.values():
            for clip in clips:
                row = truth[clip.id]
                assert single.classes[clip.label] == row["label"]
                assert clip.caption == (None if row["label"] == "neutral" else row["caption"])
        people = [{truth[c.id]["subject"] for c in clips} for clips in single.splits.values()]
        assert not people[0] & people[1]
    compound = open_clips("mafw", mafw, fold=2, task="compound")
    _check(compound, {"train": 43 * 4, "test": 43})


def test_mafw_lists_as_the_reference_reads_them(mafw: Path) -> None:
    lists = mafw / "Train_Test_Set" / "single"
    for folder, columns in (("with_caption_new", {2, 4}), ("no_caption_new", {2})):
        text = (lists / folder / "set_3" / "train.txt").read_text(encoding="gbk")
        rows = [line.split("\t") for line in text.splitlines()]
        assert {len(row) for row in rows} == columns
        assert {row[1] for row in rows} == set(MAFW_CLASSES)
        assert all((mafw / "data" / "faces" / row[0].split(".")[0]).is_dir() for row in rows)
    frames = sorted(p.name for p in (mafw / "data" / "faces" / "00001").iterdir())
    assert frames[:2] == ["00001.png", "00002.png"]


@pytest.mark.parametrize("base", [0, 1])
def test_dfew(tmp_path: Path, base: int) -> None:
    make_synthetic("dfew", tmp_path, **TINY, label_base=base)
    dataset = open_clips("dfew", tmp_path, fold=4)
    _check(dataset, {"train": 28, "test": 7})
    labels = {Path(row["path"]).name: row["label"] for row in _truth(tmp_path)}
    assert all(dataset.classes[c.label] == labels[c.id] for c in dataset.splits["train"])


def test_as_released(tmp_path: Path) -> None:
    for name in ("mafw", "dfew", "ferv39k"):
        make_synthetic(name, tmp_path / name, **TINY, as_released=True)
    assert not (tmp_path / "mafw" / "Train_Test_Set").exists()
    single = open_clips("mafw", tmp_path / "mafw")
    compound = open_clips("mafw", tmp_path / "mafw", task="compound")
    assert {p.kind for p in single.problems} == {"unexpected count", "unusual columns"}
    assert {p.kind for p in compound.problems} == {"unexpected count"}
    assert {c.caption is None for c in single.splits["train"]} == {True, False}
    train = {clip.id for clip in single.splits["train"]}
    test = [clip.id for clip in compound.splits["test"] if "_" not in compound.classes[clip.label]]
    assert len(test) == 11 and train >= set(test)  # the trap of Table III
    broken = unreadable_clips(single.splits["train"], workers=0)
    assert len(broken) == 1
    _check(open_clips("dfew", tmp_path / "dfew"), {"train": 28, "test": 7})
    _check(open_clips("ferv39k", tmp_path / "ferv39k"), {"train": 28, "test": 7})


@pytest.mark.parametrize("name", ["ferv39k", "afew"])
def test_one_fold_sets(tmp_path: Path, name: str) -> None:
    make_synthetic(name, tmp_path, **TINY)
    _check(open_clips(name, tmp_path), {"train": 28, "test": 7})


def test_ferplus(tmp_path: Path) -> None:
    make_synthetic("ferplus", tmp_path, **{**TINY, "clips_per_class": 10})
    dataset = open_clips("ferplus", tmp_path / "ferplus.npz")
    assert {problem.kind for problem in dataset.problems} <= {"unexpected count"}
    sizes = {name: len(clips) for name, clips in dataset.splits.items()}
    # A picture whose votes go all ways is left out by the reader's usual filter.
    assert 40 <= sizes["train"] <= 48
    assert set(sizes) == {"train", "valid", "test"}
    truth = Counter(row["label"] for row in _truth(tmp_path))
    assert set(truth.values()) == {10}


def test_manifest_as_videos(tmp_path: Path) -> None:
    make_synthetic("manifest", tmp_path, **{**TINY, "frames": (6, 6)}, videos=True)
    dataset = open_clips("manifest", tmp_path)
    _check(dataset, {"train": 33, "valid": 11, "test": 11})
    assert dataset.cropped
    assert all(clip.caption and clip.subject for clip in dataset.splits["train"])
    clip = dataset.splits["test"][0]
    assert clip.video.suffix == ".mp4"
    assert _frames(clip.video).shape == (6, 32, 32, 3)


def test_order_shows_the_same_frames_both_ways(tmp_path: Path) -> None:
    make_synthetic("order", tmp_path, **{**TINY, "frames": (6, 8)})
    dataset = open_clips("manifest", tmp_path)
    _check(dataset, {"train": 6, "valid": 2, "test": 2})
    assert set(yaml.safe_load((tmp_path / "prompts.yaml").read_text())) == set(dataset.classes)
    for clips in dataset.splits.values():
        for first, second in zip(clips[::2], clips[1::2], strict=True):
            assert first.label != second.label
            assert first.subject == second.subject
            assert np.array_equal(_frames(first.video), _frames(second.video)[::-1])
            assert first.caption != second.caption


def _content(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_same_seed_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        make_synthetic("afew", tmp_path / name, **TINY, seed=seed)
    a, b, c = (_content(tmp_path / name) for name in "abc")
    assert a == b
    assert a.keys() & c.keys()
    assert all(a[name] != c[name] for name in a.keys() & c.keys())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dataset": "caer"}, "There are: mafw, dfew"),
        ({"clips_per_class": 4}, "at least 5"),
        ({"size": 63}, "even number"),
        ({"frames": (9, 3)}, "frames must be"),
        ({"videos": True}, "only manifest and order"),
    ],
)
def test_refusals(tmp_path: Path, options, says: str) -> None:
    arguments = {"dataset": "mafw", **TINY, **options}
    with pytest.raises(DatasetError, match=says):
        make_synthetic(out=tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()
