"""A manifest: missing ratings, totals, and malformed lines by number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.ness.manifest import read_study
from emoclip_sdk.training.ness.scales import shipped_scales

CAINS = shipped_scales()["cains"]
HEAD = "video,patient,facial_expression,vocal_expression,expressive_gestures,quantity_of_speech"


def write(folder: Path, *lines: str, head: str = HEAD) -> Path:
    for name in ("a.npz", "b.npz", "c.npz"):
        (folder / name).touch()
    path = folder / "manifest.csv"
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def test_totals_are_summed_where_all_items_are_rated(tmp_path: Path) -> None:
    path = write(tmp_path, "a.npz,p1,1,2,3,4", "", "b.npz,p1,1,,NA,4.0", "c.npz , p2 ,0,0,0,0")
    study = read_study(path, CAINS)
    assert [score.name for score in study.scores][-1] == "exp_total"
    expected = [[1, 2, 3, 4, 10], [1, np.nan, np.nan, 4, np.nan], [0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(study.ratings, expected)
    assert study.patients.tolist() == ["p1", "p1", "p2"]
    assert study.interviews[2].video == tmp_path / "c.npz"


def test_scores_without_a_column_are_not_estimated(tmp_path: Path) -> None:
    path = write(tmp_path, "a.npz,p1,12", head="video,patient,exp_total")
    study = read_study(tmp_path, CAINS)
    assert [score.name for score in study.scores] == ["exp_total"]
    assert study.divisors.tolist() == [4]
    path.write_text("video,patient,exp_totl\na.npz,p1,12\n")
    with pytest.raises(DatasetError, match="manifest.csv:1: has no column of the scale cains"):
        read_study(path, CAINS)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b.npz,p2,5,0,0,0", "manifest.csv:3: facial_expression is 5, outside of 0 to 4"),
        ("b.npz,p2,two,0,0,0", "manifest.csv:3: facial_expression is 'two', which is no number"),
        ("b.npz,p2,0,0,0", "manifest.csv:3: expected 6 columns, found 5"),
        ("b.npz,,0,0,0,0", "manifest.csv:3: needs a video and a patient"),
        ("gone.npz,p2,0,0,0,0", "gone.npz: no such file"),
        ("a.npz,p2,0,0,0,0", "manifest.csv:3: a.npz is in line 2 already"),
        # Leave-one-patient-out would put this person on both sides.
        (
            "b.npz,P1,0,0,0,0",
            "manifest.csv:3: patient 'P1' may be 'p1' of line 2: write both alike",
        ),
    ],
)
def test_malformed_lines_are_told(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, "a.npz,p1,1,2,3,4", line, "c.npz,p3,9,0,0,0")
    with pytest.raises(DatasetError) as caught:
        read_study(path, CAINS)
    assert message in str(caught.value)
    assert "(1 more, in lines 4)" in str(caught.value)


def test_total_that_contradicts_its_items(tmp_path: Path) -> None:
    path = write(tmp_path, "a.npz,p1,1,2,3,4,11", head=HEAD + ",exp_total")
    with pytest.raises(DatasetError, match="exp_total is 11, its items sum to 10"):
        read_study(path, CAINS)
