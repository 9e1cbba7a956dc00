"""Frame embeddings of frozen image towers, and shapes of faces: what makes an epoch cheap."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ...assets import asset
from ...config import ModelConfig, Window
from ...errors import DatasetError
from ...inference.clips import Span
from ...model import EmoCLIP
from ...runtime.hashes import file_hash
from ...runtime.metering import counted
from ...runtime.progress import ProgressOption
from ...runtime.worker_pool import WorkerPool
from ...video import clip_window
from ..engine.precision import Precision
from .datasets.clips import Clip
from .embed import View, embed_frames, measure_frame_shapes

__all__ = [
    "FrameCache",
    "clip_identity",
    "frame_embeddings",
    "frame_shapes",
    "pool_frames",
    "weights_hash",
]

log = logging.getLogger(__name__)


class FrameCache:
    """A folder of frame embeddings or shapes, one safetensors file of either per clip and view.

    A file is found by what decides its content: the weights of the image tower (or of the landmark
    network), crop size and color, sampling, augmentation, and the video's path, size and time of
    change. It is written under a temporary name and renamed, so any number of processes may fill
    one folder.

    Parameters
    ----------
    folder : str or Path
        Made when the first file is written.
    dtype : torch.dtype
        float16 or float32, the kind of number that is stored.
    """

    def __init__(self, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
        self.folder = Path(folder)
        self.dtype = dtype

    def load(self, key: str, name: str) -> Tensor | None:
        """Return an entry (T, D), or None where there is none that can be read."""
        try:
            return load_file(self._path(key, name))["frames"]
        except (OSError, SafetensorError, KeyError):
            return None  # not there, or cut short by a full disk: computed and written again

    def store(self, key: str, name: str, frames: Tensor) -> Tensor:
        """Write an entry (T, D) and return it as it will be read: rounded to `dtype`."""
        path = self._path(key, name)
        stored = frames.to(self.dtype).contiguous()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
            os.close(handle)
            try:
                save_file({"frames": stored}, temporary)
                os.replace(temporary, path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except (OSError, SafetensorError) as error:
            raise DatasetError(
                f"{path}: the cache can't be written ({error}). Make room, or name another folder "
                "with --cache FOLDER or --set data.cache=FOLDER"
            ) from error
        return stored

    def _path(self, key: str, name: str) -> Path:
        # Folders of a hundred thousand files are slow on many file systems.
        return self.folder / key / name[:2] / f"{name}.safetensors"


def weights_hash(module: nn.Module) -> str:
    """Return the SHA-256 of a module's parameters and buffers, names and types included."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def frame_embeddings(
    model: EmoCLIP,
    clips: Sequence[Clip],
    cache: FrameCache | None = None,
    *,
    cropped: bool = True,
    view: View | None = None,
    workers: WorkerPool | None = None,
    precision: Precision = "fp32",
    pixels_alone: bool = False,
    progress: ProgressOption = None,
) -> list[NDArray[np.float32]]:
    """Embed the frames of clips one by one, or read what was embedded before.

    Parameters
    ----------
    model : EmoCLIP
        Its image tower, sampling and preprocessing.
    clips : sequence of Clip
    cache : FrameCache, optional
        None: nothing is kept.
    cropped : bool
        The frames are face crops already (:attr:`ClipDataset.cropped`).
    view : View, optional
        A view for training: every `stride`-th frame. None: as :meth:`EmoCLIP.embed` reads a
        video, frames at ``sampling.rate``, without augmentation.
    workers : WorkerPool, optional
        Processes that decode; without any, this one does.
    precision : {"fp32", "bf16", "fp16"}
        Of the image tower's products.
    pixels_alone : bool
        Without the word of the model's shape stream, as where it still learns.
    progress : bool or callable, optional
        Told how many clips are embedded.

    Returns
    -------
    list of ndarray, each (T, D)
        Unnormalized. Without `view`, NaN in frames in which the face is not in view. (0, D) for
        a clip that shows no face or can't be read; these are logged.
    """
    settings: dict[str, Any] = {}
    if cache is not None:
        settings = {
            **_reading(model.config, cropped, view),
            "format": 3,
            "visual": weights_hash(model.encoder.network.towers.visual),
            "image": dataclasses.asdict(model.config.image),
            "precision": precision,
        }
        if model.encoder.network.shape is not None and not pixels_alone:
            settings["shape"] = weights_hash(model.encoder.network.shape)
            settings["landmarks"] = _landmarks_hash()
        if model.encoder.network.actions is not None:
            settings["actions"] = weights_hash(model.encoder.network.actions)

    def embed(missing: list[int]) -> Iterator[Tensor]:
        return embed_frames(
            model,
            clips,
            missing,
            cropped=cropped,
            view=view,
            workers=workers,
            precision=precision,
            pixels_alone=pixels_alone,
        )

    return _through_cache(cache, settings, clips, embed, "embedded", progress)


