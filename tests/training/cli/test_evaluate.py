"""`emoclip-train evaluate` on a small dataset."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from emoclip_sdk.errors import DatasetError
from emoclip_sdk.training.cli import app
from emoclip_sdk.training.data import datasets
from emoclip_sdk.training.data.datasets import Clip, ClipDataset

CLASSES = ("anger", "happiness", "anger_happiness")


@pytest.fixture
def dataset(monkeypatch: pytest.MonkeyPatch, stripes) -> None:
    def clips(n: int) -> tuple[Clip, ...]:
        who = ("anna", "ben")
        return tuple(
            Clip(f"c{i}", np.roll(stripes(9), i, axis=1), i % 3, subject=who[i % 2])
            for i in range(n)
        )

    small = ClipDataset("mine", CLASSES, {"train": clips(4), "test": clips(6)})
    monkeypatch.setattr(datasets, "open_clips", lambda *args, **options: small)


def _run(*arguments: str | Path, model: str | Path):
    options = ["--dataset", "folder", "--root", "x", "--device", "cpu", "--model", str(model)]
    return CliRunner().invoke(app, ["evaluate", *options, *map(str, arguments)])


def test_json(dataset, tiny_checkpoint: Path, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("subject,age\nanna,20\nben,60\n")
    options = ["--prompts", "templates", "--frames", "mean", "--compound", "concatenate"]
    result = _run("--json", "--groups", people, *options, model=tiny_checkpoint)
    assert result.exit_code == 0, result.output
    results = json.loads(result.stdout)
    assert results["split"] == "test"  # there is no validation split
    assert {"war", "uar", "f1", "auc", "n", "per_class", "confusion", "intervals"} <= results.keys()
    assert (results["prompts"], results["frames"], results["compound"]) == (
        "templates",
        "mean",
        "concatenate",
    )
    assert np.sum(results["confusion"]) == results["n"] == 6
    assert results["groups"]["age"]["60"]["n"] == 3


def test_each_clip_as_a_row_and_some_as_pictures(
    dataset, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    table, picture = tmp_path / "new" / "clips.csv", tmp_path / "new" / "clips.png"
    options = ("--draws", "0", "--predictions", table, "--examples", picture)
    result = _run("--json", *options, model=tiny_checkpoint)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["clip"] for row in rows] == [f"c{i}" for i in range(6)]
    assert np.mean([int(row["right"]) for row in rows]) == pytest.approx(figures["war"])
    for row in rows:
        scores = {name: float(row[f"score_{name}"]) for name in CLASSES}
        assert row["predicted"] == max(scores, key=lambda name: scores[name])
        assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
        assert row["in_training"] == ""  # nobody has written down what it was trained on
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert _run("--examples", tmp_path / "x.txt", model=tiny_checkpoint).exit_code == 2


@pytest.mark.parametrize("command", ["evaluate", "check"])
def test_never_overwrites_a_file_of_the_dataset(
    command: str, dataset, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    root = tmp_path / "faces"
    root.mkdir()
    (root / "labels.csv").write_text("mine")
    (tmp_path / "people.csv").write_text("subject,age\nanna,20\n")

    def run(given: Path, option: str, output: Path):
        name = option if command == "evaluate" else "--problems"
        options = ["--dataset", "folder", "--root", str(given), name, str(output)]
        if command == "evaluate":
            options += ["--model", "majority", "--groups", str(tmp_path / "people.csv")]
        return CliRunner().invoke(app, [command, *options])

    for given, output in ((root, "labels.csv"), (root / "labels.csv", "../faces/labels.csv")):
        result = run(given, "--predictions", root / output)
        assert result.exit_code == 2 and "overwritten" in result.output, result.output
    assert (root / "labels.csv").read_text() == "mine"
    if command == "evaluate":
        assert run(root, "--predictions", tmp_path / "people.csv").exit_code == 2
        assert run(root, "--predictions", root / "new.csv").exit_code == 0


def test_for_people(dataset, tiny_checkpoint: Path) -> None:
    result = _run("--split", "train", "--draws", "10", model="majority")
    assert result.exit_code == 0, result.output
    assert "anger_happiness" in result.stdout
    assert "WAR 0.5000 [" in result.stdout


def test_refuses(dataset, tiny_checkpoint: Path) -> None:
    result = _run("--frames", "last", model=tiny_checkpoint)
    assert result.exit_code == 2
    assert "temporal, mean, middle" in result.output
    result = _run("--split", "valid", model=tiny_checkpoint)
    assert isinstance(result.exception, DatasetError)
    assert str(result.exception) == "mine has no split valid. There are: train, test"
