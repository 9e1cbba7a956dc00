"""Measures one model on one fold, and keeps what it measured."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....checkpoints import BASELINES, EMBEDDED
from ....errors import DatasetError
from ....model import EmoCLIP
from ....prompts import CompoundMode
from ...data.cache import FrameCache
from ...data.datasets import DATASETS, Clip, ClipDataset, DatasetTask, open_clips
from ...data.trained_on import Overlap, read_trained_on
from ...evaluation import (
    FrameMode,
    blind_scores,
    class_vectors,
    clip_embeddings,
    labeled,
    measure_clips,
    zero_shot_scores,
)
from ...evaluation.frames import clip_frames
from ..classifier import evaluate_classifier
from .inputs import checkpoint_hash, clips_hash, files_hash, texts_hash
from .loco import left_out_figures
from .published import published
from .roots import MissingInput, Roots
from .store import cached_result

__all__ = ["Bench", "Request"]

_FORMAT = 2
_SPLIT = "test"


@dataclass(frozen=True)
class Request:
    """What to measure.

    Attributes
    ----------
    model : str
        A key of ``published.yaml``, or ``majority``.
    model_fold : int, optional
        Fold of the model, where it isn't the dataset's: AFEW and FERV39K have one, and are measured
        with the model of each fold of MAFW.
    """

    model: str
    dataset: str
    fold: int = 1
    task: DatasetTask = "single"
    prompts: str = "bank"
    frames: FrameMode = "temporal"
    compound: CompoundMode = "average"
    one_text: bool = False
    model_fold: int | None = None


class Bench:
    """Measures, each thing once: a result whose inputs are unchanged is read from the folder.

    Parameters
    ----------
    roots : Roots
    folder : Path
        One JSON file for each measurement.
    cache : FrameCache
        Frame embeddings, which many measurements share.
    device : str
    workers : int
        Processes that read video.
    draws, seed : int
        Of the bootstrap.
    reference : bool
        Measure as the authors do: one description of each class, and one random window of each
        clip in place of all of it.
    """

    def __init__(
        self,
        roots: Roots,
        folder: Path,
        cache: FrameCache,
        *,
        device: str = "auto",
        workers: int = 0,
        draws: int = 1000,
        seed: int = 0,
        reference: bool = False,
    ) -> None:
        self.roots = roots
        self.folder = folder
        self.cache = cache
        self.device = device
        self.workers = workers
        self.draws = draws
        self.seed = seed
        self.reference = reference
        self._datasets: dict[tuple[str, int, DatasetTask], ClipDataset] = {}
        self._model: tuple[str, EmoCLIP] | None = None
        self._frames: tuple[Any, list[NDArray[np.float32]]] | None = None

    def dataset(self, name: str, fold: int, task: DatasetTask) -> ClipDataset:
        """Open a fold, once.

        Raises
        ------
        MissingInput
            No root is given.
        DatasetError
            It is not as it should be.
        """
        key = (name, fold, task)
        if key not in self._datasets:
            root = self.roots.dataset(name)
            self._datasets[key] = open_clips(name, root, fold=fold, task=task)
        return self._datasets[key]

    def requests(
        self, dataset: str, task: DatasetTask, measure: Mapping[str, Any]
    ) -> dict[int, Request]:
        """Return what to measure of a row, by fold: of the dataset, or else of the model."""
        folds = DATASETS[dataset].folds
        if len(folds) == 1 and self.roots.by_fold(measure["model"], dataset):
            one = Request(dataset=dataset, fold=folds[0], task=task, **measure)
            return {
                fold: dataclasses.replace(one, model_fold=fold) for fold in DATASETS["mafw"].folds
            }
        return {fold: Request(dataset=dataset, fold=fold, task=task, **measure) for fold in folds}

    def measures_ours(self, model: str) -> bool:
        """Whether a row that the paper doesn't have is measured: beside no reference."""
        return model in self.roots.models and not self.reference

    def measure(self, request: Request) -> dict[str, Any]:
        """Return the figures of a request, see :func:`~emoclip_sdk.training.evaluation.measure`.

        Raises
        ------
        MissingInput
            A dataset or model is not there.
        EmoCLIPError
            One that is there can't be used.
        """
        dataset = self.dataset(request.dataset, request.fold, request.task)
        clips = labeled(dataset.splits.get(_SPLIT, ()))
        prompts = self.roots.prompts if request.prompts == "bank" else request.prompts
        request = dataclasses.replace(request, prompts=prompts)
        if self.reference:
            # Templates are averaged, by the authors, too.
            request = dataclasses.replace(
                request,
                one_text=request.prompts != "templates",
                frames="window" if request.frames == "temporal" else request.frames,
            )
        about, work = self._plan(request, dataset, clips)
        inputs = {
            "format": _FORMAT,
            **dataclasses.asdict(request),
            **about,
            "split": _SPLIT,
            "clips": clips_hash(clips, dataset.classes),
            "bootstrap": [self.draws, self.seed],
        }
        fold = request.model_fold or request.fold
        parts = (request.dataset, request.task, f"fold{fold}", request.model)
        return cached_result(self.folder, "-".join((*parts, request.frames)), inputs, work)

    def projection(
        self, request: Request, project: Callable[[NDArray[np.float32]], dict[str, Any]]
    ) -> dict[str, Any]:
        """Apply `project` to the video embeddings (N, D) of a test split.

        Returns
        -------
        dict
            What `project` returns, and ``clips``, ``labels`` and ``classes`` of the N clips: those
            that can be read and show a face.

        Raises
        ------
        MissingInput, EmoCLIPError
            As :meth:`measure`.
        """
        dataset = self.dataset(request.dataset, request.fold, request.task)
        clips = labeled(dataset.splits.get(_SPLIT, ()))
        where = self.roots.model(request.model, request.dataset, request.model_fold or request.fold)
        inputs = {
            "format": _FORMAT,
            **dataclasses.asdict(request),
            "weights": checkpoint_hash(where),
            "clips": clips_hash(clips, dataset.classes),
        }

        def work() -> dict[str, Any]:
            model = self.model(where)
            frames = self.frames(model, request, clips, dataset.cropped)
            video = clip_embeddings(model, frames, request.frames)
            rows = np.flatnonzero(np.isfinite(video).all(axis=1))
            usable = [clips[i] for i in rows]
            return {
                **project(video[rows]),
                "clips": [clip.id for clip in usable],
                "labels": [clip.label for clip in usable],
                "classes": list(dataset.classes),
            }

        return cached_result(self.folder, f"figure3-{request.model}-{request.frames}", inputs, work)

    def model(self, name: str) -> EmoCLIP:
        """Load a model; the last one is held."""
        if self._model is None or self._model[0] != name:
            self._model = self._frames = None
            self._model = (name, EmoCLIP.from_pretrained(name, device=self.device))
        return self._model[1]

    def frames(
        self, model: EmoCLIP, request: Request, clips: list[Clip], cropped: bool
    ) -> list[NDArray[np.float32]]:
        """Return frame embeddings; those of the last model and split are held."""
        key = (id(model), request.dataset, request.fold, request.task)
        if self._frames is None or self._frames[0] != key:
            embeddings = clip_frames(
                model, clips, self.cache, cropped=cropped, workers=self.workers
            )
            self._frames = (key, embeddings)
        return self._frames[1]

    def _plan(
        self, request: Request, dataset: ClipDataset, clips: list[Clip]
    ) -> tuple[dict[str, Any], Callable[[], dict[str, Any]]]:
        """Return what decides the result, found out without loading a model, and how to get it."""
        options: dict[str, Any] = {"draws": self.draws, "seed": self.seed}
        if request.model == "majority":
            train = dataset.splits.get("train", ())
            counts = np.bincount([c.label for c in train if c.label is not None])

            def blind() -> dict[str, Any]:
                scores = blind_scores("majority", train, len(clips), len(dataset.classes))
                return measure_clips(scores, clips, dataset.classes, **options)

            return {"train": counts.tolist()}, blind
        where = self.roots.model(request.model, request.dataset, request.model_fold or request.fold)
        kind, folder = published().models[request.model].kind, Path(where)
        if kind == "loco":
            files: dict[str, Any] = {"weights": files_hash(folder / "metrics.json")}
            return files, lambda: left_out_figures(folder, clips, dataset.classes, **options)
        trained_on = read_trained_on(where)
        met = None if trained_on is None else trained_on.overlap(request.dataset, clips)
        overlap = None if met is None else [np.flatnonzero(side).tolist() for side in met]
        if kind == "probe":
            digest = files_hash(folder / "classifier.json", folder / "classifier.safetensors")
            about = {"weights": digest, "overlap": overlap}
            return about, lambda: self._probe(folder, dataset, clips, met)

        def zero_shot() -> dict[str, Any]:
            model = self.model(where)
            vectors = class_vectors(
                model,
                dataset.classes,
                request.prompts,
                request.compound,
                one_text=request.one_text,
            )
            frames = self.frames(model, request, clips, dataset.cropped)
            video = clip_embeddings(model, frames, request.frames)
            scores = zero_shot_scores(model, video, vectors)
            return measure_clips(scores, clips, dataset.classes, overlap=met, **options)

        texts = texts_hash(
            where, dataset.classes, request.prompts, request.compound, request.one_text
        )
        about = {"weights": checkpoint_hash(where), "texts": texts, "overlap": overlap}
        return about, zero_shot

    def _probe(
        self,
        folder: Path,
        dataset: ClipDataset,
        clips: list[Clip],
        met: Overlap | None,
    ) -> dict[str, Any]:
        model = self.model(self._encoder(folder))
        mode: FrameMode = "window" if self.reference else "temporal"
        result = evaluate_classifier(
            folder, model, dataset, _SPLIT, self.cache, frames=mode, workers=self.workers
        )
        scores = np.asarray(result["probabilities"], np.float64)
        return measure_clips(
            scores, clips, dataset.classes, overlap=met, draws=self.draws, seed=self.seed
        )

    def _encoder(self, folder: Path) -> str:
        """Return the model that a probe was trained on; its weights are checked later."""
        path = folder / "classifier.json"
        try:
            name = str(json.loads(path.read_text(encoding="utf-8"))["encoder"]["name"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path}: doesn't name the probe's encoder ({error!r})") from error
        for place in (self.roots.path.parent / name, Path(name)):
            if place.is_dir():
                return str(place)
        if name in (EMBEDDED, *BASELINES):
            return name
        raise MissingInput(f"{path}: the probe's encoder '{name}' is not there")
