"""From clips to the crops that training sees: which frames, whose face, and one transform per clip.

What is drawn for a clip depends on the seed, the epoch and the clip's id alone, so neither the
number of workers nor an interruption changes it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ...config import ModelConfig
from ...errors import VideoError
from ...faces import (
    Face,
    FaceShape,
    FrameFaces,
    MTCNNDetector,
    TrackTable,
    face_frames,
    most_prominent,
)
from ...faces.landmarks import FaceLandmarker
from ...runtime.worker_pool import WorkerPool
from ...video import Frame, inside, open_video, paper
from .datasets.clips import Clip

__all__ = [
    "Augmentation",
    "ClipCrops",
    "FrameSelection",
    "clip_crops",
    "clip_rng",
    "draw_transform",
    "fill_gaps",
    "read_clip_crops",
    "warp",
]


@dataclass(frozen=True)
class Augmentation:
    """One random transform for all frames of a clip, as the paper has it.

    Attributes
    ----------
    flip : float
        Probability of a horizontal flip.
    rotation : float
        Largest angle in degrees, either way.
    crop : float
        Smallest side of the random crop, as a share of the picture's side.
    """

    flip: float = 0.5
    rotation: float = 6.0
    crop: float = 0.85


@dataclass(frozen=True)
class FrameSelection:
    """Which frames of a clip.

    Attributes
    ----------
    mode : {"rate", "stride", "wrap", "inside"}
        "rate": those at k/rate, as the model reads any video. "stride": every `stride`-th of
        all. "wrap": the paper's training clip, ``n_frames`` of these from a random start,
        wrapping round and padded by reflection (:func:`~emoclip_sdk.video.paper`). "inside": a
        training clip whose frames stay in order (:func:`~emoclip_sdk.video.inside`).
    seed : int
        Of the random start; "wrap" and "inside" only.
    phase : int
        First frame; "stride" only.
    """

    mode: Literal["rate", "stride", "wrap", "inside"] = "rate"
    seed: int = 0
    phase: int = 0


class ClipCrops(NamedTuple):
    """The face crops of a clip.

    Attributes
    ----------
    images : Tensor of uint8, (N, S, S, 3)
        Each distinct frame once.
    rows : list of int
        For each frame of the clip its row of `images`, -1 where the face is not in view.
    problem : str
        Why there are none; empty where there are some.
    shapes : list of FaceShape or None, optional
        Of each image, for a model with a shape stream. None: not looked for; in crops, they are
        found where these are embedded, many at once.
    """

    images: Tensor
    rows: list[int]
    problem: str = ""
    shapes: list[FaceShape | None] | None = None


def clip_rng(seed: int, epoch: int, clip_id: str, purpose: str) -> np.random.Generator:
    """Return the random numbers of one clip in one epoch, for one purpose."""
    name = int.from_bytes(hashlib.sha256(f"{purpose}\0{clip_id}".encode()).digest()[:8], "big")
    return np.random.default_rng([seed, epoch, name])


def draw_transform(rng: np.random.Generator, augmentation: Augmentation) -> Tensor:
    """Draw flip, rotation and crop as one affine map (2, 3), from output to input."""
    flip = -1.0 if rng.random() < augmentation.flip else 1.0
    angle = math.radians(rng.uniform(-augmentation.rotation, augmentation.rotation))
    side = rng.uniform(augmentation.crop, 1.0)
    x, y = rng.uniform(-1, 1, 2) * (1 - side)
    cos, sin = side * math.cos(angle), side * math.sin(angle)
    return torch.tensor([[flip * cos, -sin, x], [flip * sin, cos, y]], dtype=torch.float32)


def warp(images: Tensor, transforms: Tensor) -> Tensor:
    """Apply affine maps to pictures.

    Parameters
    ----------
    images : Tensor of uint8, (N, S, S, 3)
    transforms : Tensor, (N, 2, 3)
        From :func:`draw_transform`; beyond the border its pixels are repeated.

    Returns
    -------
    Tensor of float32, (N, S, S, 3)
        In 0..255, as :func:`~emoclip_sdk.nn.preprocess` takes it.
    """
    x = images.permute(0, 3, 1, 2).to(torch.float32)
    grid = F.affine_grid(transforms.to(x.device), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    return x.permute(0, 2, 3, 1)


def fill_gaps(rows: Sequence[int]) -> list[int]:
    """Put the nearest frame that shows the face, the earlier one of two, where it is not in view.

    >>> fill_gaps([-1, 0, -1, -1, 1])
    [0, 0, 0, 1, 1]
    """
    visible = [i for i, row in enumerate(rows) if row >= 0]
    if not visible:
        return list(rows)
    return [rows[min(visible, key=lambda j: (abs(i - j), j))] for i in range(len(rows))]


def clip_crops(
    clip: Clip,
    config: ModelConfig,
    selection: FrameSelection,
    *,
    cropped: bool = True,
    detector: MTCNNDetector | None = None,
    landmarker: FaceLandmarker | None = None,
) -> ClipCrops:
    """Read a clip's face crops.

    Parameters
    ----------
    clip : Clip
    config : ModelConfig
        Sampling, faces and crop size.
    selection : FrameSelection
        Which frames.
    cropped : bool
        The frames are face crops already and are only resized. Otherwise faces are found, and
        the most prominent track is cut out.
    detector : MTCNNDetector, optional
        Passed on to keep its weights loaded.
    landmarker : FaceLandmarker, optional
        Finds the shape of each face.

    Raises
    ------
    VideoError
        The clip can't be read.
    """
    frames = _frames(clip, config, selection)
    size = config.image.crop_size or config.image.size
    distinct = {frame.index: frame for frame in frames}
    detection = replace(config.faces, detector="none") if cropped else config.faces
    faces = _prominent(
        face_frames(
            [distinct[i] for i in sorted(distinct)],
            detection,
            size=size,
            detector=detector,
            landmarker=landmarker,
        )
    )
    place = {index: row for row, index in enumerate(faces)}
    rows = [place.get(frame.index, -1) for frame in frames]
    if not faces:
        return _nothing(f"{clip.id}: no face is found")
    images = torch.from_numpy(np.stack([face.crop for face in faces.values()]))
    shapes = None if landmarker is None else [face.shape for face in faces.values()]
    return ClipCrops(images, rows, shapes=shapes)


def _frames(clip: Clip, config: ModelConfig, selection: FrameSelection) -> list[Frame]:
    source, sampling = open_video(clip.video), config.sampling
    if selection.mode == "rate":
        return list(source.sample(sampling.rate))
    if selection.mode == "stride":
        return source.choose(lambda n: range(min(selection.phase, n - 1), n, sampling.stride))
    window = paper if selection.mode == "wrap" else inside
    return source.choose(
        lambda n: window(
            n, sampling.n_frames, sampling.stride, np.random.default_rng(selection.seed)
        )
    )


def _prominent(frames: Iterable[FrameFaces]) -> dict[int, Face]:
    """Return the most prominent face by frame number."""
    table, detections = TrackTable(), list[FrameFaces]()
    for frame in frames:
        table.add(frame)
        detections.append(frame)
    best = most_prominent(table.stats())
    if best is None:
        return {}
    faces = [(frame.index, face) for frame in detections for face in frame.faces]
    return {index: face for index, face in faces if face.track == best.track}


def _nothing(problem: str) -> ClipCrops:
    return ClipCrops(torch.zeros(0, 1, 1, 3, dtype=torch.uint8), [], problem)


class _Reader:
    """Reads clips one way; the detector's weights stay loaded."""

    def __init__(self, config: ModelConfig, cropped: bool) -> None:
        self.config = config
        self.cropped = cropped
        self.detector: MTCNNDetector | None = None
        self.landmarker: FaceLandmarker | None = None

    def __call__(self, clip: Clip, selection: FrameSelection) -> ClipCrops:
        cropped = self.cropped or self.config.faces.detector == "none"
        if not cropped and self.detector is None:
            self.detector = MTCNNDetector(self.config.faces)
        if self.config.shape is not None and not cropped and self.landmarker is None:
            self.landmarker = FaceLandmarker()
        # On one thread, here as in a worker: with more, a face's box differs in the last digits.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return clip_crops(
                clip,
                self.config,
                selection,
                cropped=cropped,
                detector=self.detector,
                landmarker=self.landmarker,
            )
        except VideoError as error:
            return _nothing(f"{clip.id}: {error}")
        finally:
            torch.set_num_threads(threads)


