"""Stages 2 and 3 of the recipe `mini`: contrastive training on pictures with captions."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import ImageConfig
from ..nn import DualEncoder, contrastive_loss
from .augment import augment
from .captions import Captioner
from .ferplus import Pictures
from .schedule import adamw, cosine_lambda

__all__ = ["CaptionPool", "train_images", "train_temporal"]

log = logging.getLogger(__name__)


class CaptionPool:
    """Captions with their text embeddings, to be drawn anew at every step.

    The text encoder is frozen, so each sentence is read once; the text head, which learns, is
    applied at each step to what is drawn here.

    Parameters
    ----------
    encode : callable
        N texts to embeddings (N, D), before the text head.
    classes : tuple of str
        Emotions to write captions for.
    size : int
        Captions per emotion.
    words : float
        Share of captions that carry an emotion word.
    """

    def __init__(
        self,
        encode: Callable[[list[str]], Tensor],
        classes: tuple[str, ...],
        *,
        size: int,
        words: float,
        seed: int,
    ) -> None:
        rng = np.random.default_rng(seed)
        captioner = Captioner(words)
        texts = [captioner(name, rng).text for name in classes for _ in range(size)]
        embedded = F.normalize(encode(texts), dim=-1)
        self.embeddings = embedded.view(len(classes), size, -1)

    def draw(self, classes: Tensor, noise: float) -> Tensor:
        """Draw a caption for each of N class indices: (N, D), with Gaussian noise of norm `noise`.

        The noise makes the image tower ignore what is particular to one wording.
        """
        rows = torch.randint(self.embeddings.shape[1], (len(classes),))
        drawn = self.embeddings[classes, rows]
        return drawn + torch.randn_like(drawn) * (noise / drawn.shape[1] ** 0.5)


class _Average:
    """Exponential moving average of a model's parameters and buffers."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval()
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        new = model.state_dict()
        for key, value in self.model.state_dict().items():
            if value.is_floating_point():
                value.lerp_(new[key], 1 - decay)
            else:
                value.copy_(new[key])


def train_images(
    model: DualEncoder,
    pool: CaptionPool,
    train: Pictures,
    image: ImageConfig,
    config: dict[str, Any],
    validate: Any,
) -> DualEncoder:
    """Train image tower, text head and logit scale; the text transformer stays frozen.

    A picture and a caption belong together to the degree that annotators voted for the caption's
    emotion: these are the soft targets of the symmetric contrastive loss.

    Parameters
    ----------
    model : DualEncoder
        Trained in place.
    pool : CaptionPool
    train : Pictures
    image : ImageConfig
    config : dict
        Recipe section ``images``.
    validate : callable
        Gets the averaged model after each epoch, returns a dict of figures to log.

    Returns
    -------
    DualEncoder
        The moving average of the weights.
    """
    pictures = torch.from_numpy(train.images)
    votes = torch.from_numpy(train.votes)
    weights = _balanced(train, config["balance"])
    size, per_image = config["batch_size"], config["captions_per_image"]
    steps = len(train) // size
    total = steps * sum(epochs for _, epochs in config["sizes"])

    model.towers.visual.to(memory_format=torch.channels_last)
    learners = nn.ModuleDict(
        {"visual": model.towers.visual, "text_head": model.towers.text_head}
    )
    learners.logit_scale = model.logit_scale
    optimiser = adamw(learners, config["lr"], config["weight_decay"])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, cosine_lambda(config["warmup"], total))
    average = _Average(learners, config["ema"])
    averaged = copy.deepcopy(model).eval()
    encode = torch.compile(model.encode_frames, dynamic=False) if config["compile"] else model.encode_frames

    start, done, running, epoch = time.monotonic(), 0, 0.0, 0
    for side, epochs in config["sizes"]:
        for _ in range(epochs):
            learners.train()
            order = torch.multinomial(weights, steps * size, replacement=True)
            for rows in order.view(steps, size):
                views = augment(pictures[rows], image, side)
                frames = encode(views.contiguous(memory_format=torch.channels_last))
                classes = torch.multinomial(votes[rows], per_image, replacement=True).flatten()
                text = model.towers.text_head(pool.draw(classes, config["text_noise"]))
                targets = votes[rows][:, classes]
                loss = contrastive_loss(frames, text, model.logit_scale, targets)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
                with torch.no_grad():
                    model.logit_scale.clamp_(0, 4.6052)  # CLIP's bound: a scale of 100
                average.update(learners)
                done += 1
                running += (loss.item() - running) / min(done, 100)
                if done % 50 == 0:
                    log.info(
                        "images: epoch %d at %d px, step %d/%d, loss %.3f, scale %.1f, %.0f s",
                        epoch, side, done, total, running, model.logit_scale.exp().item(),
                        time.monotonic() - start,
                    )
            averaged.towers.visual.load_state_dict(average.model["visual"].state_dict())
            averaged.towers.text_head.load_state_dict(average.model["text_head"].state_dict())
            averaged.logit_scale.data.copy_(average.model.logit_scale)
            log.info("images: epoch %d, valid: %s", epoch, validate(averaged))
            epoch += 1
    return averaged


