"""A run that is broken off goes on as if nothing had happened, bit for bit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.engine.loop import Trainer
from emoclip_sdk.training.paper import run_experiment

from .conftest import colors, tiny_recipe


def recipe_of(kind: str) -> dict[str, Any]:
    recipe = tiny_recipe(frozen=kind == "frozen")
    if kind != "frozen":
        # Draws from torch's own generator in every step.
        recipe["model"]["towers"]["model"]["vision_cfg"]["patch_dropout"] = 0.25
    return recipe


def run(recipe: dict[str, Any], folder: Path, **options: Any) -> dict[str, Any]:
    return run_experiment(recipe, colors(), folder / "out", folder / "run", **options)


def interrupt(monkeypatch: pytest.MonkeyPatch, step: int, what: Any) -> None:
    """Let `what` happen in a step, once its gradient is there."""
    original = Trainer._step

    def broken(self: Trainer, batch: Any) -> None:
        original(self, batch)
        if self.progress.done == step:
            what()

    monkeypatch.setattr(Trainer, "_step", broken)


def assert_same(a: Path, b: Path) -> None:
    assert (a / "run/log.csv").read_text() == (b / "run/log.csv").read_text()
    assert (a / "run/metrics.json").read_text() == (b / "run/metrics.json").read_text()
    for name in ("run/weights.safetensors", "out/model.safetensors"):
        one, other = load_file(a / name), load_file(b / name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    one, other = (torch.load(x / "run/state.pt", weights_only=True) for x in (a, b))
    assert one["progress"] == other["progress"]
    assert torch.equal(one["random"]["torch"], other["random"]["torch"])
    for key, value in one["optimizer"]["state"].items():
        for name, tensor in value.items():
            assert torch.equal(tensor, other["optimizer"]["state"][key][name])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs that nobody disturbed."""
    folders = {}
    for kind in ("frozen", "pictures"):
        folders[kind] = tmp_path_factory.mktemp(kind)
        run(recipe_of(kind), folders[kind])
    return folders


class _PowerCut(BaseException):
    pass


@pytest.mark.parametrize("kind", ["frozen", "pictures"])
@pytest.mark.parametrize("step", [2, 7])
def test_crash(
    kind: str, step: int, whole: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut() -> None:
        raise _PowerCut

    with monkeypatch.context() as patch:
        interrupt(patch, step, cut)
        with pytest.raises(_PowerCut):
            run(recipe_of(kind), tmp_path)
    # Saved every third step and at the end of an epoch, which has four.
    state = tmp_path / "run/state.pt"
    assert state.exists() == (step == 7)
    if state.exists():
        assert torch.load(state, weights_only=True)["progress"]["done"] == 6
    run(recipe_of(kind), tmp_path)
    assert_same(whole[kind], tmp_path)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)]
)
def test_signals_save_first(
    number: int,
    error: type[BaseException],
    whole: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, 5, lambda: signal.raise_signal(number))
        with pytest.raises(error):
            run(recipe_of("frozen"), tmp_path)
    assert torch.load(tmp_path / "run/state.pt", weights_only=True)["progress"]["done"] == 5
    run(recipe_of("frozen"), tmp_path)
    assert_same(whole["frozen"], tmp_path)


KILLED = """
import os, signal, sys
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tests.training.paper.test_resuming import Trainer, recipe_of, run
original = Trainer._step
def step(self, batch):
    original(self, batch)
    if self.progress.done == 5:
        os.kill(os.getpid(), signal.SIGKILL)
Trainer._step = step
run(recipe_of("pictures"), Path(sys.argv[1]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
@pytest.mark.slow
def test_kill_minus_nine(whole: dict[str, Path], tmp_path: Path) -> None:
    code = f"import torch; torch.set_num_threads({torch.get_num_threads()})\n{KILLED}"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert torch.load(tmp_path / "run/state.pt", weights_only=True)["progress"]["done"] == 4
    run(recipe_of("pictures"), tmp_path)
    assert_same(whole["pictures"], tmp_path)


def test_workers_change_nothing(
    whole: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = []
    start = SpawnProcess.start

    def count(self: SpawnProcess) -> None:
        processes.append(self)
        start(self)

    monkeypatch.setattr(SpawnProcess, "start", count)
    recipe = recipe_of("pictures")
    recipe["data"]["workers"] = 1
    run(recipe, tmp_path)
    assert len(processes) == 1  # for 8 steps and for the validation after each of 2 epochs
    assert_same(whole["pictures"], tmp_path)


WITH_WORKERS = """
import multiprocessing, sys, time
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tests.training.paper.test_resuming import Trainer, recipe_of, run
original = Trainer._step
def step(self, batch):
    original(self, batch)
    if self.progress.done == 5:
        print(len(multiprocessing.active_children()), flush=True)
        while self._stop is None:
            time.sleep(0.05)
Trainer._step = step
if __name__ == "__main__":
    recipe = recipe_of("pictures")
    recipe["data"]["workers"] = 1
    run(recipe, Path(sys.argv[1]))
"""


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT", "SIGTERM"])
@pytest.mark.slow
def test_no_worker_is_left(name: str, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(WITH_WORKERS)
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    started = process.stdout.readline()
    assert started == "1\n", process.communicate()[1]
    if name == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to the workers, too
    else:
        process.send_signal(getattr(signal, name))
    # The worker holds the other end of stderr, too: this waits until it has ended.
    _, errors = process.communicate(timeout=60)
    assert errors.count("Traceback") == (name == "SIGINT")
    done = torch.load(tmp_path / "run/state.pt", weights_only=True)["progress"]["done"]
    assert done == (4 if name == "SIGKILL" else 5)


def test_finished_run_is_not_trained_again(
    whole: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trainer, "_step", lambda *_: pytest.fail("trained again"))
    run_experiment(recipe_of("frozen"), colors(), tmp_path / "again", whole["frozen"] / "run")
    EmoCLIP.from_pretrained(tmp_path / "again", device="cpu")


def test_another_recipe_is_refused(whole: dict[str, Path]) -> None:
    folder = whole["frozen"]
    before = (folder / "run/recipe.yaml").read_text()
    recipe = recipe_of("frozen")
    recipe["optim"]["lr"]["temporal"] = 1e-4
    recipe["run"]["log_every"] = 50  # changes no result
    with pytest.raises(EmoCLIPError, match=r"recipe\.optim\.lr\.temporal .was 0\.003, now 0\.0001"):
        run(recipe, folder)
    with pytest.raises(EmoCLIPError, match="clips, labels and captions"):
        run_experiment(recipe_of("frozen"), colors(5), folder / "out", folder / "run")
    with pytest.raises(EmoCLIPError, match="selection"):
        run({**recipe_of("frozen"), "selection": {"split": "test"}}, folder)
    assert (folder / "run/recipe.yaml").read_text() == before


def test_broken_state_is_named(whole: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(whole["frozen"] / "run", tmp_path / "run")
    (tmp_path / "run/state.pt").write_bytes(b"half a file")
    with pytest.raises(EmoCLIPError, match=r"state\.pt.*can't be read"):
        run(recipe_of("frozen"), tmp_path)
    (tmp_path / "run/run.json").unlink()
    with pytest.raises(EmoCLIPError, match=r"run\.json.*does not say"):
        run(recipe_of("frozen"), tmp_path)
