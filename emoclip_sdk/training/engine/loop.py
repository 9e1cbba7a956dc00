"""The training loop: steps, validation, selection, and a state from which it goes on exactly."""

from __future__ import annotations

import logging
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...checkpoints.tensors import read_safetensors
from ...errors import EmoCLIPError
from .logs import RunLog
from .optim import MAX_LOGIT_SCALE, Amp, build_optimizer, build_schedule
from .plan import Plan
from .process import Process
from .settings import LoopSettings
from .state import (
    STATE_FILE,
    learned_state,
    load_learned,
    load_state,
    random_state,
    save_state,
    save_weights,
    set_random_state,
)
from .task import Task

__all__ = ["Trainer"]

log = logging.getLogger(__name__)

BEST_FILE = "best.safetensors"


@dataclass
class _Progress:
    """Where a run is. All of it is in the state."""

    done: int = 0
    running: float = 0.0  # loss, averaged since the last line of the log
    counted: int = 0
    validated: int = 0  # epochs
    history: list[dict[str, float]] = field(default_factory=list)
    best: int = -1  # row of `history`


class Trainer:
    """Trains a task, epoch after epoch.

    Parameters
    ----------
    task : Task
    settings : LoopSettings
    validate : callable
        Returns the figures of the validation split; ``score`` decides, higher is better.
    folder : Path
        Run folder: state, best weights, log.
    process : Process
    """

    def __init__(
        self,
        task: Task,
        settings: LoopSettings,
        validate: Callable[[], dict[str, float]],
        folder: Path,
        process: Process,
    ) -> None:
        optim = settings.optim
        self.task, self.settings, self.validate = task, settings, validate
        self.folder, self.process = folder, process
        self.plan = Plan(
            task.n, optim.batch_size, optim.epochs, settings.seed, process.rank, process.world
        )
        if self.plan.size < 1:
            raise EmoCLIPError(f"{task.n} training clips are too few for {process.world} processes")
        self.total = optim.epochs * self.plan.steps
        self.amp = Amp(optim.precision, process.device)
        self.optimizer = build_optimizer(task.module, optim)
        self.schedule = build_schedule(self.optimizer, optim, self.plan.steps)
        self.progress = _Progress()
        self._rates: dict[str, float] = {}
        self._stop: int | None = None

    def fit(self) -> dict[str, Any]:
        """Train what is missing and load the best epoch's weights into the task's module.

        Returns
        -------
        dict
            ``best``: the figures of the selected epoch, with its number; ``epochs``: of all.

        Raises
        ------
        KeyboardInterrupt, SystemExit
            On Ctrl-C and on SIGTERM, after the state was saved.
        """
        torch.manual_seed(self.settings.seed + self.process.rank)
        np.random.seed(self.settings.seed + self.process.rank)
        random.seed(self.settings.seed + self.process.rank)
        self._resume()
        progress, steps = self.progress, self.plan.steps
        if progress.done < self.total:
            writer = None
            if self.process.main:
                size = self.plan.size * self.process.world
                writer = RunLog(self.folder, progress.done, self.total, size)
            try:
                with self._signals():
                    self._run(writer, steps)
            finally:
                if writer is not None:
                    writer.close()
        self.process.barrier()
        load_learned(self.task.module, read_safetensors(self.folder / BEST_FILE))
        return {"best": progress.history[progress.best], "epochs": progress.history}

    def _run(self, writer: RunLog | None, steps: int) -> None:
        progress = self.progress
        plan = Plan(**{**vars(self.plan), "first": progress.done})
        batches = self.task.batches(plan)
        self.task.train()
        try:
            for batch in batches:
                self._step(batch)
                if progress.done % self.settings.run.log_every == 0 or progress.done % steps == 0:
                    self._report(writer)
                if progress.done % steps == 0:
                    self._validate(writer)
                    self.task.train()
                    self._save()
                elif progress.done % self.settings.run.save_every == 0:
                    self._save()
                self._leave_if_asked()
        finally:
            batches.close()  # type: ignore[attr-defined]  # ends worker processes

    def _step(self, batch: Any) -> None:
        self._rates = {f"lr {g['name']}": g["lr"] for g in self.optimizer.param_groups}
        loss = self.task.backward(batch, self.amp)
        if self.settings.optim.clip_grad is not None:
            self.amp.scaler.unscale_(self.optimizer)
            learners = [p for group in self.optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(learners, self.settings.optim.clip_grad)
        before = self.amp.scaler.get_scale()
        self.amp.scaler.step(self.optimizer)
        self.amp.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.amp.scaler.get_scale() >= before:  # else the gradients overflowed: no step
            self.schedule.step()
        scale = getattr(self.task.module, "logit_scale", None)
        if isinstance(scale, Tensor):
            with torch.no_grad():
                scale.clamp_(0, MAX_LOGIT_SCALE)
        self.progress.done += 1
        self.progress.counted += 1
        self.progress.running += (loss - self.progress.running) / self.progress.counted

    def _report(self, writer: RunLog | None) -> None:
        progress = self.progress
        if not np.isfinite(progress.running) and self.amp.precision != "fp16":
            raise EmoCLIPError(
                f"the loss is {progress.running} at step {progress.done}: lower the learning "
                "rates, or set optim.clip_grad=1.0"
            )
        figures = {"loss": progress.running, **self._rates}
        scale = getattr(self.task.module, "logit_scale", None)
        if isinstance(scale, Tensor):
            figures["scale"] = scale.exp().item()
        if self.amp.scaler.is_enabled():
            figures["loss scale"] = self.amp.scaler.get_scale()
        if writer is not None:
            writer.step((progress.done - 1) // self.plan.steps + 1, progress.done, figures)
        progress.running, progress.counted = 0.0, 0

    def _validate(self, writer: RunLog | None) -> None:
        progress = self.progress
        # The last bit may differ between processes, and all of them must choose alike.
        figures = self.process.agreed(self.validate())
        epoch = progress.validated + 1
        progress.history.append({"epoch": epoch, **figures})
        best = progress.best < 0 or figures["score"] > progress.history[progress.best]["score"]
        if best:
            progress.best = len(progress.history) - 1
            if self.process.main:
                save_weights(self.folder / BEST_FILE, learned_state(self.task.module))
        progress.validated = epoch
        if writer is not None:
            writer.epoch(epoch, progress.done, figures, best)

    def _save(self) -> None:
        state = {
            "progress": vars(self.progress),
            "module": learned_state(self.task.module),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.amp.scaler.state_dict(),
            "random": random_state(),
        }
        if self.process.main:
            save_state(self.folder / STATE_FILE, state)

    def _resume(self) -> None:
        state = load_state(self.folder / STATE_FILE)
        if state is None:
            return
        load_learned(self.task.module, state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.amp.scaler.load_state_dict(state["scaler"])
        if self.process.main:
            set_random_state(state["random"])
        self.progress = _Progress(**state["progress"])
        if self.progress.done < self.total:
            log.info("going on after step %d of %d", self.progress.done, self.total)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM end the run after the step that is under way."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, _: Any) -> None:
            if self._stop is not None:  # asked twice: at once
                raise KeyboardInterrupt
            self._stop = number

        before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _leave_if_asked(self) -> None:
        if not self.process.any(self._stop is not None):
            return
        self._save()
        log.warning(
            "stopped after step %d of %d; the same command goes on from there",
            self.progress.done,
            self.total,
        )
        if self._stop == signal.SIGTERM:
            raise SystemExit(143)
        raise KeyboardInterrupt
