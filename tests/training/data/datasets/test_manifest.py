"""The CSV file of one's own clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.data.datasets import open_clips

from .conftest import PNG, add_frames, add_text, kinds, problem


def test_all_columns(tmp_path: Path) -> None:
    add_frames(tmp_path / "clips" / "a")
    (tmp_path / "clips" / "b.png").write_bytes(PNG)
    (tmp_path / "clips" / "c.mp4").write_bytes(b"")
    add_text(
        tmp_path / "manifest.csv",
        "Path,split,label,caption,subject,camera\n"
        'clips/a,train,joy,"Smiles, broadly",s1,2\n'
        "clips/b.png,valid,anger,,s2,2\n"
        "clips/c.mp4,test,,Frowns.,,1\n",
        "utf-8-sig",
    )
    data = open_clips("manifest", tmp_path)
    assert data.classes == ("anger", "joy") and not data.cropped and data.problems == ()
    (a,), (b,), (c,) = (data.splits[split] for split in ("train", "valid", "test"))
    assert (a.label, a.caption, a.subject) == (1, "Smiles, broadly", "s1")
    assert (b.label, b.caption, b.subject) == (0, None, "s2")
    assert (c.label, c.caption, c.subject) == (None, "Frowns.", None)
    assert c.video == tmp_path / "clips" / "c.mp4"
    assert open_clips("manifest", tmp_path / "manifest.csv").splits["train"][0].id == "clips/a"


def test_captions_only(tmp_path: Path) -> None:
    add_frames(tmp_path / "a")
    path = add_text(tmp_path / "mine.csv", "path,caption,split\na,Smiles.,train\n")
    data = open_clips("manifest", path)
    assert data.classes == () and data.splits["train"][0].caption == "Smiles."


def test_problems(tmp_path: Path) -> None:
    for name in "abc":
        add_frames(tmp_path / name)
    path = add_text(
        tmp_path / "mine.csv",
        "path,label,split,subject\n"
        "a,joy,train,s1\n"
        "b,joy,training,s1\n"  # 3: no split
        "b,,train,s1\n"  # 4: neither label nor caption
        "a,anger,train,s1\n"  # 5: again, with another label
        "gone.mp4,joy,train,s1\n"  # 6
        "c,joy\n"  # 7: short
        "c,joy,test,s1,what\n"  # 8: long
        "a,joy,test,s2\n"  # 9: in train, too
        "c,joy,test,s2\n"
        "b,joy,train,s2\n",
    )
    data = open_clips("manifest", path)
    problems = {(p.kind, p.where.removeprefix(f"{path}:")) for p in data.problems}
    assert problems == {
        ("malformed line", "3"),
        ("malformed line", "4"),
        ("malformed line", "7"),
        ("malformed line", "8"),
        ("in two splits", "2"),
        ("in two splits", "5"),
        ("missing clip", "6"),
        ("subject in two splits", "manifest"),
    }
    assert [c.id for c in data.splits["train"]] == ["b"]


def test_crops_beside_whole_pictures(tmp_path: Path) -> None:
    add_frames(tmp_path / "crops" / "a")
    add_text(tmp_path / "crops" / "crop.json", "{}")
    path = add_text(tmp_path / "m.csv", "path,label,split\ncrops/a,joy,train\n")
    assert open_clips("manifest", path).cropped
    add_frames(tmp_path / "raw" / "b")
    add_text(path, "path,label,split\ncrops/a,joy,train\nraw/b,joy,train\n")
    data = open_clips("manifest", path)
    assert not data.cropped and "1 of 2 clips" in problem(data, "mixed crops").what
    assert kinds(open_clips("manifest", path, cropped=True)) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\na,joy\n", "there is no column split"),
        ("path,split\na,train\n", "there is no column label or caption"),
        ("", "there is no column path and split"),
    ],
)
def test_columns_that_must_be_there(tmp_path: Path, text: str, message: str) -> None:
    path = add_text(tmp_path / "m.csv", text)
    with pytest.raises(DatasetError, match=message):
        open_clips("manifest", path)
