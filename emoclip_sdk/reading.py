"""One pass over a video: source, sampling, faces, and every face's frame embeddings."""

from __future__ import annotations

import dataclasses
import math
import operator
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from .clips import EmbeddedFrame, embed_faces
from .config import ModelConfig
from .errors import EmoCLIPError, VideoError
from .results import FaceTrack
from .video import (
    FaceDetector,
    Frame,
    FrameFaces,
    LiveFrames,
    MTCNNDetector,
    SamplingMode,
    TrackTable,
    face_frames,
    most_prominent,
    open_live,
    open_video,
    prefetch,
    read_clip,
)

__all__ = [
    "FaceMode",
    "FaceReader",
    "FaceStream",
    "ReadOptions",
    "Track",
    "check_track",
    "check_windows",
    "choose_tracks",
    "each_video",
    "failed_name",
]

T = TypeVar("T")
FaceMode = Literal["mtcnn", "none"]
Track = int | Literal["prominent", "all"]

AHEAD = 8
"""Decoded frames that wait for detection."""
AHEAD_BYTES = 100 * 2**20
"""What they may take: 4 frames of 4K, 1 of 8K."""


@dataclass(frozen=True)
class ReadOptions:
    """How a video is read; the parameters are those of :meth:`EmoCLIP.classify`.

    Raises
    ------
    EmoCLIPError
        For values that no video could make right, before any is read.
    """

    faces: FaceMode | None = None
    sampling: SamplingMode = "deterministic"
    seed: int = 0
    fps: float | None = None
    allow_network: bool = False

    def __post_init__(self) -> None:
        if self.faces not in (None, "mtcnn", "none"):
            raise EmoCLIPError(f"faces must be 'mtcnn', 'none' or None, not {self.faces!r}")
        if self.sampling not in ("deterministic", "uniform", "paper"):
            raise EmoCLIPError(
                f"sampling must be 'deterministic', 'uniform' or 'paper', not {self.sampling!r}"
            )


class FaceStream:
    """The faces of a video as frame embeddings, in order of time, read while they are asked for.

    Attributes
    ----------
    name : str
        File name or description of the source.
    table : TrackTable
        The faces that were met so far.
    """

    def __init__(
        self,
        name: str,
        frames: Iterable[EmbeddedFrame],
        table: TrackTable,
        duration: Callable[[], float | None],
    ) -> None:
        self.name = name
        self._frames = frames
        self.table = table
        self._duration = duration

    def __iter__(self) -> Iterator[EmbeddedFrame]:
        return iter(self._frames)

    @property
    def duration(self) -> float | None:
        """Length in seconds, as far as known; what was really there, after the last frame."""
        return self._duration()

    @property
    def tracks(self) -> tuple[FaceTrack, ...]:
        """A summary of each face that was met so far."""
        n = self.table.n_frames
        return tuple(
            FaceTrack(s.track, s.first, s.last, s.n_frames, s.n_frames / n, s.prominence)
            for s in self.table.stats()
        )

    @property
    def most_prominent(self) -> int | None:
        """The track that is large, long in view and surely a face; None without any."""
        best = most_prominent(self.table.stats())
        return None if best is None else best.track

    def kept(self) -> FaceStream:
        """Read to the end, and return what can be gone through any number of times."""
        return FaceStream(self.name, list(self._frames), self.table, self._duration)


