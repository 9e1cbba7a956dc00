"""`emoclip-train check` as a user meets it."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import pytest

from emoclip_sdk.training.cli import main
from emoclip_sdk.training.data import datasets
from emoclip_sdk.training.data.datasets.check import ADVICE

from .conftest import add_text


@pytest.fixture
def check(monkeypatch, capsys):
    """Run the command in this process; returns exit code, standard output, standard error."""

    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["emoclip-train", "check", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return end.value.code or 0, out, err

    return run


def test_clean(check, afew: Path) -> None:
    code, out, _ = check("--dataset", "afew", "--root", afew, "--no-sizes")
    assert code == 0 and "No problems." in out
    assert "test is its validation set" in out and "Sensors" in out
    # The class, train, published, test, published.
    assert next(line for line in out.splitlines() if "anger" in line).split()[1:] == [
        *("1", "-"),
        *("1", "-"),
    ]
    assert next(line for line in out.splitlines() if line.startswith("all")).split() == [
        *("all", "2", "773"),
        *("2", "383"),
    ]
    code, out, _ = check("--dataset", "afew", "--root", afew)
    assert code == 1 and "afew, train: 2 clips, published 773" in out


def test_problems_of_all_folds_once(check, dfew: Path, tmp_path: Path) -> None:
    for fold in range(2, 6):
        for split in ("train", "test"):
            text = (dfew / f"DFEW_set_1_{split}.txt").read_text()
            add_text(dfew / f"DFEW_set_{fold}_{split}.txt", text)
    with (dfew / "DFEW_set_3_test.txt").open("a") as file:
        file.write("".join(f"{i:05d} 2 1\n" for i in range(11, 18)))
    (dfew / "DFEW_Frame_Face" / "00002" / "00001.png").unlink()
    (dfew / "DFEW_Frame_Face" / "00002" / "00000.png").unlink()
    table = tmp_path / "problems.csv"
    arguments = ("--dataset", "dfew", "--root", dfew, "--no-sizes", "--fold", "all")
    code, out, _ = check(*arguments, "--problems", table)
    assert code == 1 and out.count("published") >= 5 and "DFEW, fold 5" in out
    assert "missing clip: 8" in out and f"and 3 more; all are in {table}" in out
    rows = list(csv.DictReader(table.open()))
    assert [row["kind"] for row in rows] == ["missing clip"] * 8
    assert "take it out of the list" in out and "take it out" in rows[0]["advice"]
    assert rows[0]["where"] == f"{dfew / 'DFEW_set_1_train.txt'}:2"


def test_each_kind_of_problem_has_advice() -> None:
    kinds = set()
    for module in Path(datasets.__path__[0]).glob("*.py"):
        kinds.update(re.findall(r'Problem\(\s*"([a-z ]+)"', module.read_text(encoding="utf-8")))
    assert kinds == set(ADVICE)


def test_json(check, mafw: Path) -> None:
    code, out, _ = check("--dataset", "mafw", "--root", mafw, "--json")
    report = json.loads(out)
    assert code == 1 and report["problems"]["kinds"] == {"unexpected count": 2}
    train = report["folds"][0]["splits"]["train"]
    assert (train["clips"], train["published"], train["captions"]) == (5, 7333, 4)
    assert train["classes"]["anger"] == {"clips": 1, "published": 1112}
    code, out, _ = check("--dataset", "mafw", "--root", mafw, "--task", "compound", "--json")
    report = json.loads(out)
    assert [p["where"] for p in report["problems"]["list"]] == [
        f"mafw compound fold 1, {split}" for split in ("train", "test")
    ]
    assert report["problems"]["list"][0]["what"] == "2 clips, published 7178"


def test_frames_are_decoded(check, mafw: Path) -> None:
    broken = mafw / "data" / "faces" / "00002" / "00001.png"
    broken.write_bytes(broken.read_bytes()[:30])
    arguments = ("--dataset", "mafw", "--root", mafw, "--no-sizes")
    assert check(*arguments)[0] == 0
    code, out, _ = check(*arguments, "--frames", "--workers", "1")
    assert code == 1 and "unreadable clip: 1" in out and str(broken.parent) in out


def test_errors_are_one_line(check, tmp_path: Path) -> None:
    code, _, err = check("--dataset", "mafw", "--root", tmp_path / "gone")
    assert code == 1 and err.startswith("Error: ") and "Expected: ROOT" in err
    assert check("--dataset", "what", "--root", tmp_path, "--fold", "all")[0] == 1
    assert check("--dataset", "dfew", "--root", tmp_path, "--fold", "first")[0] == 2
