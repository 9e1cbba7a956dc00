"""Clip embeddings of a study's interviews, kept on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import DatasetError, VideoError
from ...inference.options import FaceMode, ReadOptions, face_config
from ...model import EmoCLIP
from ...probes.interview import EmbeddedInterview, interview_clips, read_interview
from ...runtime.metering import numbered, open_progress
from ...runtime.progress import ProgressOption
from ..data.cache import FrameCache, clip_identity, weights_hash
from ..data.datasets.clips import Clip
from .manifest import Interview, Study

__all__ = ["StudyClips", "embed_study"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyClips:
    """Clips of all interviews, one interview after the other.

    Attributes
    ----------
    vectors : ndarray, (M, D)
        Unnormalized.
    starts : ndarray, (N + 1,)
        Row at which each interview begins; the last one is M.
    encoder : dict
        ``name`` and ``weights`` of the model, None where nothing says it.
    """

    vectors: NDArray[np.float32]
    starts: NDArray[np.intp]
    encoder: dict[str, str | None]

    def of(self, row: int) -> NDArray[np.float32]:
        """Return the clips (W, D) of one interview."""
        return self.vectors[self.starts[row] : self.starts[row + 1]]

    @cached_property
    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean of the clips and of their squares, each (N, D), for each interview by itself."""
        parts = [self.of(row).astype(np.float64) for row in range(len(self.starts) - 1)]
        first = np.stack([part.mean(axis=0) for part in parts])
        return first, np.stack([(part**2).mean(axis=0) for part in parts])


def embed_study(
    study: Study,
    load: Callable[[], EmoCLIP],
    cache: FrameCache,
    *,
    faces: FaceMode | None = None,
    progress: ProgressOption = None,
) -> tuple[Study, StudyClips, list[str]]:
    """Embed the interviews, or read what was embedded before.

    Parameters
    ----------
    study : Study
    load : callable
        Gives the model; called only if an interview is a video.
    cache : FrameCache
        Gets one entry for each video.
    faces : {"detect", "none"}, optional
        See :func:`~emoclip_sdk.probes.interview.interview_clips`.
    progress : bool or callable, optional
        Told how far all interviews are.

    Returns
    -------
    study : Study
        The interviews that could be used.
    clips : StudyClips
    unusable : list of str
        The others, and why.

    Raises
    ------
    DatasetError
        Interviews were embedded by different models, or none is usable.
    """
    model: EmoCLIP | None = None
    key = weights = ""
    kept: list[Interview] = []
    embedded: list[EmbeddedInterview] = []
    unusable = []
    n, begun = len(study.interviews), time.monotonic()
    with open_progress(progress) as hook:
        for number, interview in enumerate(study.interviews):
            own = None if hook is None else numbered(hook, number, n, begun, interview.id)
            try:
                if interview.video.suffix.lower() == ".npz":
                    embeddings = read_interview(interview.video)
                else:
                    if model is None:
                        model = load()
                        key, weights = _key(model, faces), model.encoder.video_hash()
                    options = ReadOptions(faces, progress=own)
                    vectors = _embed(model, interview, cache, key, options)
                    embeddings = EmbeddedInterview(vectors, model.name, weights)
                    log.info("interview %d of %d: %s", number + 1, n, interview.id)
            except VideoError as error:
                unusable.append(str(error))
                continue
            if not len(embeddings.vectors):
                unusable.append(f"{interview.id}: no face was found")
                continue
            kept.append(interview)
            embedded.append(embeddings)
    for what in unusable:
        log.warning("left out: %s", what)
    if not embedded:
        raise DatasetError(f"{study.path}: no interview is usable. The first: {unusable[0]}")
    encoder = _one_encoder(kept, embedded)
    starts = np.cumsum([0, *(len(embeddings.vectors) for embeddings in embedded)])
    vectors = np.concatenate([embeddings.vectors for embeddings in embedded])
    study = dataclasses.replace(study, interviews=tuple(kept))
    return study, StudyClips(vectors, starts, encoder), unusable


def _embed(
    model: EmoCLIP, interview: Interview, cache: FrameCache, key: str, options: ReadOptions
) -> NDArray[np.float32]:
    name = clip_identity(Clip("interview", interview.video))
    vectors = cache.load(key, name)
    if vectors is None:
        new = interview_clips(model, interview.video, options)
        vectors = cache.store(key, name, torch.from_numpy(new))
    return vectors.float().numpy()


def _key(model: EmoCLIP, faces: FaceMode | None) -> str:
    """Hash what decides the clip embeddings of a file: weights, faces, crops, sampling."""
    config, network = model.config, model.encoder.network
    settings = {
        "format": "interview 1",
        "weights": weights_hash(torch.nn.ModuleList([network.towers.visual, network.temporal])),
        "image": dataclasses.asdict(config.image),
        "faces": dataclasses.asdict(face_config(config.faces, faces)),
        "sampling": [config.sampling.rate, config.sampling.n_frames, config.sampling.window],
    }
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _one_encoder(
    interviews: list[Interview], embedded: list[EmbeddedInterview]
) -> dict[str, str | None]:
    """Return the model that made all embeddings; refuse embeddings that do not belong together."""
    first = embedded[0]
    for interview, embeddings in zip(interviews, embedded, strict=True):
        same = embeddings.weights == first.weights
        if not same or embeddings.vectors.shape[1] != first.vectors.shape[1]:
            raise DatasetError(
                f"{interview.id}: was embedded by {_model_of(embeddings)}, {interviews[0].id} by "
                f"{_model_of(first)}. Embed all interviews of a study by the same model"
            )
    return {"name": first.encoder, "weights": first.weights}


def _model_of(embeddings: EmbeddedInterview) -> str:
    weights = f", weights {embeddings.weights}" if embeddings.weights else ""
    return (
        f"{embeddings.encoder or 'an unnamed model'} (width {embeddings.vectors.shape[1]}{weights})"
    )