class FaceReader:
    """Reads videos the way a model wants them.

    Decoding runs in a thread of its own, `AHEAD` frames before detection and encoding at most.

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
        options: ReadOptions | None = None,
        watch: Callable[[FrameFaces], None] | None = None,
    ) -> FaceStream:
        """Open a video; parameters and errors are those of :meth:`EmoCLIP.classify`.

        What can't be decoded is an error of the stream, when its first frame is asked for. `watch`
        is called with the faces of each frame before they are embedded.
        """
        options = options or ReadOptions()
        if isinstance(video, FaceStream):
            return video
        source = open_video(video, fps=options.fps, allow_network=options.allow_network)
        table = TrackTable()
        embed = self._embedder(options, table, watch)
        if options.sampling == "deterministic":
            frames = prefetch(
                source.sample(self.config.sampling.rate),
                AHEAD,
                size=lambda frame: frame.rgb.nbytes,
                budget=AHEAD_BYTES,
            )
            return FaceStream(source.name, embed(frames), table, lambda: source.duration)
        # The opened source, not `video`: a pipe can be read only once.
        clip = read_clip(source, self.config.sampling, options.sampling, seed=options.seed)
        # Faces are followed in time; a clip may wrap round and repeat frames.
        distinct = {frame.index: frame for frame in clip}
        found = list(embed(distinct[index] for index in sorted(distinct)))
        places = {index: i for i, index in enumerate(sorted(distinct))}
        order = [found[places[frame.index]] for frame in clip]
        return FaceStream(source.name, order, table, lambda: source.duration)

    def live(self, source: Any, options: ReadOptions) -> tuple[LiveFrames, FaceStream]:
        """Open what is read while it happens, see :meth:`EmoCLIP.stream`.

        Nothing waits for a full batch.
        """
        opened = open_live(source, fps=options.fps, allow_network=options.allow_network)
        frames = LiveFrames(opened, self.config.sampling.rate)
        table = TrackTable()
        embed = self._embedder(options, table, at_once=True)
        return frames, FaceStream(frames.name, embed(frames), table, lambda: None)

    def _embedder(
        self,
        options: ReadOptions,
        table: TrackTable,
        watch: Callable[[FrameFaces], None] | None = None,
        at_once: bool = False,
    ) -> Callable[[Iterable[Frame]], Iterator[EmbeddedFrame]]:
        config = self.config.faces
        if options.faces is not None:
            config = dataclasses.replace(config, detector=options.faces)
        if config.detector == "mtcnn" and self.detector is None:
            self.detector = MTCNNDetector(config)
        size = self.config.image.crop_size or self.config.image.size

        def watched(found: Iterable[FrameFaces]) -> Iterator[FrameFaces]:
            for frame in found:
                table.add(frame)
                if watch is not None:
                    watch(frame)
                yield frame

        def embed(frames: Iterable[Frame]) -> Iterator[EmbeddedFrame]:
            found = face_frames(frames, config, size=size, detector=self.detector, at_once=at_once)
            return embed_faces(watched(found), self.encode, at_once=at_once)

        return embed


def check_track(track: Any) -> Track:
    """Return `track`; refuse what no video could have, before any is read."""
    if track == "prominent" or track == "all":
        return track
    try:
        return operator.index(track)
    except TypeError:
        raise EmoCLIPError(f"track must be 'prominent', 'all' or a number, not {track!r}") from None


def check_windows(window: float, step: float) -> None:
    """Refuse lengths in seconds that no timeline can have."""
    if not (window > 0 and step > 0 and math.isfinite(window) and math.isfinite(step)):
        raise EmoCLIPError(f"window and step must be positive, not {window} and {step}")


def choose_tracks(video: FaceStream, track: Track) -> list[int]:
    """Return the numbers of the tracks that `track` means; none where there is no face.

    To be asked when the stream was read to its end.

    Raises
    ------
    VideoError
        There are faces, but none of that number.
    """
    there = [found.id for found in video.tracks]
    if track == "all":
        return there
    if track == "prominent":
        best = video.most_prominent
        return [] if best is None else [best]
    if track not in there and there:
        listed = ", ".join(map(str, there))
        raise VideoError(video.name, f"there is no face track {track}; there are: {listed}")
    return [int(track)] if there else []


def each_video(video: Any, one: Callable[[Any], T], failed: Callable[[str, str], T]) -> T | list[T]:
    """Return ``one(video)``; for a batch, a list of what `one` returns for each.

    A list or tuple is a batch of videos, unless it holds pictures: that is one video. Where a video
    of a batch can't be read, its place is taken by ``failed(name, reason)``.
    """
    if not isinstance(video, list | tuple) or any(
        hasattr(item, "getbands") or getattr(item, "ndim", None) in (2, 3) for item in video
    ):
        return one(video)
    results = []
    for item in video:
        try:
            results.append(one(item))
        except VideoError as error:
            results.append(failed(*failed_name(item, error)))
    return results


def failed_name(video: Any, error: VideoError) -> tuple[str, str]:
    """Return the name of the video of a batch that failed, as a result states it, and why."""
    if not isinstance(video, str | os.PathLike):
        return error.name, error.reason
    path = os.fsdecode(os.fspath(video))
    name = os.path.basename(path.rstrip("/\\")) or path
    # A frame of a folder has a name of its own.
    return name, error.reason if error.name in (path, name) else str(error)
