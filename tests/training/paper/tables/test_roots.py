"""The roots file: what it may name, and which model stands for which fold."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.paper.tables import MissingInput, read_roots


def _roots(tmp_path: Path, text: str):
    path = tmp_path / "roots.yaml"
    path.write_text(text, encoding="utf-8")
    return read_roots(path)


def test_a_model_for_each_fold(tmp_path: Path) -> None:
    for fold in (1, 2):
        (tmp_path / "runs" / f"fold{fold}").mkdir(parents=True)
    roots = _roots(tmp_path, "datasets: {mafw: M}\nmodels: {emoclip: 'runs/fold{fold}'}\n")
    assert roots.datasets == {"mafw": tmp_path / "M"}
    assert Path(roots.model("emoclip", "mafw", 2)) == tmp_path / "runs" / "fold2"
    with pytest.raises(MissingInput, match="runs/fold{fold}: no such folder"):
        roots.model("emoclip", "mafw", 3)


def test_one_trained_model_is_not_measured_on_what_it_was_trained_on(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    roots = _roots(tmp_path, "models: {emoclip: one, clip: clip-vit-b-32}\n")
    assert Path(roots.model("emoclip", "mafw", 1)) == tmp_path / "one"
    with pytest.raises(MissingInput, match="no {fold}"):
        roots.model("emoclip", "mafw", 2)
    # It never saw DFEW, and CLIP none of them.
    assert Path(roots.model("emoclip", "dfew", 2)) == tmp_path / "one"
    assert roots.model("clip", "mafw", 5) == "clip-vit-b-32"


def test_a_model_for_each_dataset(tmp_path: Path) -> None:
    (tmp_path / "s" / "afew").mkdir(parents=True)
    sets = "datasets: {afew: A, mafw: M}\n"
    roots = _roots(tmp_path, sets + "models: {supervised: 's/{dataset}', loco: {afew: s/afew}}\n")
    for name in ("supervised", "loco"):
        assert Path(roots.model(name, "afew", 1)) == tmp_path / "s" / "afew"
    with pytest.raises(MissingInput, match="no model loco"):
        roots.model("loco", "mafw", 1)
    roots = _roots(tmp_path, sets + "models: {supervised: s/afew}\n")
    with pytest.raises(MissingInput, match="{dataset}"):
        roots.model("supervised", "afew", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasets: {mafv: x}", "unknown datasets.mafv"),
        ("models: {emo: x}", "unknown models.emo"),
        ("roots: {}", "unknown roots"),
        ("models: {emoclip: [a, b]}", "models.emoclip must be a folder or name"),
        ("datasets: [mafw]", "'datasets' must be a mapping"),
        ("a: [", "can't be read as YAML"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        _roots(tmp_path, text)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.yaml: no such file. It should hold: datasets"):
        read_roots(tmp_path / "gone.yaml")


def test_studies_are_folders_or_rows(tmp_path: Path) -> None:
    path = tmp_path / "roots.yaml"
    path.write_text("studies: {panss: a, cains: {ours: b, theirs: /c}}\n")
    roots = read_roots(path)
    assert roots.studies["panss"] == {"EmoCLIP (LP), measured": tmp_path / "a"}
    assert roots.studies["cains"] == {"ours": tmp_path / "b", "theirs": Path("/c")}
    for text in ("studies: {sans: a}", "studies: {panss: [a]}"):
        path.write_text(text)
        with pytest.raises(DatasetError, match="studies"):
            read_roots(path)
