"""Figures of groups of people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import Clip
from emoclip_sdk.training.evaluation import group_figures, read_attributes

NOTHING = np.zeros((1, 2, 2, 3), np.uint8)
# Anna's clips are all right, Ben's half, and nothing is known about the fourth person.
CLIPS = [
    Clip("a1", NOTHING, 0, subject="anna"),
    Clip("a2", NOTHING, 1, subject="anna"),
    Clip("b1", NOTHING, 0, subject="ben"),
    Clip("b2", NOTHING, 0, subject="ben"),
    Clip("x", NOTHING, 1),
]
SCORES = np.eye(3)[[0, 1, 0, 1, 2]]
LABELS = np.array([clip.label for clip in CLIPS])


def _attributes(tmp_path: Path, text: str):
    path = tmp_path / "attributes.csv"
    path.write_text(text, encoding="utf-8")
    return read_attributes(path)


def test_by_subject(tmp_path: Path) -> None:
    attributes = _attributes(tmp_path, "subject,age,glasses\nanna,20-29,no\nben,60+,\n")
    result, gaps = group_figures(SCORES, LABELS, CLIPS, "abc", attributes, draws=50)
    assert list(result) == ["age", "glasses"]
    assert list(result["age"]) == ["20-29", "60+", ""]
    anna, ben = result["age"]["20-29"], result["age"]["60+"]
    assert (anna["n"], anna["classes"], anna["uar"], anna["war"]) == (2, 2, 1.0, 1.0)
    assert (ben["n"], ben["classes"], ben["uar"]) == (2, 1, 0.5)
    assert anna["intervals"]["uar"] == [1.0, 1.0]
    low, high = ben["intervals"]["war"]
    assert low == 0 and high == 1
    # Who isn't listed, and whose value is empty, is a group of its own.
    assert result["age"][""]["n"] == 1
    assert result["glasses"][""]["n"] == 3
    # Only class a occurs with both; Ben and Anna are shuffled whole.
    gap = gaps["age"]
    assert (gap["best"], gap["worst"], gap["gap"], gap["classes"]) == ("20-29", "60+", 0.5, 1)
    assert gap["drawn"] == gap["shuffled"] == "subjects"
    assert gaps["glasses"] is None


def test_by_clip(tmp_path: Path) -> None:
    attributes = _attributes(tmp_path, "light,clip\ndark,b2\nbright,a1\n")
    groups, gaps = group_figures(SCORES, LABELS, CLIPS, "abc", attributes, draws=0)
    result = groups["light"]
    assert gaps["light"]["interval"] is None and gaps["light"]["p"] is None
    assert {kind: row["n"] for kind, row in result.items()} == {"bright": 1, "dark": 1, "": 3}
    assert result["dark"]["war"] == 0
    assert result["dark"]["intervals"]["war"] is None


def test_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no evaluated clip is in it.*'carl'.*'anna'"):
        attributes = _attributes(tmp_path, "subject,age\ncarl,20-29\n")
        group_figures(SCORES, LABELS, CLIPS, "abc", attributes)
    with pytest.raises(DatasetError, match="'clip' or 'subject'"):
        _attributes(tmp_path, "name,age\nanna,20-29\n")
    with pytest.raises(DatasetError, match="a column for each attribute"):
        _attributes(tmp_path, "subject\nanna\n")
    with pytest.raises(DatasetError, match="line 3: subject 'anna' was there before"):
        _attributes(tmp_path, "subject,age\nanna,20-29\nanna,60+\n")
    with pytest.raises(DatasetError, match="can't be read"):
        read_attributes(tmp_path / "gone.csv")
