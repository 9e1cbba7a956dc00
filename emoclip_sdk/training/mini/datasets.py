"""Datasets of the recipe `mini`: what to train on, and what to measure on the way."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config import CalibrationConfig, ModelConfig
from ...errors import DatasetError
from ...inference.scorer import cosine_similarities
from ...model import EmoCLIP
from ...prompts import LabelEncoder, PromptBank
from ..data.datasets import ClipDataset, with_validation
from ..data.ferplus import load_ferplus
from ..data.frames import FrameSelection, read_clip_crops
from ..data.measured_actions import facial_actions
from ..evaluation import class_vectors, recalls
from ..evaluation.calibration import fit_calibration
from .captioned_clips import CaptionedClips
from .heads import LUMA, PosedHeads, TalkingHeads
from .settings import CalibrationSettings, CaptionSettings
from .training_set import TextEncoder, TrainingSet
from .voted_pictures import VotedPictures

__all__ = ["CaptionedDataset", "FerPlusDataset", "MiniDataset"]

log = logging.getLogger(__name__)

# From gray clips, each (T, S, S) uint8, and from texts to embeddings (N, D), unnormalized.
ClipEncoder = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]
Texts = Callable[[list[str]], NDArray[np.float32]]
# Gray pictures (P, S, S) to what the landmark network measures on them, (P, F).
Shapes = Callable[[NDArray[np.uint8]], Tensor]

VALID_SHARE = 0.1


class MiniDataset(Protocol):
    """A dataset with a training and a validation split."""

    @property
    def identity(self) -> dict[str, Any]:
        """What tells it from another one: JSON types."""
        ...

    @property
    def emotions(self) -> tuple[str, ...]:
        """Which emotions got votes; none where captions are sentences."""
        ...

    @property
    def size(self) -> int:
        """Side of the pictures in pixels."""
        ...

    @property
    def at_rest(self) -> NDArray[np.uint8]:
        """Training pictures of faces that show nothing, in random order: (N, S, S), maybe none."""
        ...

    def training_set(
        self,
        encode: TextEncoder,
        device: torch.device,
        shapes: Shapes,
        posed: PosedHeads | None = None,
        share: float = 0.0,
        talking: TalkingHeads | None = None,
    ) -> TrainingSet:
        """Return the training split on `device`, with captions read by `encode`.

        With heads that pose its emotions; they are `share` of what is drawn. With captions for
        heads that talk, too.
        """
        ...

    def validate(self, clips: ClipEncoder, texts: Texts) -> dict[str, float]:
        """Return figures of the validation split during training; ``score`` compares epochs."""
        ...

    def measure(self, model: EmoCLIP) -> dict[str, dict[str, float]]:
        """Return the validation figures of a finished model, for its card."""
        ...

    def calibrate(self, model: EmoCLIP, settings: CalibrationSettings) -> CalibrationConfig:
        """Fit the calibration of a finished model, see :func:`fit_calibration`."""
        ...


class FerPlusDataset:
    """FER+ with generated captions.

    Parameters
    ----------
    root : str or Path
        ``ferplus.npz``.
    settings : CaptionSettings
    seed : int
        Of the captions.
    left_out : str, optional
        A class whose pictures, votes and captions training does not see. Validation is on all.

    Raises
    ------
    DatasetError
        The file can't be read; there is no such class.
    """

    def __init__(
        self, root: str | Path, settings: CaptionSettings, seed: int, left_out: str | None = None
    ) -> None:
        self.train = load_ferplus(root, "train")
        if left_out is not None:
            self.train = self.train.without(left_out)
        self.valid = load_ferplus(root, "valid")
        self.settings, self.seed, self.left_out = settings, seed, left_out
        self._embedded: tuple[EmoCLIP, NDArray[np.float32]] | None = None

    @property
    def identity(self) -> dict[str, Any]:
        parts = (self.train.images, self.train.votes, self.valid.images, self.valid.votes)
        return {"name": "ferplus", "left out": self.left_out, "pictures and votes": _digest(parts)}

    @property
    def emotions(self) -> tuple[str, ...]:
        counts = self.train.votes.sum(axis=0)
        return tuple(name for name, n in zip(self.train.classes, counts, strict=True) if n)

    @property
    def size(self) -> int:
        return int(self.train.images.shape[1])

    @property
    def at_rest(self) -> NDArray[np.uint8]:
        return np.random.default_rng(self.seed).permutation(self.train.at_rest)

    def training_set(
        self,
        encode: TextEncoder,
        device: torch.device,
        shapes: Shapes,
        posed: PosedHeads | None = None,
        share: float = 0.0,
        talking: TalkingHeads | None = None,
    ) -> TrainingSet:
        captions, actions = self.settings, None
        if captions.actions:
            measured = shapes(self.train.images)
            if posed is not None:
                measured = torch.cat([measured, posed.shapes.to(measured)])
            if talking is not None:
                measured = torch.cat([measured, talking.shapes.to(measured).mean(dim=1)])
            actions = facial_actions(measured)
        return VotedPictures(
            self.train,
            encode,
            words=captions.words,
            pool=captions.pool,
            prior=captions.prior,
            seed=self.seed,
            device=device,
            actions=actions,
            sentences=captions.actions,
            states=captions.states,
            posed=posed,
            share=share,
            talking=talking,
        )

    def validate(self, clips: ClipEncoder, texts: Texts) -> dict[str, float]:
        labels, _ = LabelEncoder(PromptBank.default(), texts).embed(self.valid.classes)
        video = clips(list(self.valid.images[:, None]))
        predicted = cosine_similarities(video, labels).argmax(axis=1)
        figures = recalls(predicted, self.valid.labels, self.valid.classes)
        return {"score": figures["uar"], "war": figures["war"], "uar": figures["uar"]}

    def measure(self, model: EmoCLIP) -> dict[str, dict[str, float]]:
        figures = {}
        for prompts in ("bank", "words"):
            text = class_vectors(model, self.valid.classes, prompts)
            predicted = cosine_similarities(self._video(model), text).argmax(axis=1)
            measured = recalls(predicted, self.valid.labels, self.valid.classes)
            figures[f"FER+ valid, 8 classes, prompts: {prompts}"] = {
                "WAR": round(measured["war"], 4),
                "UAR": round(measured["uar"], 4),
                "n": len(self.valid),
            }
        return figures

    def calibrate(self, model: EmoCLIP, settings: CalibrationSettings) -> CalibrationConfig:
        text = class_vectors(model, self.valid.classes)
        similarities = cosine_similarities(self._video(model), text)
        scale = model.encoder.logit_scale
        return fit_calibration(
            similarities,
            self.valid.labels,
            scale,
            settings.keep,
            settings.tell,
            settings.caution,
        )

    def _video(self, model: EmoCLIP) -> NDArray[np.float32]:
        """Embed the validation pictures as clips of one frame; those of the last model are kept."""
        if self._embedded is None or self._embedded[0] is not model:
            frames = model.embed_crops(np.repeat(self.valid.images[..., None], 3, axis=3))
            video = model.encoder.pool(frames, np.arange(len(frames))[:, None].tolist())
            self._embedded = model, video
        return self._embedded[1]


class CaptionedDataset:
    """Clips that come with captions, from any dataset that ``open_clips`` opens.

    Faces are found and cropped as the model does it, unless the clips are crops already. What has
    no caption is left alone; what can't be read or shows no face is reported and left out.

    Parameters
    ----------
    dataset : ClipDataset
    config : ModelConfig
        Sampling, faces and crop size.
    seed : int
        Of the validation split, where one has to be cut from training.

    Raises
    ------
    DatasetError
        No clip with a caption can be used.
    """

    def __init__(self, dataset: ClipDataset, config: ModelConfig, seed: int) -> None:
        self.name = dataset.name
        dataset = with_validation(dataset, VALID_SHARE, seed)
        left_out = [str(problem) for problem in dataset.problems]
        self.clips: dict[str, list[NDArray[np.uint8]]] = {"train": [], "valid": []}
        self.captions: dict[str, list[str]] = {"train": [], "valid": []}
        for split, clips in self.clips.items():
            captioned = [c for c in dataset.splits.get(split, ()) if c.caption]
            requests = [(row, FrameSelection()) for row in range(len(captioned))]
            stream = read_clip_crops(captioned, config, requests, cropped=dataset.cropped)
            for clip, crops in zip(captioned, stream, strict=True):
                if crops.problem:
                    left_out.append(crops.problem)
                    continue
                images = crops.images[: config.sampling.n_frames].numpy()
                clips.append(np.rint(images @ LUMA).astype(np.uint8))
                self.captions[split].append(str(clip.caption))
        for reason in left_out:
            log.warning("left out: %s", reason)
        for split, clips in self.clips.items():
            if not clips:
                raise DatasetError(
                    f"{self.name}: no usable clip with a caption in the split '{split}'"
                )

    @property
    def identity(self) -> dict[str, Any]:
        parts = [array for split in self.clips.values() for array in split]
        captions = json.dumps(self.captions).encode()
        return {
            "name": self.name,
            "clips": _digest(parts),
            "captions": hashlib.sha256(captions).hexdigest()[:16],
        }

    @property
    def emotions(self) -> tuple[str, ...]:
        return ()

    @property
    def size(self) -> int:
        return int(self.clips["train"][0].shape[1])

    @property
    def at_rest(self) -> NDArray[np.uint8]:
        return np.zeros((0, self.size, self.size), np.uint8)  # captions don't say who is neutral

    def training_set(
        self,
        encode: TextEncoder,
        device: torch.device,
        shapes: Shapes,
        posed: PosedHeads | None = None,
        share: float = 0.0,
        talking: TalkingHeads | None = None,
    ) -> TrainingSet:
        return CaptionedClips(self.clips["train"], self.captions["train"], encode, device=device)

    def validate(self, clips: ClipEncoder, texts: Texts) -> dict[str, float]:
        captions = self.captions["valid"]
        distinct = list(dict.fromkeys(captions))
        similarities = cosine_similarities(clips(self.clips["valid"]), texts(distinct))
        nearest = [distinct[i] for i in similarities.argmax(axis=1)]
        recall = float(np.mean([a == b for a, b in zip(nearest, captions, strict=True)]))
        return {"score": recall, "recall@1": recall, "captions": len(distinct)}

    def measure(self, model: EmoCLIP) -> dict[str, dict[str, float]]:
        def embed(clips: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
            rows = np.cumsum([0, *map(len, clips)])
            crops = np.repeat(np.concatenate(list(clips))[..., None], 3, axis=3)
            windows = [list(range(a, b)) for a, b in itertools.pairwise(rows)]
            return model.encoder.pool(model.embed_crops(crops), windows)

        figures = self.validate(embed, model.embed_text)
        return {
            "caption retrieval, validation split": {
                "recall@1": round(figures["recall@1"], 4),
                "captions": figures["captions"],
            }
        }

    def calibrate(self, model: EmoCLIP, settings: CalibrationSettings) -> CalibrationConfig:
        return CalibrationConfig()  # sentences are no classes: there is nothing to fit on


def _digest(arrays: Iterable[NDArray[Any]]) -> str:
    """Return a number for the content of arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
