"""A model's training clips are found again, under another name or in another task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emoclip_sdk.errors import CheckpointError
from emoclip_sdk.training.data.datasets import Clip
from emoclip_sdk.training.data.trained_on import TRAINED_ON_FILE, TrainedOn, read_trained_on


def _frames(folder: Path, shade: int) -> Path:
    folder.mkdir()
    for i in range(3):
        Image.new("RGB", (8, 8), (shade, i, 0)).save(folder / f"{i}.png")
    return folder


def test_clips_are_known_by_name_and_by_content(tmp_path: Path) -> None:
    mine = Clip("00001", _frames(tmp_path / "a", 10))
    selected = Clip("00002", _frames(tmp_path / "b", 20))
    record = TrainedOn.of("mafw", [mine], [selected])
    record.write(tmp_path)
    record = read_trained_on(tmp_path) or TrainedOn()
    renamed = Clip("other", _frames(tmp_path / "c", 10))
    cropped_anew = Clip("00001", _frames(tmp_path / "d", 90))
    stranger = Clip("00003", _frames(tmp_path / "e", 70))
    clips = [mine, selected, renamed, cropped_anew, stranger]
    overlap = record.overlap("mafw", clips)
    assert overlap.training.tolist() == [True, False, True, True, False]
    assert overlap.selection.tolist() == [False, True, False, False, False]
    assert overlap.left_out.tolist() == [True, True, True, True, False]
    # Where all clips chose the epoch, as in the reference, training is left out alone.
    assert record.overlap("mafw", clips[:4]).left_out.tolist() == [True, False, True, True]
    # Another dataset numbers its clips alike.
    assert record.overlap("dfew", clips).training.tolist() == [True, False, True, False, False]
    own = TrainedOn.of("manifest", [mine], [])
    assert own.overlap("manifest", [cropped_anew]).training.tolist() == [False]
    # A run that starts from this model hands its clips on.
    later = TrainedOn.of("dfew", [stranger], [], record)
    assert later.overlap("mafw", clips).left_out.tolist() == [True, False, True, True, True]


def test_what_is_not_written_down_is_not_known(tmp_path: Path) -> None:
    assert read_trained_on(tmp_path) is None
    assert read_trained_on("clip-vit-b-32") is None
    (tmp_path / TRAINED_ON_FILE).write_text("{}")
    with pytest.raises(CheckpointError, match=TRAINED_ON_FILE):
        read_trained_on(tmp_path)
    gone = Clip("gone", tmp_path / "gone.mp4")
    array = Clip("array", np.zeros((2, 4, 4, 3), np.uint8))
    record = TrainedOn.of("manifest", [gone, array], [])
    assert record.overlap("manifest", [gone, array]).training.tolist() == [False, True]