def read_clip_crops(
    clips: Sequence[Clip],
    config: ModelConfig,
    selections: Iterable[tuple[int, FrameSelection]],
    *,
    cropped: bool = True,
    workers: WorkerPool | None = None,
    ahead: int | None = None,
) -> Iterator[ClipCrops]:
    """Read clips one after the other, in worker processes where there are any.

    Parameters
    ----------
    clips : sequence of Clip
    config : ModelConfig
    selections : iterable of (int, FrameSelection)
        Rows of `clips` and which of their frames. Read ahead, so it must not depend on results.
    cropped : bool
        See :func:`clip_crops`.
    workers : WorkerPool, optional
        They only decode, so that neither threads nor a GPU of this process get in their way.
    ahead : int, optional
        Clips that they read ahead at least, see :meth:`WorkerPool.map`.

    Yields
    ------
    ClipCrops
        In the order of `selections`. One that can't be read or shows no face has `problem` set.
    """
    if workers is None or not workers.count:
        reader = _Reader(config, cropped)
        for row, selection in selections:
            yield reader(clips[row], selection)
        return
    jobs = (
        (_read, config, cropped, _video_only(clips[row]), selection)
        for row, selection in selections
    )
    for images, *rest in workers.map(jobs, ahead):
        yield ClipCrops(torch.from_numpy(images), *rest)


def _video_only(clip: Clip) -> Clip:
    return Clip(clip.id, clip.video)


_reader: _Reader | None = None  # of a worker process


def _read(
    config: ModelConfig, cropped: bool, clip: Clip, selection: FrameSelection
) -> tuple[NDArray[np.uint8], list[int], str, list[FaceShape | None] | None]:
    """Read a clip in a worker process.

    An array goes back through a pipe. A tensor would take shared memory and a file handle, of
    which containers have few.
    """
    global _reader
    if _reader is None or (_reader.config, _reader.cropped) != (config, cropped):
        _reader = _Reader(config, cropped)
    images, rows, problem, shapes = _reader(clip, selection)
    return images.numpy(), rows, problem, shapes
