"""A stage that is broken off goes on as if nothing had happened, bit for bit."""

from __future__ import annotations

import copy
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from emoclip_sdk.training.engine.loop import Trainer
from emoclip_sdk.training.mini import run_mini
from emoclip_sdk.training.mini import stages as module

from .conftest import word_teacher

# Saved every 4 steps: the second number is what the state holds after a crash in the first.
CRASHES = [
    ("network", 6, 4),
    *(
        pytest.param(*crash, marks=pytest.mark.slow)
        for crash in (("text", 6, 4), ("images", 9, 8), ("images", 19, 16))
    ),
]


def start(recipe: dict[str, Any], pictures: Path, folder: Path) -> None:
    recipe = copy.deepcopy(recipe)
    recipe["text"]["epochs"] = 1
    recipe["text"]["optim"]["batch_size"] = 32
    recipe["run"] = {"save_every": 4, "log_every": 3}
    run_mini(recipe, pictures, folder / "out", folder / "run")


@pytest.fixture(scope="module")
def whole(
    _recipe: dict[str, Any], pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_teacher", lambda name: word_teacher)
        start(_recipe, pictures, folder)
    return folder


def assert_same(a: Path, b: Path) -> None:
    for stage in ("text", "images", "network"):
        one, other = (
            load_file(a / f"run/{stage}.safetensors"),
            load_file(b / f"run/{stage}.safetensors"),
        )
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one), stage
        log = f"run/{stage}/log.csv"
        assert (a / log).read_text() == (b / log).read_text()
    for name in ("run/metrics.json", "out/config.json"):
        assert (a / name).read_text() == (b / name).read_text()


class _PowerCut(BaseException):
    pass


@pytest.mark.parametrize(("stage", "step", "saved"), CRASHES)
def test_crash(
    stage: str,
    step: int,
    saved: int,
    whole: Path,
    recipe: dict[str, Any],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = Trainer._step

    def broken(self: Trainer, batch: Any) -> None:
        original(self, batch)
        if self.folder.name == stage and self.progress.done == step:
            raise _PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", broken)
        with pytest.raises(_PowerCut):
            start(recipe, pictures, tmp_path)
    state = torch.load(tmp_path / f"run/{stage}/state.pt", weights_only=True)
    assert state["progress"]["done"] == saved
    start(recipe, pictures, tmp_path)
    assert_same(whole, tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
from emoclip_sdk.training.mini import stages
from tests.training.mini.conftest import small_recipe, word_teacher
from tests.training.mini.test_resuming import Trainer, start
original = Trainer._step
def step(self, batch):
    original(self, batch)
    if self.folder.name == "images" and self.progress.done == 10:
        os.kill(os.getpid(), signal.SIGKILL)
Trainer._step = step
stages.load_teacher = lambda name: word_teacher
start(small_recipe(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_kill_minus_nine(
    whole: Path, recipe: dict[str, Any], pictures: Path, tmp_path: Path
) -> None:
    code = f"import torch; torch.set_num_threads({torch.get_num_threads()})\n{KILLED}"
    done = subprocess.run(
        [sys.executable, "-c", code, recipe["text"]["wordnet"], str(pictures), str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    start(recipe, pictures, tmp_path)
    assert_same(whole, tmp_path)


def test_sigterm_saves_first(
    whole: Path,
    recipe: dict[str, Any],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = Trainer._step

    def terminated(self: Trainer, batch: Any) -> None:
        original(self, batch)
        if self.folder.name == "network" and self.progress.done == 7:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", terminated)
        with pytest.raises(SystemExit):
            start(recipe, pictures, tmp_path)
    state = torch.load(tmp_path / "run/network/state.pt", weights_only=True)
    assert state["progress"]["done"] == 7
    start(recipe, pictures, tmp_path)
    assert_same(whole, tmp_path)
