"""The steps of the two objectives: contrastive (captions, class descriptions), and a classifier."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ...nn import DualEncoder, contrastive_loss
from ..data.samples import ClipBatch, ClipSource
from ..engine.optim import Amp
from ..engine.plan import Plan
from ..engine.process import Process, all_gather_rows
from .texts import TextTable

__all__ = ["ClassifierTask", "ContrastiveTask", "VideoText", "batch_loss"]


class VideoText(nn.Module):
    """Clips and texts to embeddings, in one forward pass as DistributedDataParallel wants it.

    Parameters
    ----------
    network : DualEncoder
    """

    def __init__(self, network: DualEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor, texts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embed a batch.

        Parameters
        ----------
        clips : Tensor
            Frame embeddings (B, T, D), the same with shape features behind them (B, T, D + F),
            or pictures (B, T, 3, H, W).
        texts : Tensor
            Tokens (B, L) int64, or the text transformer's embeddings (B, D).

        Returns
        -------
        video, text : Tensor, (B, D), float32
        logit_scale : Tensor, ()
        """
        cached, stream = clips.ndim == 3, self.network.shape
        if cached and stream is not None and clips.shape[-1] > self.network.width:
            clips = stream.fuse(clips)
        video = self.network.pool(clips) if cached else self.network.encode_video(clips)
        if texts.is_floating_point():
            text = self.network.towers.text_head(texts)
        else:
            text = self.network.encode_tokens(texts)
        return video.float(), text.float(), self.network.logit_scale


def batch_loss(
    video: Tensor, text: Tensor, logit_scale: Tensor, groups: Tensor | None, *, gather: bool
) -> Tensor:
    """Compute the contrastive loss of a batch that may be spread over processes.

    Parameters
    ----------
    video, text : Tensor, (B, D)
        This process's part.
    logit_scale : Tensor, ()
    groups : Tensor of int64, (B,), optional
        Rows of one number are positives of each other. None: row i of row i alone.
    gather : bool
        Join the rows of all processes first (open_clip's `gather_features`, with gradients).
        Every process then has the loss of the whole batch, and the mean of their gradients, as
        DistributedDataParallel takes it, is the gradient of the whole batch.
    """
    if gather and dist.is_initialized() and dist.get_world_size() > 1:
        from open_clip.loss import gather_features

        video, text = gather_features(
            video,
            text,
            gather_with_grad=True,
            rank=dist.get_rank(),
            world_size=dist.get_world_size(),
        )
        groups = None if groups is None else all_gather_rows(groups)
    targets = None
    if groups is not None:
        targets = (groups[:, None] == groups[None, :]).to(video.dtype)
    return contrastive_loss(video, text, logit_scale, targets)