def frame_shapes(
    model: EmoCLIP,
    clips: Sequence[Clip],
    cache: FrameCache | None = None,
    *,
    cropped: bool = True,
    view: View | None = None,
    workers: WorkerPool | None = None,
) -> list[NDArray[np.float32]]:
    """Measure the shapes of faces in the frames that :func:`frame_embeddings` embeds, once.

    Parameters
    ----------
    model : EmoCLIP
        With a shape stream. Its sampling and crop size; its weights have no part.
    clips, cache, cropped, view, workers
        As in :func:`frame_embeddings`.

    Returns
    -------
    list of ndarray, each (T, F)
        :func:`~emoclip_sdk.nn.shape.shape_features`; NaN where face or landmarks are not found.
    """
    settings: dict[str, Any] = {}
    if cache is not None:
        image = model.config.image
        settings = {
            **_reading(model.config, cropped, view),
            "landmarks": _landmarks_hash(),
            "crop size": image.crop_size or image.size,
        }

    def measure(missing: list[int]) -> Iterator[Tensor]:
        return measure_frame_shapes(
            model, clips, missing, cropped=cropped, view=view, workers=workers
        )

    return _through_cache(cache, settings, clips, measure, "measured")


def _through_cache(
    cache: FrameCache | None,
    settings: dict[str, Any],
    clips: Sequence[Clip],
    compute: Callable[[list[int]], Iterator[Tensor]],
    what: str,
    progress: ProgressOption = None,
) -> list[NDArray[np.float32]]:
    """Return an array (T, ...) for each clip; `compute` is given the rows of what is missing."""
    arrays: list[Tensor | None] = [None] * len(clips)
    key, names = "", list[str]()
    if cache is not None:
        text = json.dumps({**settings, "stored": str(cache.dtype)}, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:24]
        names = [clip_identity(clip) for clip in clips]
        arrays = [cache.load(key, name) for name in names]
    missing = [i for i, array in enumerate(arrays) if array is None]
    start = logged = time.monotonic()
    computed = counted(compute(missing), progress, len(missing), f"clips {what}")
    for done, (i, array) in enumerate(zip(missing, computed, strict=True), 1):
        arrays[i] = cache.store(key, names[i], array) if cache and len(array) else array
        if time.monotonic() - logged > 10:
            logged = time.monotonic()
            rate = done / (logged - start)
            log.info(
                "frames of %d/%d clips %s, %.1f a second, %.0f s to go",
                done,
                len(missing),
                what,
                rate,
                (len(missing) - done) / rate,
            )
    return [array.float().numpy() for array in arrays if array is not None]


def pool_frames(
    model: EmoCLIP, frames: Sequence[NDArray[np.float32]], window: Window | None = None
) -> NDArray[np.float32]:
    """Pool clips of frame embeddings as :meth:`EmoCLIP.embed` does.

    Parameters
    ----------
    model : EmoCLIP
    frames : sequence of ndarray, each (T, D)
        From :func:`frame_embeddings`. A long clip is pooled window by window and averaged.
    window : {"wrap", "inside"}, optional
        How a short clip is filled, where that is not as the model's own training did it.

    Returns
    -------
    ndarray, (N, D)
        Unnormalized; NaN for a clip without a frame.
    """
    out = np.full((len(frames), model.encoder.width), np.nan, np.float32)
    n_frames = model.config.sampling.n_frames
    if model.config.temporal.kind == "mean":
        window = None
    windows: list[list[int]] = []
    owners: list[int] = []
    first = 0
    for i, clip in enumerate(frames):
        span = Span[int](n_frames)
        clip_windows: list[list[int | None]] = []
        for row, frame in enumerate(clip, first):
            if np.isnan(frame).any():
                span.skip()
            else:
                clip_windows += span.push(row)
        clip_windows += span.finish()
        if window is not None:
            clip_windows = [
                [rows[place] for place in clip_window(len(rows), n_frames, window)]
                for rows in clip_windows
            ]
        windows += [[-1 if row is None else row for row in rows] for rows in clip_windows]
        owners += [i] * len(clip_windows)
        first += len(clip)
    if windows:
        pooled = model.encoder.pool(np.concatenate(list(frames)), windows)
        owner = np.asarray(owners)
        for i in np.unique(owner):
            out[i] = pooled[owner == i].mean(axis=0)
    return out


def _reading(config: ModelConfig, cropped: bool, view: View | None) -> dict[str, Any]:
    """Return what decides which pictures are seen of a clip."""
    settings: dict[str, Any] = {
        "faces": None if cropped else dataclasses.asdict(config.faces),
        "sampling": config.sampling.rate if view is None else [config.sampling.stride],
        "view": None if view is None else view.number,
    }
    if view is not None and view.number:
        settings["augmentation"] = [dataclasses.asdict(view.augmentation), view.seed]
    return settings


def _landmarks_hash() -> str:
    return file_hash(asset("face-landmarker") / "model.safetensors")[:24]


def clip_identity(clip: Clip) -> str:
    """Hash a clip's id and its video: path, sizes and times of change, or an array's content."""
    digest = hashlib.sha256(clip.id.encode())
    video = clip.video
    if isinstance(video, np.ndarray):
        digest.update(str(video.shape).encode())
        digest.update(np.ascontiguousarray(video).data)
        return digest.hexdigest()[:32]
    digest.update(str(video.resolve()).encode())
    try:
        entries = [video]
        if video.is_dir():
            with os.scandir(video) as listing:
                entries = sorted(Path(entry.path) for entry in listing)
        for entry in entries:
            stat = entry.stat()
            digest.update(f"\0{entry.name} {stat.st_size} {stat.st_mtime_ns}".encode())
    except OSError:
        digest.update(b"\0missing")  # reading it says what is wrong
    return digest.hexdigest()[:32]
