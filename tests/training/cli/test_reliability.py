"""The command that measures how far labels can be trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from emoclip_sdk.checkpoints import load
from emoclip_sdk.training.cli import app
from emoclip_sdk.training.data.ferplus import FERPLUS_CLASSES


@pytest.mark.slow
def test_writes_what_it_measured_into_the_checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "mine"))
    rng = np.random.default_rng(0)
    votes = np.zeros((48, 10), np.uint8)
    votes[np.arange(48), np.arange(48) % 6] = 10
    np.savez(
        tmp_path / "ferplus.npz",
        images=rng.integers(0, 256, (48, 48, 48), dtype=np.uint8),
        votes=votes,
        columns=np.array([*FERPLUS_CLASSES, "unknown", "NF"]),
        split=np.array(["valid"]).repeat(48),
        duplicate=np.zeros(48, bool),
    )
    arguments = ["--model", str(folder), "--root", str(tmp_path / "ferplus.npz"), "--words", "16"]
    result = CliRunner().invoke(app, ["reliability", *arguments])
    assert result.exit_code == 0, result.output
    checkpoint = load(folder)
    measured = checkpoint.reliability
    assert [(known.name, known.n) for known in measured.classes] == [
        (name, 8) for name in FERPLUS_CLASSES[:6]
    ]
    assert measured.actions == () and 0 < len(measured.words) <= 16
    assert measured.command.startswith("emoclip-train reliability --model mine")
    margin = json.loads((folder / "config.json").read_text())["calibration"]["margin"]
    assert f"margin {margin:.3f}" in result.output
