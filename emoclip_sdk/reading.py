"""One pass over a video: source, sampling, faces, and every face's frame embeddings."""

from __future__ import annotations

import dataclasses
import operator
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .clips import EmbeddedFaces, embed_faces
from .config import ModelConfig
from .errors import EmoCLIPError, VideoError
from .video import FaceDetector, MTCNNDetector, SamplingMode, face_frames, open_video, read_clip

__all__ = [
    "FaceMode",
    "FaceReader",
    "ReadVideo",
    "Track",
    "check_options",
    "choose_tracks",
    "failed_name",
    "is_batch",
]

FaceMode = Literal["mtcnn", "none"]
Track = int | Literal["prominent", "all"]


@dataclass(frozen=True)
class ReadVideo:
    """What a pass over a video leaves behind.

    Attributes
    ----------
    name : str
        File name or description of the source.
    duration : float, optional
        Seconds.
    faces : EmbeddedFaces
    """

    name: str
    duration: float | None
    faces: EmbeddedFaces


class FaceReader:
    """Reads videos the way a model wants them.

    Parameters
    ----------
    config : ModelConfig
        Sampling, faces and crop size.
    encode : callable
        Crops (N, S, S, 3) uint8 to frame embeddings (N, D).
    """

    def __init__(
        self, config: ModelConfig, encode: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    ) -> None:
        self.config = config
        self.encode = encode
        self.detector: FaceDetector | None = None  # made at the first video that needs one

    def __call__(
        self,
        video: Any,
        *,
        faces: FaceMode | None = None,
        sampling: SamplingMode = "deterministic",
        seed: int = 0,
        fps: float | None = None,
        allow_network: bool = False,
    ) -> ReadVideo:
        """Read one video; parameters and errors are those of :meth:`EmoCLIP.classify`."""
        config = self.config.faces
        if faces is not None:
            config = dataclasses.replace(config, detector=faces)
        if config.detector == "mtcnn" and self.detector is None:
            self.detector = MTCNNDetector(config)
        source = open_video(video, fps=fps, allow_network=allow_network)
        order = None
        if sampling == "deterministic":
            frames = source.sample(self.config.sampling.rate)
        else:
            # The opened source, not `video`: a pipe can be read only once.
            clip = read_clip(source, self.config.sampling, sampling, seed=seed)
            # Faces are followed in time; a clip may wrap round and repeat frames.
            distinct = {frame.index: frame for frame in clip}
            places = {index: i for i, index in enumerate(sorted(distinct))}
            order = [places[frame.index] for frame in clip]
            frames = iter([distinct[index] for index in places])
        size = self.config.image.crop_size or self.config.image.size
        stream = face_frames(frames, config, size=size, detector=self.detector)
        found = embed_faces(stream, self.encode)
        if order is not None:
            found = dataclasses.replace(
                found,
                times=found.times[order],
                rows={track: rows[order] for track, rows in found.rows.items()},
            )
        return ReadVideo(source.name, source.duration, found)


def check_options(track: Any, faces: Any, sampling: Any) -> Track:
    """Return `track`; refuse values that no video could make right, before any is read."""
    if faces not in (None, "mtcnn", "none"):
        raise EmoCLIPError(f"faces must be 'mtcnn', 'none' or None, not {faces!r}")
    if sampling not in ("deterministic", "uniform", "paper"):
        raise EmoCLIPError(
            f"sampling must be 'deterministic', 'uniform' or 'paper', not {sampling!r}"
        )
    if track == "prominent" or track == "all":
        return track
    try:
        return operator.index(track)
    except TypeError:
        raise EmoCLIPError(f"track must be 'prominent', 'all' or a number, not {track!r}") from None


def choose_tracks(video: ReadVideo, track: Track) -> list[int]:
    """Return the numbers of the tracks that `track` means; none where there is no face.

    Raises
    ------
    VideoError
        There are faces, but none of that number.
    """
    rows = video.faces.rows
    if track == "all":
        return list(rows)
    if track == "prominent":
        best = video.faces.most_prominent
        return [] if best is None else [best]
    if track not in rows and rows:
        there = ", ".join(map(str, rows))
        raise VideoError(video.name, f"there is no face track {track}; there are: {there}")
    return [int(track)] if rows else []


def is_batch(video: Any) -> bool:
    """Whether a list is a batch of videos; a list of pictures is one video."""
    if not isinstance(video, list | tuple):
        return False
    return not video or not any(
        hasattr(item, "getbands") or getattr(item, "ndim", None) in (2, 3) for item in video
    )


def failed_name(video: Any, error: VideoError) -> tuple[str, str]:
    """Return the name of the video of a batch that failed, as a result states it, and why."""
    if not isinstance(video, str | os.PathLike):
        return error.name, error.reason
    path = os.fsdecode(os.fspath(video))
    name = os.path.basename(path.rstrip("/\\")) or path
    # A frame of a folder has a name of its own.
    return name, error.reason if error.name in (path, name) else str(error)
