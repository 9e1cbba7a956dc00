"""Tables V and VI beside a study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.ness.tables import rating_tables


def _study(folder: Path, scale: str = "panss") -> Path:
    row = {"mae": 0.5, "rmse": 0.7, "pcc": 0.6, "n": 9, "intervals": {"pcc": [0.4, 0.8]}}
    document = {
        "scale": scale,
        "patients": 5,
        "interviews": 9,
        "encoder": {"name": "runs/emoclip-1"},
        "figures": {"probe": {"n1_blunted_affect": row, "total_negative": row}},
    }
    folder.mkdir(exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(document))
    return folder


def test_published_and_measured(tmp_path: Path) -> None:
    study = _study(tmp_path / "study")
    panss, cains = rating_tables({"panss": {"ours": study, "the authors' file": study}})
    assert (panss["id"], cains["id"], panss["experts"]) == ("table_5", "table_6", 0.85)
    paper = next(row for row in panss["rows"] if row["method"] == "EmoCLIP (LP)")
    assert paper["figures"]["total_negative"] == {"mae": 2.31, "rmse": 3.01, "pcc": 0.85}
    ours, theirs = (row for row in panss["rows"] if row["measured"])
    assert theirs["method"] == "the authors' file" and "encoder runs/emoclip-1" in theirs["about"]
    assert ours["figures"]["n1_blunted_affect"]["pcc"] == 0.6
    assert ours["figures"]["n3_poor_rapport"] is None  # the study doesn't rate it
    (absent,) = (row for row in cains["rows"] if row["measured"])
    assert "no study of cains" in absent["why"]


def test_what_is_no_study_of_the_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone/figures\.json: no such file.*emoclip-train ness"):
        rating_tables({"panss": {"ours": tmp_path / "gone"}})
    with pytest.raises(DatasetError, match="is about the scale cains, not panss"):
        rating_tables({"panss": {"ours": _study(tmp_path / "study", "cains")}})
    (tmp_path / "study" / "figures.json").write_text("{}")
    with pytest.raises(DatasetError, match="not the figures of a study"):
        rating_tables({"panss": {"ours": tmp_path / "study"}})
