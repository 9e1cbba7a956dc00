"""The script that type checkers read does what it says."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from emoclip_sdk.assets import asset

ROOT = Path(__file__).parents[1]
SCRIPT = Path(__file__).parent / "typing" / "user_script.py"


@pytest.mark.slow
def test_it_runs(embedded_model, tmp_path):
    pytest.importorskip("matplotlib")
    lines = runpy.run_path(str(SCRIPT))["describe"](
        embedded_model.with_prompts(), asset("portrait.mp4"), tmp_path
    )
    assert lines[0].startswith("happiness: 0.") and lines[2] == "1 ['ok', 'failed'] 5 [0.0, 1.0]"
    assert lines[3].startswith("(640,) [None, 'no such file or folder'] 1 deterministic")
    assert (tmp_path / "scores.csv").is_file() and (tmp_path / "scores.png").is_file()


@pytest.mark.slow
def test_mypy_finds_nothing():
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", str(SCRIPT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong", ["model.classify('a.mp4').nothing", "model.embed('a.mp4', fsp=3)"]
)
def test_what_a_method_returns_is_no_any(tmp_path, wrong):
    """A wrong use of a result is found: its type is known."""
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(
        f"from emoclip_sdk import EmoCLIP\nmodel = EmoCLIP.from_pretrained()\n{wrong}\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
