"""Datasets as the recipe sees them: what to train on, and what to measure on the way."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ...config import CalibrationConfig, ModelConfig
from ...errors import DatasetError
from ...inference.scorer import cosine_similarities
from ...model import EmoCLIP
from ...prompts import LabelEncoder, PromptBank
from ..data.datasets import open_clips, with_validation
from ..data.ferplus import load_ferplus
from ..data.frames import FrameSelection, read_clip_crops
from ..evaluation import class_vectors, evaluate_pictures, recalls
from ..evaluation.calibration import fit_calibration
from .actions import load_actions
from .samples import CaptionedClips, MeasuredPictures, TextEncoder, TrainingSet, VotedPictures

__all__ = ["Captioned", "FerPlus", "Source", "open_dataset"]

log = logging.getLogger(__name__)

# From grey clips, each (T, S, S) uint8, and from texts to embeddings (N, D), unnormalised.
ClipEncoder = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]
Texts = Callable[[list[str]], NDArray[np.float32]]

VALID_SHARE = 0.1
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as the model's "gray"


class Source(Protocol):
    """A dataset with a training and a validation split."""

    def training_set(self, encode: TextEncoder, device: torch.device) -> TrainingSet:
        """Return the training split on `device`, with captions read by `encode`."""
        ...

    def validate(self, clips: ClipEncoder, texts: Texts) -> dict[str, float]:
        """Return a few figures of the validation split, to be logged during training."""
        ...

    def measure(self, model: EmoCLIP) -> dict[str, dict[str, float]]:
        """Return the validation figures of a finished model, for its card."""
        ...

    def calibrate(self, model: EmoCLIP, keep: float) -> CalibrationConfig:
        """Fit the calibration of a finished model, see :func:`fit_calibration`."""
        ...


def open_dataset(
    name: str, root: str | Path, config: ModelConfig, recipe: Any, left_out: str | None = None
) -> Source:
    """Open ``ferplus``, whose captions are generated, or a dataset whose clips have captions.

    `left_out` names a class of FER+ that is not to be seen in training.

    Raises
    ------
    DatasetError
        Unknown name; a dataset that can't be read or has no captions, or no such class.
    """
    if name == "ferplus":
        return FerPlus(root, recipe, left_out)
    if left_out is not None:
        raise DatasetError(f"{name}: captions name no class that could be left out; FER+ can")
    return Captioned(name, root, config, recipe["seed"])


class FerPlus:
    """FER+ with generated captions.

    Parameters
    ----------
    root : str or Path
        ``ferplus.npz``.
    recipe : dict
        Keys ``captions`` and ``seed``.
    left_out : str, optional
        A class whose pictures, votes and captions training does not see. Validation is on all.
    """

    def __init__(self, root: str | Path, recipe: Any, left_out: str | None = None) -> None:
        self.train = load_ferplus(root, "train")
        if left_out is not None:
            self.train = self.train.without(left_out)
        self.valid = load_ferplus(root, "valid")
        self.recipe = recipe

    def training_set(self, encode: TextEncoder, device: torch.device) -> TrainingSet:
        captions = {**self.recipe["captions"], "seed": self.recipe["seed"], "device": device}
        measured = dict(captions.pop("measured"))
        if (file := measured.pop("file")) is None:
            return VotedPictures(self.train, encode, **captions)
        actions = load_actions(file, self.train.images)
        return MeasuredPictures(self.train, encode, **captions, **measured, actions=actions)

    def validate(self, clips: ClipEncoder, texts: Texts) -> dict[str, float]:
        labels, _ = LabelEncoder(PromptBank.default(), texts).embed(self.valid.classes)
        video = clips(list(self.valid.images[:, None]))
        predicted = cosine_similarities(video, labels).argmax(axis=1)
        figures = recalls(predicted, self.valid.labels, self.valid.classes)
        return {key: round(figures[key], 4) for key in ("war", "uar")}

    def measure(self, model: EmoCLIP) -> dict[str, dict[str, float]]:
        figures = {}
        for prompts in ("bank", "words"):
            found = evaluate_pictures(model, self.valid, prompts)
            figures[f"FER+ valid, 8 classes, prompts: {prompts}"] = {
                "WAR": round(found["war"], 4),
                "UAR": round(found["uar"], 4),
                "n": found["n"],
            }
        return figures

    def calibrate(self, model: EmoCLIP, keep: float) -> CalibrationConfig:
        frames = model.encoder.frames(np.repeat(self.valid.images[..., None], 3, axis=3))
        video = model.encoder.pool(frames, np.arange(len(frames))[:, None].tolist())
        similarities = cosine_similarities(video, class_vectors(model, self.valid.classes))
        return fit_calibration(similarities, self.valid.labels, model.encoder.logit_scale, keep)


class Captioned:
    """Clips that come with captions, from any dataset that :func:`open_clips` opens.

    Faces are found and cropped as the model does it, unless the clips are crops already. What has
    no caption is left alone; what can't be read or shows no face is reported and left out.

    Parameters
    ----------
    name, root : str, str or Path
        See :func:`~emoclip_sdk.training.data.datasets.open_clips`.
    config : ModelConfig
        Sampling, faces and crop size.
    seed : int
        Of the validation split, where one has to be cut from training.
    """

    def __init__(self, name: str, root: str | Path, config: ModelConfig, seed: int) -> None:
        dataset = with_validation(open_clips(name, Path(root)), VALID_SHARE, seed)
        left_out = [str(problem) for problem in dataset.problems]
        self.clips: dict[str, list[NDArray[np.uint8]]] = {"train": [], "valid": []}
        self.captions: dict[str, list[str]] = {"train": [], "valid": []}
        for split, clips in self.clips.items():
            captioned = [c for c in dataset.splits.get(split, ()) if c.caption]
            wanted = [(row, FrameSelection()) for row in range(len(captioned))]
            read = read_clip_crops(captioned, config, wanted, cropped=dataset.cropped)
            for clip, crops in zip(captioned, read, strict=True):
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
                raise DatasetError(f"{root}: no usable clip with a caption in the split '{split}'")

    def training_set(self, encode: TextEncoder, device: torch.device) -> TrainingSet:
        return CaptionedClips(self.clips["train"], self.captions["train"], encode, device=device)

    def validate(self, clips: ClipEncoder, texts: Texts) -> dict[str, float]:
        captions = self.captions["valid"]
        distinct = list(dict.fromkeys(captions))
        similarities = cosine_similarities(clips(self.clips["valid"]), texts(distinct))
        found = [distinct[i] for i in similarities.argmax(axis=1)]
        hits = [a == b for a, b in zip(found, captions, strict=True)]
        return {"recall@1": round(float(np.mean(hits)), 4), "captions": len(distinct)}

    def measure(self, model: EmoCLIP) -> dict[str, dict[str, float]]:
        def embed(clips: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
            rows = np.cumsum([0, *map(len, clips)])
            crops = np.repeat(np.concatenate(list(clips))[..., None], 3, axis=3)
            windows = [list(range(a, b)) for a, b in itertools.pairwise(rows)]
            return model.encoder.pool(model.encoder.frames(crops), windows)

        return {"caption retrieval, validation split": self.validate(embed, model.embed_text)}

    def calibrate(self, model: EmoCLIP, keep: float) -> CalibrationConfig:
        return CalibrationConfig()  # sentences are no classes: there is nothing to fit on
