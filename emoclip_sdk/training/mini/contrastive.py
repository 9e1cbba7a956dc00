"""Stages 2 and 3 of the recipe `mini`: contrastive training on pictures or clips with captions."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...config import ImageConfig
from ...nn import DualEncoder, contrastive_loss
from ..engine.depthwise import quicken_depthwise
from ..engine.precision import autocast, pick_precision
from ..engine.schedule import adamw, cosine_lambda
from .augment import augment, mixed
from .samples import TrainingSet

__all__ = ["embed_views", "train_images", "train_temporal"]

log = logging.getLogger(__name__)


class _Average:
    """Exponential moving average of the parameters that learn, and of the batch norms' figures."""

    def __init__(self, model: DualEncoder, decay: float) -> None:
        self.model = copy.deepcopy(model).eval()
        self.decay = decay
        self.steps = 0
        learns = [p.requires_grad for p in model.parameters()]
        self._means = [p.data for p, it in zip(self.model.parameters(), learns, strict=True) if it]
        self._new = [p.data for p in model.parameters() if p.requires_grad]
        for mean, new in zip(self.model.buffers(), model.buffers(), strict=True):
            if new.is_floating_point():
                self._means.append(mean)
                self._new.append(new)

    @torch.no_grad()
    def update(self) -> None:
        self.steps += 1
        weight = 1 - min(self.decay, self.steps / (self.steps + 10))
        torch._foreach_lerp_(self._means, self._new, weight)


def train_images(
    model: DualEncoder,
    data: TrainingSet,
    image: ImageConfig,
    config: dict[str, Any],
    validate: Callable[[DualEncoder], dict[str, Any]],
) -> DualEncoder:
    """Train image tower, text head and logit scale; the text transformer stays frozen.

    Parameters
    ----------
    model : DualEncoder
        Trained in place.
    data : TrainingSet
    image : ImageConfig
    config : dict
        Recipe section ``images``.
    validate : callable
        Gets the averaged model after each epoch, returns figures to log.

    Returns
    -------
    DualEncoder
        The moving average of the weights.
    """
    device = model.logit_scale.device
    weights = data.weights(config["balance"])
    size = min(config["batch_size"], len(data))
    steps = len(data) // size
    total = steps * sum(epochs for _, epochs in config["sizes"])

    model.towers.text.requires_grad_(False)
    model.temporal.requires_grad_(False)
    model.towers.visual.to(memory_format=torch.channels_last)
    optimiser = adamw(model, config["lr"], config["weight_decay"])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, cosine_lambda(config["warmup"], total))
    average = _Average(model, config["ema"])
    encode = model.encode_frames
    precision = pick_precision(config["precision"], device)
    if precision == "bf16" and device.type == "cpu":
        quicken_depthwise(model.towers.visual)
    if config["compile"]:
        encode = torch.compile(encode, dynamic=False)

    start, done, epoch = time.monotonic(), 0, 0
    running = torch.zeros((), device=device)
    for side, epochs in config["sizes"]:
        for _ in range(epochs):
            model.train()
            order = torch.multinomial(weights, steps * size, replacement=True)
            for rows in order.view(steps, size):
                views = augment(data.pictures(rows), image, side)
                drawn, fits = data.captions(rows, config["captions"], config["text_noise"])
                if config["mixup"]:
                    views, fits = mixed(views, fits, config["mixup"])
                with autocast(precision, views.device):
                    frames = encode(views.contiguous(memory_format=torch.channels_last)).float()
                text = model.towers.text_head(drawn)
                loss = contrastive_loss(frames, text, model.logit_scale, fits)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
                with torch.no_grad():
                    model.logit_scale.clamp_(0, 4.6052)  # CLIP's bound: a scale of 100
                average.update()
                done += 1
                running += (loss.detach() - running) / min(done, 100)
                if done % 50 == 0:
                    log.info(
                        "images: epoch %d at %d px, step %d/%d, loss %.3f, scale %.1f, %.0f s",
                        epoch,
                        side,
                        done,
                        total,
                        running.item(),
                        model.logit_scale.exp().item(),
                        time.monotonic() - start,
                    )
            log.info("images: epoch %d, valid: %s", epoch, validate(average.model))
            epoch += 1
    return average.model


def embed_views(model: DualEncoder, data: TrainingSet, image: ImageConfig, views: int) -> Tensor:
    """Embed `views` random views of each picture of `data`: (P, V, D)."""
    log.info("embedding %d views of %d pictures", views, len(data.all_pictures()))
    model.eval()
    parts = []
    with torch.no_grad():
        for part in data.all_pictures().split(256):
            drawn = [augment(part, image, image.size) for _ in range(views)]
            parts.append(torch.stack([model.encode_frames(view) for view in drawn], dim=1))
    return torch.cat(parts)


def train_temporal(
    model: DualEncoder, data: TrainingSet, frames: Tensor, config: dict[str, Any]
) -> None:
    """Train the temporal module in place on sequences of frame embeddings.

    The caption belongs to the expressive frames, so the module learns to weigh them over neutral
    ones. A second term keeps the clip embedding near the expressive frames' mean, so that
    directions which no caption names survive. The text head is tuned along, because the
    image tower may have learned from the teacher's embeddings, and the shipped text tower is its
    student.

    Parameters
    ----------
    model : DualEncoder
        Towers as the stages before left them.
    data : TrainingSet
        With captions read by the model's own text tower.
    frames : Tensor, (P, V, D)
        From :func:`embed_views`.
    config : dict
        Recipe section ``temporal``.
    """
    device = model.logit_scale.device
    weights = data.weights(config["balance"])
    size, longest = config["batch_size"], config["longest"]

    model.requires_grad_(False)
    temporal, text_head = model.temporal.train(), model.towers.text_head
    with torch.no_grad():  # N(0, 1) of the reference would drown small towers' embeddings
        for name, parameter in temporal.named_parameters():
            if name in ("cls_token", "positions"):
                parameter.mul_(0.02)
    learners = nn.ModuleList([temporal, text_head]).requires_grad_(True)
    optimiser = adamw(learners, config["lr"], config["weight_decay"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, cosine_lambda(config["warmup"], config["steps"])
    )
    running, start = 0.0, time.monotonic()
    for step in range(1, config["steps"] + 1):
        rows = torch.multinomial(weights, size, replacement=True)
        most = int(torch.randint(1, longest + 1, ()))
        length = torch.randint(1, most + 1, (size,), device=device)
        drawn = data.sequences(frames, rows, length, config["neutral"])
        deviation = drawn.clips[drawn.mask].std(dim=0)
        clips = drawn.clips + torch.randn_like(drawn.clips) * deviation * config["frame_noise"]
        captions, fits = data.captions(rows, 1, config["text_noise"], drawn.expressed)
        video = temporal(clips, drawn.mask)
        loss = contrastive_loss(video, text_head(captions), model.logit_scale, fits)
        loss = loss + config["keep"] * (1 - F.cosine_similarity(video, drawn.summary)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learners.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        running += (loss.item() - running) / min(step, 100)
        if step % 100 == 0:
            log.info(
                "temporal: step %d/%d, loss %.3f, %.0f s",
                step,
                config["steps"],
                running,
                time.monotonic() - start,
            )
    model.eval()
