"""What an experiment is made of: splits, cached frames, texts, validation."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import CheckpointError, DatasetError, EmoCLIPError
from ...model import EmoCLIP
from ...nn import build_tokenizer
from ...runtime.worker_pool import WorkerPool
from ..data.cache import (
    FrameCache,
    frame_embeddings,
    frame_shapes,
    pool_frames,
    weights_hash,
)
from ..data.datasets.clips import Clip, ClipDataset
from ..data.embed import View
from ..data.samples import CachedFrames, ClipSource, DecodedFrames
from ..data.shapes import fuse_frames, standardize
from ..engine.identity import claim_folder
from ..engine.plan import ShuffledPlan
from ..engine.precision import pick_precision
from ..engine.process import Process
from .settings import NOT_TOGETHER, ExperimentSettings
from .texts import TextTable
from .zero_shot import caption_figures, class_scores, label_figures

__all__ = [
    "Experiment",
    "encoded_texts",
    "split_embeddings",
    "training_source",
    "without_class",
    "zero_shot",
]

log = logging.getLogger(__name__)

_TEXTS_PER_BATCH = 256


@dataclass(frozen=True)
class Experiment:
    """One recipe on one dataset, in one run folder.

    Attributes
    ----------
    settings : ExperimentSettings
    recipe : dict
        The recipe as it was read, overrides included.
    dataset : ClipDataset
    folder : Path
        Run folder.
    process : Process
    workers : WorkerPool
        Read clips for training, validation and the cache.
    fold : int
        For the record; `dataset` is this fold already.
    """

    settings: ExperimentSettings
    recipe: dict[str, Any]
    dataset: ClipDataset
    folder: Path
    process: Process
    workers: WorkerPool
    fold: int = 1

    @property
    def cache(self) -> FrameCache:
        """The frame cache of this run, or the one that the recipe names."""
        data = self.settings.data
        folder = Path(data.cache).expanduser() if data.cache else self.folder / "cache"
        return FrameCache(folder, getattr(torch, data.cache_dtype))

    @property
    def frozen(self) -> bool:
        """Whether the image tower stays as it is, so that its embeddings can be kept."""
        return self.settings.optim.lr.visual is None

    def shape_learns(self, model: EmoCLIP) -> bool:
        """Whether the model has a shape stream that is trained, so that its word can't be kept.

        Raises
        ------
        EmoCLIPError
            The image tower learns, too, which is not possible together.
        """
        if model.config.shape is None or self.settings.experiment == "probe":
            return False
        if not self.frozen:
            raise EmoCLIPError(f"recipe: model.start: {NOT_TOGETHER}")
        return self.settings.optim.lr.shape is not None

    def splits(self) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
        """Return the clips to train on, and those by which the epoch is chosen.

        The latter are the dataset's validation split, or one cut from training. The test split is
        not looked at, unless the recipe asks for it.
        """
        dataset = self.dataset
        if not dataset.splits.get("train"):
            raise DatasetError(f"{dataset.name}: there is no clip to train on")
        if self.settings.selection.split == "test":
            log.warning("the epoch is chosen on the test split, as in the reference")
            return dataset.splits["train"], dataset.splits.get("test", ())
        if not dataset.splits.get("valid"):
            from ..data.datasets import with_validation

            data = self.settings.data
            dataset = with_validation(dataset, data.valid_share, self.settings.seed)
        return dataset.splits["train"], dataset.splits["valid"]

    def claim(self, model: EmoCLIP, train: Sequence[Clip], valid: Sequence[Clip]) -> None:
        """Write down what this run is, or compare it with what the folder holds.

        Raises
        ------
        EmoCLIPError
            The folder holds the state of another run; the message names what differs.
        """
        identity = self._identity(model, train, valid)
        claim_folder(self.folder, identity, self.recipe, self.process)

    def plan(self, samples: int) -> ShuffledPlan:
        """Return the order in which so many training samples are drawn."""
        optim, process = self.settings.optim, self.process
        return ShuffledPlan(
            samples=samples,
            batch_size=optim.batch_size,
            epochs=optim.epochs,
            seed=self.settings.seed,
            rank=process.rank,
            world=process.world,
        )

    def _identity(
        self, model: EmoCLIP, train: Sequence[Clip], valid: Sequence[Clip]
    ) -> dict[str, Any]:
        """Describe all that changes the result, in JSON types."""
        recipe = copy.deepcopy(self.recipe)
        for key in ("run", "training", "name"):
            recipe.pop(key, None)
        for key in ("workers", "cache"):
            (recipe.get("data") or {}).pop(key, None)
        digest = hashlib.sha256()
        for clip in (*train, *valid):
            digest.update(json.dumps([clip.id, clip.label, clip.caption]).encode())
        return {
            "recipe": recipe,
            "start": {
                "weights": weights_hash(model.encoder.network)[:16],
                "prompts": model.prompts.hash,
            },
            "processes": self.process.world,
            "dataset": {
                "name": self.dataset.name,
                "fold": self.fold,
                "classes": list(self.dataset.classes),
                "clips, labels and captions": digest.hexdigest()[:16],
            },
        }

    def embed_frames(
        self, model: EmoCLIP, clips: Sequence[Clip], view: View | None = None
    ) -> list[NDArray[np.float32]]:
        """Embed frames through the cache, (T, D); several processes share the work.

        With a shape stream that learns, by their pixels alone, and with shape features behind the
        embeddings, (T, D + F).
        """
        if self.process.world > 1:
            self._embed(model, self.process.share(list(clips)), view)
            self.process.barrier()
        return self._embed(model, clips, view)

    def _embed(
        self, model: EmoCLIP, clips: Sequence[Clip], view: View | None
    ) -> list[NDArray[np.float32]]:
        options: dict[str, Any] = dict(
            cropped=self.dataset.cropped, view=view, workers=self.workers
        )
        learns = self.shape_learns(model)
        frames = frame_embeddings(
            model,
            clips,
            self.cache,
            precision=pick_precision(self.settings.optim.precision, self.process.device),
            pixels_alone=learns,
            **options,
        )
        if not learns:
            return frames
        usable = [i for i, clip in enumerate(frames) if len(clip)]
        shapes = frame_shapes(model, [clips[i] for i in usable], self.cache, **options)
        for i, features in zip(usable, shapes, strict=True):
            frames[i] = np.concatenate([frames[i], features], axis=1)
        return frames


def training_source(
    experiment: Experiment, model: EmoCLIP, clips: Sequence[Clip]
) -> tuple[ClipSource, tuple[Clip, ...]]:
    """Return where training clips come from, and those that can be used.

    With a frozen image tower, all views are embedded now; clips without a face are left out.
    Otherwise clips are read in every epoch, and those that can't be used found out then. Either
    way the source knows them (:attr:`ClipSource.left_out`).
    """
    settings, device = experiment.settings, experiment.process.device
    learns = experiment.shape_learns(model)
    if not experiment.frozen:
        source = DecodedFrames(
            clips,
            model.config,
            cropped=experiment.dataset.cropped,
            augmentation=settings.data.augmentation,
            seed=settings.seed,
            workers=experiment.workers,
            device=device,
            window=settings.data.window,
        )
        return source, tuple(clips)
    views = []
    for number in range(settings.data.views):
        view = View(number, settings.data.augmentation, settings.seed)
        # As they are kept: in memory, too, half the size and nothing lost.
        frames = experiment.embed_frames(model, clips, view)
        views.append([clip.astype(settings.data.cache_dtype) for clip in frames])
    usable = [i for i in range(len(clips)) if all(len(view[i]) for view in views)]
    if not usable:
        raise DatasetError(f"{experiment.dataset.name}: no training clip could be read")
    kept = [[view[i] for i in usable] for view in views]
    stream = model.encoder.network.shape
    if learns and stream is not None and settings.model.shape is not None:
        standardize(stream, itertools.chain.from_iterable(kept))
    ids = [clips[i].id for i in usable]
    n_frames = model.config.sampling.n_frames
    left_out = {
        clip.id: f"{clip.id}: shows no face or can't be read"
        for i, clip in enumerate(clips)
        if i not in set(usable)
    }
    return (
        CachedFrames(kept, ids, n_frames, settings.seed, device, settings.data.window, left_out),
        tuple(clips[i] for i in usable),
    )


def encoded_texts(model: EmoCLIP, table: TextTable, frozen: bool) -> Tensor:
    """Return what the network takes for each text: tokens, or the frozen transformer's output.

    Raises
    ------
    CheckpointError
        The model has no text tower.
    """
    if not model.config.towers.text:
        raise CheckpointError(
            f"{model.name}: has no text tower, so there is nothing to train the clips with. Start "
            "from a model that has one"
        )
    tokens = build_tokenizer(model.config.towers)(table.texts)
    if not frozen:
        return tokens
    text, device = model.encoder.network.towers.text, model.encoder.device
    with torch.no_grad():
        parts = [text(part.to(device)).float().cpu() for part in tokens.split(_TEXTS_PER_BATCH)]
    return torch.cat(parts)


def split_embeddings(
    experiment: Experiment, model: EmoCLIP, clips: Sequence[Clip]
) -> Callable[[], NDArray[np.float32]]:
    """Return a function that embeds clips (N, D) by the network as it is when it is called."""
    if experiment.frozen:
        frames = experiment.embed_frames(model, clips)
        if experiment.shape_learns(model):
            return lambda: pool_frames(model, fuse_frames(model, frames))
        return lambda: pool_frames(model, frames)
    process, settings = experiment.process, experiment.settings

    def embed() -> NDArray[np.float32]:
        frames = frame_embeddings(
            model,
            process.share(list(clips)),
            cropped=experiment.dataset.cropped,
            workers=experiment.workers,
            precision=pick_precision(settings.optim.precision, process.device),
        )
        part = pool_frames(model, frames)
        out = np.zeros((len(clips), part.shape[1]), np.float32)
        for rank, rows in enumerate(process.gathered(part)):
            out[rank :: process.world] = rows
        return out

    return embed


def zero_shot(
    experiment: Experiment, model: EmoCLIP, clips: Sequence[Clip]
) -> Callable[[], dict[str, float]]:
    """Return the validation: UAR and WAR by class descriptions, or recall@1 of captions."""
    labeled = [clip for clip in clips if clip.label is not None]
    used = labeled or [clip for clip in clips if clip.caption]
    if not used:
        raise DatasetError(
            f"{experiment.dataset.name}: no validation clip has a label or a caption"
        )
    embed = split_embeddings(experiment, model, used)
    classes = experiment.dataset.classes
    one_text = experiment.settings.objective.one_text
    figure = experiment.settings.selection.figure

    def validate() -> dict[str, float]:
        model.encoder.network.eval()
        video = embed()
        if labeled:
            scores = class_scores(model, video, classes, one_text=one_text)
            return label_figures(scores, used, classes, figure)
        return caption_figures(model, video, [clip.caption or "" for clip in used])

    return validate


def without_class(dataset: ClipDataset, label: int, *, test: bool = False) -> ClipDataset:
    """Return a dataset without any clip of a class; the class itself stays in the list.

    With `test`, the test split is the clips of this class instead.
    """
    splits = {
        name: tuple(clip for clip in clips if (clip.label == label) == (test and name == "test"))
        for name, clips in dataset.splits.items()
    }
    return replace(dataset, splits=splits)
