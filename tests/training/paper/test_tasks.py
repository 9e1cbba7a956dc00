"""The gradient of a step: in one piece, in several, on two processes, in half precision."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from emoclip_sdk.config import ModelConfig
from emoclip_sdk.nn import DualEncoder
from emoclip_sdk.training.data.samples import ClipBatch
from emoclip_sdk.training.engine.loop import Trainer
from emoclip_sdk.training.engine.optim import Amp
from emoclip_sdk.training.paper import Process, distributed, run_experiment
from emoclip_sdk.training.paper.tasks import ContrastiveTask
from emoclip_sdk.training.paper.texts import TextTable

from .conftest import colors, tiny_recipe


def network() -> DualEncoder:
    torch.manual_seed(0)
    model = tiny_recipe()["model"]
    config = ModelConfig.from_dict(
        {key: model[key] for key in ("towers", "temporal", "sampling", "image")}
        | {"format_version": 1}
    )
    return DualEncoder(config)


def batch(positives: bool) -> tuple[Tensor, Tensor, Tensor | None]:
    """Six pictured clips, texts as tokens, and which of them belong together."""
    torch.manual_seed(1)
    clips = torch.randn(6, 3, 3, 32, 32)
    tokens = torch.randint(1, 400, (6, 16))
    tokens[:, 9] = 49407
    groups = torch.tensor([0, 1, 0, 2, 1, 0]) if positives else None
    return clips, tokens, groups


def gradients(
    part: tuple[Tensor, Tensor, Tensor | None], pieces: int = 1, process: Process | None = None
) -> tuple[float, dict[str, Tensor]]:
    net = network()
    task = ContrastiveTask(
        net, None, TextTable((), (), ()), torch.zeros(0), "text", True, pieces, 0,
        process or Process(),
    )  # type: ignore[arg-type]  # fmt: skip
    clips, texts, groups = part
    batch = ClipBatch(list(range(len(clips))), clips.__getitem__)
    loss = task.backward((batch, texts, groups), Amp("fp32", torch.device("cpu"))).item()
    return loss, {name: p.grad for name, p in net.named_parameters() if p.grad is not None}


def assert_close(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert a.keys() == b.keys() and len(a) > 20
    for name, gradient in a.items():
        assert torch.allclose(gradient, b[name], atol=1e-5), name


@pytest.mark.parametrize("positives", [False, True])
def test_accumulation_changes_no_gradient(positives: bool) -> None:
    loss, whole = gradients(batch(positives))
    in_pieces, found = gradients(batch(positives), pieces=3)
    assert in_pieces == pytest.approx(loss, abs=1e-6)
    assert_close(whole, found)


def _worker(rank: int, port: int, folder: str) -> None:
    os.environ.update(
        RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    torch.set_num_threads(1)
    with distributed("cpu") as process:
        found: dict[str, Any] = {}
        for positives in (False, True):
            for pieces in (1, 3):
                clips, tokens, groups = batch(positives)
                mine = slice(3 * rank, 3 * rank + 3)
                half = (clips[mine], tokens[mine], None if groups is None else groups[mine])
                found[f"{positives} {pieces}"] = gradients(half, pieces, process)
        torch.save(found, Path(folder) / f"{rank}.pt")
        run_experiment(_run_recipe(2), colors(), Path(folder) / "out", Path(folder) / "run",
                       process=process)  # fmt: skip


def _run_recipe(world: int) -> dict[str, Any]:
    recipe = tiny_recipe(frozen=False)
    recipe["optim"] |= {"epochs": 1, "batch_size": 8 // world}
    return recipe


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_worker, (port, str(tmp_path)), nprocs=2)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for positives in (False, True):
            loss, whole = gradients(batch(positives))
            for pieces in (1, 3):
                theirs, gradient = found[f"{positives} {pieces}"]
                assert theirs == pytest.approx(loss, abs=1e-5)
                assert_close(whole, gradient)
    # The whole run: same clips in each step, so the same losses.
    run_experiment(_run_recipe(1), colors(), tmp_path / "alone", tmp_path / "alone-run")
    losses = [
        [
            float(row.split(",")[2])
            for row in (tmp_path / name / "log.csv").read_text().splitlines()[1:]
        ]
        for name in ("alone-run", "run")
    ]
    assert len(losses[0]) == 2
    assert losses[1][0] == pytest.approx(losses[0][0], abs=1e-4)


def test_fp16_scaler_skips_what_overflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny_recipe()
    recipe["optim"] |= {"precision": "fp16", "epochs": 1}
    seen: list[tuple[float, np.ndarray]] = []
    original = Trainer._step

    def step(self: Trainer, part: Any) -> None:
        if not seen:
            self.amp.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)
        weights = self.task.module.temporal.cls_token  # type: ignore[union-attr]
        before = weights.detach().clone()
        original(self, part)
        seen.append((self.amp.scaler.get_scale(), (weights.detach() - before).numpy()))

    monkeypatch.setattr(Trainer, "_step", step)
    run_experiment(recipe, colors(), tmp_path / "out", tmp_path / "run")
    scale, change = seen[0]
    assert scale == 2.0**59  # it overflowed: halved, and the step left out
    assert not change.any()
    state = torch.load(tmp_path / "run/state.pt", weights_only=True)
    assert state["scaler"]["scale"] == seen[-1][0]
