"""FER+ reader: the usual filter, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import write_ferplus

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.ferplus import Pictures, load_ferplus


def _save(path: Path, votes: list[list[int]], duplicate: list[bool] | None = None) -> Path:
    n = len(votes)
    split = ["train"] * (n - 1) + ["valid"]
    names = [f"fer{i}.png" for i in range(n)]
    return write_ferplus(path, votes, split=split, duplicate=duplicate, names=names)


def test_filter_and_normalization(tmp_path: Path) -> None:
    path = _save(
        tmp_path / "f.npz",
        [
            [6, 3, 1, 0, 0, 0, 0, 0, 0, 0],  # the single vote goes
            [0, 9, 1, 0, 0, 0, 0, 0, 0, 0],  # a duplicate
            [2, 2, 0, 0, 0, 0, 0, 0, 6, 0],  # mostly unknown
            [4, 0, 0, 0, 0, 0, 0, 0, 1, 5],  # not a face
            [4, 0, 0, 0, 0, 0, 0, 0, 4, 2],  # even with unknown
            [2, 2, 1, 1, 1, 1, 1, 1, 0, 0],  # more than half of the votes are single ones
            [0, 0, 0, 0, 0, 0, 0, 10, 0, 0],  # another split
        ],
        [False, True, False, False, False, False, False],
    )
    train = load_ferplus(path, "train")
    assert len(train) == 1
    assert train.votes[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0, 0, 0, 0, 0])
    assert train.labels.tolist() == [0]
    assert load_ferplus(path, "valid").labels.tolist() == [7]


def test_refuses_what_is_not_ferplus(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.npz: no such file"):
        load_ferplus(tmp_path / "gone.npz", "train")
    text = tmp_path / "text.npz"
    text.write_text("no")
    with pytest.raises(DatasetError, match=r"text\.npz"):
        load_ferplus(text, "train")
    np.savez(tmp_path / "lacks.npz", images=np.zeros(1))
    (tmp_path / "half.npz").write_bytes((tmp_path / "lacks.npz").read_bytes()[:200])
    with pytest.raises(DatasetError, match=r"half\.npz: not a FER\+ file"):
        load_ferplus(tmp_path / "half.npz", "train")
    with pytest.raises(DatasetError, match="votes"):
        load_ferplus(tmp_path / "lacks.npz", "train")


def test_real_file_has_the_known_sizes(shared: Path) -> None:
    path = shared / "data" / "ferplus.npz"
    assert len(load_ferplus(path, "valid")) == 3230
    assert len(load_ferplus(path, "train")) == 26867


def test_faces_at_rest_are_those_of_which_nearly_all_say_so() -> None:
    images = np.arange(4, dtype=np.uint8)[:, None, None]
    votes = np.array([[0.8, 0.2], [0.7, 0.3], [1, 0], [0, 1]], np.float32)
    pictures = Pictures(images, votes, ("neutral", "happiness"))
    assert pictures.at_rest.ravel().tolist() == [0, 2]
    assert len(Pictures(images, votes, ("anger", "happiness")).at_rest) == 0