def _balanced(train: Pictures, power: float) -> Tensor:
    """Weights that draw a picture in proportion to (class size) ** -power."""
    counts = np.bincount(train.labels, minlength=len(train.classes)).clip(1)
    return torch.from_numpy((counts[train.labels] / counts.max()) ** -power)


def frame_embeddings(
    model: DualEncoder, pictures: Tensor, image: ImageConfig, views: int
) -> Tensor:
    """Embed `views` random views of each picture: (N, views, D)."""
    out = []
    with torch.inference_mode():
        for part in pictures.split(256):
            drawn = [augment(part, image, image.size) for _ in range(views)]
            out.append(torch.stack([model.encode_frames(d) for d in drawn], dim=1))
    return torch.cat(out).clone()


def train_temporal(
    model: DualEncoder,
    pool: CaptionPool,
    train: Pictures,
    image: ImageConfig,
    config: dict[str, Any],
) -> None:
    """Train the temporal module in place on sequences made from still pictures.

    A sequence holds random views of one picture; in part of them the expression has an onset and
    an end, and neutral frames around it. The caption belongs to the expression, so the module
    learns to weigh expressive frames over neutral ones. A second term keeps the clip embedding
    near the mean embedding of the expressive frames, so that directions which no caption names
    survive. The text head is tuned along, because the image tower learned from the teacher's
    embeddings and the shipped text tower is its student.
    """
    log.info("temporal: embedding %d views of %d pictures", config["views"], len(train))
    model.eval()
    frames = frame_embeddings(model, torch.from_numpy(train.images), image, config["views"])
    votes = torch.from_numpy(train.votes)
    neutral = torch.from_numpy((train.votes[:, 0] > 0.7).nonzero()[0])
    weights = _balanced(train, 0.5)
    deviation = frames.flatten(0, 1).std(dim=0)
    size, longest = config["batch_size"], config["longest"]

    for parameter in model.parameters():
        parameter.requires_grad_(False)
    temporal = model.temporal.requires_grad_(True).train()
    text_head = model.towers.text_head.requires_grad_(True)
    with torch.no_grad():  # N(0, 1) of the reference would drown small towers' embeddings
        temporal.cls_token.mul_(0.02)
        temporal.positions.mul_(0.02)
    learners = nn.ModuleList([temporal, text_head])
    optimiser = adamw(learners, config["lr"], config["weight_decay"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, cosine_lambda(config["warmup"], config["steps"])
    )
    running, start = 0.0, time.monotonic()
    for step in range(1, config["steps"] + 1):
        rows = torch.multinomial(weights, size)
        t = int(torch.randint(1, longest + 1, ()))
        length = torch.randint(1, t + 1, (size,))
        clips, mask, expressive = _sequences(frames, rows, neutral, t, length, config["neutral"])
        clips = clips + torch.randn_like(clips) * deviation * config["frame_noise"]
        classes = torch.multinomial(votes[rows], 1).flatten()
        text = text_head(pool.draw(classes, config["text_noise"]))
        mean = (F.normalize(clips, dim=-1) * expressive.unsqueeze(-1)).sum(1)
        video = temporal(clips, mask)
        loss = contrastive_loss(video, text, model.logit_scale, votes[rows][:, classes])
        loss = loss + config["keep"] * (1 - F.cosine_similarity(video, mean)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learners.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        running += (loss.item() - running) / min(step, 100)
        if step % 100 == 0:
            log.info(
                "temporal: step %d/%d, loss %.3f, %.0f s",
                step, config["steps"], running, time.monotonic() - start,
            )
    model.eval()


def _sequences(
    frames: Tensor, rows: Tensor, neutral: Tensor, t: int, length: Tensor, share: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Lay out clips of at most `t` frames.

    Returns clips (B, t, D), which frames exist (B, t) and which are expressive (B, t).
    """
    b, views = len(rows), frames.shape[1]
    at = torch.arange(t)
    mask = at < length[:, None]
    picks = torch.randint(views, (b, t))
    clips = frames[rows[:, None], picks]
    onset = (torch.rand(b) * length * 0.75).long()
    end = onset + 1 + (torch.rand(b) * (length - onset)).long()
    inside = (at >= onset[:, None]) & (at < end[:, None])
    whole = (torch.rand(b) >= share) | (length < 3)
    expressive = (inside | whole[:, None]) & mask
    calm = neutral[torch.randint(len(neutral), (b,))]
    clips = torch.where(expressive[..., None], clips, frames[calm[:, None], picks])
    return clips, mask, expressive