@dataclass
class ContrastiveTask:
    """Clips against texts: `contrastive`, `supervised` and `loco`.

    Parameters
    ----------
    network : DualEncoder
        Frozen where nothing is to learn, on the device of `process`.
    source : ClipSource
    table : TextTable
    texts : Tensor
        Of all texts of `table`: tokens (M, L), or embeddings (M, D) of a frozen text tower.
    positives : {"own", "text", "class"}
    gather : bool
    pieces : int
        See `ExperimentOptimSettings.accumulate`.
    seed : int
    process : Process
    """

    network: DualEncoder
    source: ClipSource
    table: TextTable
    texts: Tensor
    positives: str
    gather: bool
    pieces: int
    seed: int
    process: Process

    def __post_init__(self) -> None:
        self.module: nn.Module = self.network
        self._wrapped = self.process.wrap(VideoText(self.network))

    def batches(self, plan: Plan) -> Iterator[tuple[ClipBatch, Tensor, Tensor | None]]:
        device = self.process.device
        for (epoch, _), clips in zip(plan, self.source.stream(plan), strict=True):
            rows = clips.rows
            drawn = torch.tensor([self.table.draw(row, self.seed, epoch) for row in rows])
            groups = None
            if self.positives == "text":
                groups = drawn.to(device)
            elif self.positives == "class":
                # A clip without a label is alone: numbers below 0 are no class.
                labels = [self.table.clips[row].label for row in rows]
                pairs = zip(rows, labels, strict=True)
                groups = torch.tensor([-1 - i if k is None else k for i, k in pairs]).to(device)
            yield clips, self.texts[drawn].to(device), groups

    def train(self) -> None:
        self.network.eval()
        for part in (self.network.towers.visual, self.network.towers.text, self.network.temporal):
            # Frozen parts keep their running statistics and their dropout off.
            part.train(any(p.requires_grad for p in part.parameters()))

    def backward(self, batch: tuple[ClipBatch, Tensor, Tensor | None], amp: Amp) -> Tensor:
        clips, texts, groups = batch
        if self.pieces == 1:
            whole = clips.part(slice(None))
            with amp.autocast():
                video, text, scale = self._wrapped(whole, texts)
            loss = batch_loss(video, text, scale, groups, gather=self.gather)
            amp.scaler.scale(loss).backward()
            return loss.detach()
        return self._in_pieces(clips, texts, groups, amp)

    def _in_pieces(
        self, clips: ClipBatch, texts: Tensor, groups: Tensor | None, amp: Amp
    ) -> Tensor:
        """Accumulate the gradient of the whole batch's loss.

        The embeddings of all pieces are computed without a graph; the loss of the whole batch
        gives the gradient of each embedding, which then goes through its piece's graph, one
        piece in memory at a time, from its pictures on (Gao et al. 2021, gradient caching).
        """
        ends = list(itertools.accumulate(len(part) for part in texts.chunk(self.pieces)))
        parts = [slice(start, end) for start, end in itertools.pairwise([0, *ends])]
        inner = VideoText(self.network)
        embedded = []
        for part in parts:
            pictures = clips.part(part)
            with torch.no_grad(), amp.autocast():
                embedded.append(inner(pictures, texts[part]))
        video = torch.cat([v for v, _, _ in embedded]).requires_grad_()
        text = torch.cat([t for _, t, _ in embedded]).requires_grad_()
        scale = self.network.logit_scale.detach().clone().requires_grad_()
        loss = batch_loss(video, text, scale, groups, gather=self.gather)
        amp.scaler.scale(loss).backward()
        assert video.grad is not None and text.grad is not None and scale.grad is not None
        gradients = zip(video.grad.chunk(self.pieces), text.grad.chunk(self.pieces), strict=True)
        for i, (part, (to_video, to_text)) in enumerate(zip(parts, gradients, strict=True)):
            last = i == len(parts) - 1
            pictures = clips.part(part)
            wait = isinstance(self._wrapped, DistributedDataParallel) and not last
            with self._wrapped.no_sync() if wait else nullcontext():  # type: ignore[operator]
                with amp.autocast():
                    v, t, s = self._wrapped(pictures, texts[part])
                through = (v * to_video).sum() + (t * to_text).sum()
                if last:
                    through = through + s * scale.grad
                through.backward()
        return loss.detach()


@dataclass
class ClassifierTask:
    """A classifier on the frozen video encoder, trained with cross-entropy.

    Parameters
    ----------
    network : DualEncoder
        Frozen.
    module : nn.Module
        The perceptron, in ``module.probe``.
    source : ClipSource
    labels : Tensor of int64, (n,)
    process : Process
    """

    network: DualEncoder
    module: nn.Module
    source: ClipSource
    labels: Tensor
    process: Process

    def __post_init__(self) -> None:
        self._wrapped = self.process.wrap(self.module)

    def batches(self, plan: Plan) -> Iterator[tuple[Tensor, Tensor]]:
        for clips in self.source.stream(plan):
            yield clips.part(slice(None)), self.labels[clips.rows].to(self.process.device)

    def train(self) -> None:
        self.module.train()

    def backward(self, batch: tuple[Tensor, Tensor], amp: Amp) -> Tensor:
        clips, labels = batch
        with amp.autocast():
            with torch.no_grad():
                video = self.network.pool(clips)
            logits = self._wrapped(video).float()
        loss = F.cross_entropy(logits, labels)
        amp.scaler.scale(loss).backward()
        return loss.detach()
