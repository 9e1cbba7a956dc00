"""``emoclip-train ness`` from a generated study to a probe that predicts."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import CheckpointError, EmoCLIPError
from emoclip_sdk.training.cli import app, main

from ..ness.conftest import SMALL

QUICK = ["--draws", "20", *(part for change in SMALL for part in ("--set", change))]


@pytest.fixture(scope="module")
def run(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("out")
    arguments = ["ness", "--manifest", str(planted / "manifest.csv"), "--scale", "panss",
                 "--output", str(out), "--json", *QUICK]  # fmt: skip
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return out, json.loads(done.stdout)


def test_one_command_tells_what_was_found_and_what_the_control_found(run) -> None:
    _, document = run
    assert (document["patients"], document["interviews"], document["folds"]) == (12, 18, 12)
    assert set(document["figures"]) == {"probe", "mean", "ridge", "svr", "shuffled"}
    best = document["best_possible"]["total_negative"]
    assert document["figures"]["probe"]["total_negative"]["pcc"] > best - 0.15
    ours = next(row for row in document["published"] if row["measured"])
    assert ours["figures"]["n1_blunted_affect"]["pcc"] == 0.63


def test_files(run) -> None:
    out, document = run
    report = (out / "report.md").read_text()
    assert "| EmoCLIP (LP), published | 0.56 / 0.79 / 0.63 |" in report
    probe = document["figures"]["probe"]["n1_blunted_affect"]
    assert f"| EmoCLIP (LP), measured | {probe['mae']:.2f} / {probe['rmse']:.2f}" in report
    for score in document["scores"]:
        assert (out / f"scatter_{score}.png").stat().st_size > 5000
    with (out / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18 * 4
    # The figures can be had from the predictions.
    pairs = [(float(r["rating"]), float(r["probe"])) for r in rows
             if r["score"] == "total_negative" and r["rating"]]  # fmt: skip
    pcc = document["figures"]["probe"]["total_negative"]["pcc"]
    assert np.corrcoef(np.array(pairs).T)[0, 1] == pytest.approx(pcc, abs=1e-3)
    for row in rows:
        same = {r["fold"] for r in rows if r["patient"] == row["patient"]}
        assert len(same) == 1
    card = (out / "probe" / "README.md").read_text()
    for word in ("No diagnosis", "Ethics", "Consent", "Data protection", "private"):
        assert word in card


def test_probe_predicts_with_the_interval_of_its_errors(run, planted: Path) -> None:
    out, document = run
    probe = EmoCLIP.load_probe(out / "probe")
    result = probe.predict(planted / "interviews" / "p000_1.npz")
    assert result.face_found and result.encoder is None
    estimate = result.scores["total_negative"]
    assert 7 <= estimate.low <= estimate.value <= estimate.high <= 49
    mae = document["figures"]["probe"]["total_negative"]["mae"]
    assert estimate.mae == pytest.approx(mae)
    with (out / "predictions.csv").open(newline="") as file:
        rated = [r for r in csv.DictReader(file) if r["score"] == "total_negative" and r["rating"]]
    config = json.loads((out / "probe" / "probe.json").read_text())
    low, high = config["scores"][-1]["errors"]["interval"]
    errors = np.array([float(r["rating"]) - float(r["probe"]) for r in rated])
    assert np.mean((errors >= low - 1e-3) & (errors <= high + 1e-3)) >= 0.85
    with pytest.raises(CheckpointError, match="load it with EmoCLIP.load_probe"):
        probe.predict("interview.mp4")


def test_mistakes_are_one_line(
    planted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["emoclip-train", "ness", "--manifest", str(planted), "--scale", "nope"]
    )
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 1
    assert capsys.readouterr().err.strip().endswith("There are: panss, cains")
    with pytest.raises(EmoCLIPError, match="is for 'emoclip-train probe'"):
        arguments = ["ness", "--manifest", str(planted), "--scale", "panss", "--recipe", "probe"]
        CliRunner().invoke(app, arguments, catch_exceptions=False)
