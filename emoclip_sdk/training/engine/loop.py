"""The training loop: steps, validation, selection, and a state from which it goes on exactly."""

from __future__ import annotations

import dataclasses
import logging
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...checkpoints.tensors import read_safetensors
from ...errors import EmoCLIPError
from .average import WeightAverage
from .logs import RunLog
from .optim import MAX_LOGIT_SCALE, Amp, build_optimizer, build_schedule
from .plan import Plan
from .process import Process
from .settings import OptimSettings, RunSettings
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
from .task import TrainingTask

__all__ = ["Trainer"]

log = logging.getLogger(__name__)

WEIGHTS_FILE = "weights.safetensors"


@dataclass
class _Progress:
    """Where a run is. All of it is in the state."""

    done: int = 0
    running: float = 0.0  # loss, averaged since the last line of the log
    counted: int = 0
    validated: int = 0  # epochs
    history: list[dict[str, float]] = field(default_factory=list)
    kept: int = -1  # row of `history`


class Trainer:
    """Trains a task, epoch after epoch.

    Parameters
    ----------
    task : TrainingTask
    plan : Plan
        Which samples are in which step, and how many steps there are.
    optim : OptimSettings
    run : RunSettings
    validate : callable
        Returns the figures of the validation split for the task's module as it is when it is
        called; ``score`` decides where the best epoch is kept, higher is better.
    folder : Path
        Run folder: state, kept weights, log.
    process : Process

    Raises
    ------
    EmoCLIPError
        Too few samples for a step, or nothing learns.
    """

    def __init__(
        self,
        task: TrainingTask,
        plan: Plan,
        optim: OptimSettings,
        run: RunSettings,
        validate: Callable[[], dict[str, float]],
        folder: Path,
        process: Process,
    ) -> None:
        if plan.total < 1:
            raise EmoCLIPError(
                f"{plan.n} training samples are too few for {process.world} processes"
            )
        self.task, self.plan, self.optim, self.run = task, plan, optim, run
        self.validate, self.folder, self.process = validate, folder, process
        self.amp = Amp(optim.precision, process.device)
        self.optimizer = build_optimizer(task.module, optim)
        self.schedule = build_schedule(self.optimizer, optim, plan)
        self.average = None if optim.average is None else WeightAverage(task.module, optim.average)
        self.progress = _Progress()
        self._running = torch.zeros((), device=process.device)
        self._rates: dict[str, float] = {}
        self._stop: int | None = None
        scale = getattr(task.module, "logit_scale", None)
        learns = isinstance(scale, Tensor) and scale.requires_grad
        self._scale: Tensor | None = scale if learns else None

    def fit(self) -> dict[str, Any]:
        """Train what is missing and load the weights that are kept into the task's module.

        Returns
        -------
        dict
            ``best``: the figures of the epoch whose weights are kept, with its number; ``epochs``:
            of all.

        Raises
        ------
        KeyboardInterrupt, SystemExit
            On Ctrl-C and on SIGTERM, after the state was saved.
        """
        seed = self.plan.seed + self.process.rank
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        self._resume()
        progress = self.progress
        if progress.done < self.plan.total:
            writer = None
            if self.process.main:
                size = self.plan.size * self.process.world
                writer = RunLog(self.folder, progress.done, self.plan.total, size)
            try:
                with self._signals():
                    self._run(writer)
            finally:
                if writer is not None:
                    writer.close()
        self.process.barrier()
        load_learned(self.task.module, read_safetensors(self.folder / WEIGHTS_FILE))
        return {"best": progress.history[progress.kept], "epochs": progress.history}

    def _run(self, writer: RunLog | None) -> None:
        progress, steps, run = self.progress, self.plan.steps, self.run
        batches = self.task.batches(dataclasses.replace(self.plan, first=progress.done))
        self.task.train()
        try:
            for batch in batches:
                self._step(batch)
                if progress.done % run.log_every == 0 or progress.done % steps == 0:
                    self._report(writer)
                if progress.done % steps == 0:
                    self._validate(writer)
                    self.task.train()
                    self._save()
                elif progress.done % run.save_every == 0:
                    self._save()
                self._leave_if_asked()
        finally:
            batches.close()  # type: ignore[attr-defined]  # ends worker processes

    def _step(self, batch: Any) -> None:
        self._rates = {f"lr {g['name']}": g["lr"] for g in self.optimizer.param_groups}
        loss = self.task.backward(batch, self.amp)
        if self.optim.clip_grad is not None:
            self.amp.scaler.unscale_(self.optimizer)
            learners = [p for group in self.optimizer.param_groups for p in group["params"]]
            torch.nn.utils.clip_grad_norm_(learners, self.optim.clip_grad)
        before = self.amp.scaler.get_scale()
        self.amp.scaler.step(self.optimizer)
        self.amp.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        if self.amp.scaler.get_scale() >= before:  # else the gradients overflowed: no step
            self.schedule.step()
        if self._scale is not None:
            with torch.no_grad():
                self._scale.clamp_(0, MAX_LOGIT_SCALE)
        self.progress.done += 1
        if self.average is not None:
            self.average.update(self.progress.done)
        # On the device: to read the loss in every step would make it wait.
        self.progress.counted += 1
        self._running += (loss - self._running) / self.progress.counted

    def _report(self, writer: RunLog | None) -> None:
        progress, loss = self.progress, self._running.item()
        if not np.isfinite(loss) and self.amp.precision != "fp16":
            raise EmoCLIPError(
                f"the loss is {loss} at step {progress.done}: lower the learning "
                "rates, or set optim.clip_grad=1.0"
            )
        figures = {"loss": loss, **self._rates}
        if self._scale is not None:
            figures["scale"] = self._scale.exp().item()
        if self.amp.scaler.is_enabled():
            figures["loss scale"] = self.amp.scaler.get_scale()
        if writer is not None:
            writer.step((progress.done - 1) // self.plan.steps + 1, progress.done, figures)
        self._running.zero_()
        progress.counted = 0

    def _validate(self, writer: RunLog | None) -> None:
        progress = self.progress
        with nullcontext() if self.average is None else self.average.applied():
            # The last bit may differ between processes, and all of them must choose alike.
            figures = self.process.agreed(self.validate())
            epoch = progress.validated + 1
            progress.history.append({"epoch": epoch, **figures})
            keep = self.optim.keep == "last" or progress.kept < 0
            if keep or figures["score"] > progress.history[progress.kept]["score"]:
                progress.kept = len(progress.history) - 1
                if self.process.main:
                    save_weights(self.folder / WEIGHTS_FILE, learned_state(self.task.module))
        progress.validated = epoch
        if writer is not None:
            best = self.optim.keep == "best" and progress.kept == len(progress.history) - 1
            writer.epoch(epoch, progress.done, figures, best)

    def _save(self) -> None:
        self.progress.running = self._running.item()
        state = {
            "progress": vars(self.progress),
            "module": learned_state(self.task.module),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.amp.scaler.state_dict(),
            "random": random_state(),
        }
        if self.average is not None:
            state["average"] = self.average.state_dict()
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
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        if self.process.main:
            set_random_state(state["random"])
        self.progress = _Progress(**state["progress"])
        self._running.fill_(self.progress.running)
        if self.progress.done < self.plan.total:
            log.info("going on after step %d of %d", self.progress.done, self.plan.total)

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
            self.plan.total,
        )
        if self._stop == signal.SIGTERM:
            raise SystemExit(143)
        raise KeyboardInterrupt
