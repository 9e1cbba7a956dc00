"""Datasets as the recipe sees them: what to train on, and what to measure on the way."""

from __future__ import annotations

import csv
import itertools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config import CalibrationConfig, ModelConfig
from ..errors import DatasetError, VideoError
from ..model import EmoCLIP
from ..prompts import LabelEncoder, PromptBank
from ..scoring import cosine_similarities
from ..video import FrameFaces, MTCNNDetector, TrackTable, face_frames, most_prominent, open_video
from .calibrate import fit_calibration
from .data import CaptionedClips, TextEncoder, TrainingSet, VotedPictures
from .evaluation import class_vectors, evaluate_pictures, recalls
from .ferplus import load_ferplus

__all__ = ["CaptionFile", "FerPlus", "Source", "open_dataset"]

log = logging.getLogger(__name__)

# From grey clips, each (T, S, S) uint8, and from texts to embeddings (N, D), unnormalised.
ClipEncoder = Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float32]]
Texts = Callable[[list[str]], NDArray[np.float32]]


class Source(Protocol):
    """A dataset with a training and a validation split."""

    def training_set(self, encode: TextEncoder) -> TrainingSet:
        """Return the training split with captions read by `encode`."""
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


def open_dataset(name: str, root: str | Path, config: ModelConfig, recipe: Any) -> Source:
    """Open ``ferplus`` or ``captions``.

    Raises
    ------
    DatasetError
        Unknown name; a dataset that can't be read.
    """
    if name == "ferplus":
        return FerPlus(root, recipe)
    if name == "captions":
        return CaptionFile(root, config)
    raise DatasetError(f"{name}: no such dataset. There are: ferplus, captions")


class FerPlus:
    """FER+ with generated captions.

    Parameters
    ----------
    root : str or Path
        ``ferplus.npz``.
    recipe : dict
        Keys ``captions`` and ``seed``.
    """

    def __init__(self, root: str | Path, recipe: Any) -> None:
        self.train = load_ferplus(root, "train")
        self.valid = load_ferplus(root, "valid")
        self.recipe = recipe

    def training_set(self, encode: TextEncoder) -> TrainingSet:
        captions, seed = self.recipe["captions"], self.recipe["seed"]
        return VotedPictures(
            self.train, encode, pool=captions["pool"], words=captions["words"], seed=seed
        )

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


class CaptionFile:
    """A CSV file of pictures or clips with a caption each.

    Columns: ``path`` (relative to the file), ``caption``, ``split`` (``train`` or ``valid``).
    Faces are found and cropped as the model does it; a row without a face or that can't be read
    is reported and left out.

    Parameters
    ----------
    path : str or Path
        The CSV file.
    config : ModelConfig
        Sampling, faces and crop size.
    """

    def __init__(self, path: str | Path, config: ModelConfig) -> None:
        path = Path(path)
        detector = MTCNNDetector(config.faces) if config.faces.detector == "mtcnn" else None
        self.clips: dict[str, list[NDArray[np.uint8]]] = {"train": [], "valid": []}
        self.captions: dict[str, list[str]] = {"train": [], "valid": []}
        left_out = []
        for name, caption, split in _rows(path):
            try:
                clip = _face_clip(path.parent / name, config, detector)
            except VideoError as error:
                left_out.append(str(error))
                continue
            if clip is None:
                left_out.append(f"{name}: no face")
                continue
            self.clips[split].append(clip)
            self.captions[split].append(caption)
        for reason in left_out:
            log.warning("left out: %s", reason)
        for split, clips in self.clips.items():
            if not clips:
                raise DatasetError(f"{path}: no usable row of the split '{split}'")

    def training_set(self, encode: TextEncoder) -> TrainingSet:
        return CaptionedClips(self.clips["train"], self.captions["train"], encode)

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


def _rows(path: Path) -> list[tuple[str, str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"path", "caption", "split"} - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(f"{path}: the columns {sorted(missing)} are missing")
            rows = []
            for row in reader:
                name, caption, split = row["path"], row["caption"], row["split"]
                if not name or not (caption or "").strip() or split not in ("train", "valid"):
                    raise DatasetError(
                        f"{path}, line {reader.line_num}: needs a path, a caption, and train or "
                        f"valid as split; found {name!r}, {caption!r}, {split!r}"
                    )
                rows.append((name, caption.strip(), split))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: can't be read ({error})") from error
    return rows


def _face_clip(
    path: Path, config: ModelConfig, detector: MTCNNDetector | None
) -> NDArray[np.uint8] | None:
    """Return the most prominent face's crops in grey, (T, S, S), or None without a face."""
    size = config.image.crop_size or config.image.size
    frames = open_video(path).sample(config.sampling.rate)
    table, found = TrackTable(), list[FrameFaces]()
    for frame in face_frames(frames, config.faces, size=size, detector=detector):
        table.add(frame)
        found.append(frame)
    best = most_prominent(table.stats())
    if best is None:
        return None
    crops = [face.crop for frame in found for face in frame.faces if face.track == best.track]
    grey = np.stack(crops[: config.sampling.n_frames]) @ np.array([0.299, 0.587, 0.114])
    return np.asarray(grey.round().astype(np.uint8))
