"""One pass over a video: source, sampling, faces, and every face's frame embeddings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..config import ModelConfig
from ..errors import EmoCLIPError
from ..faces import FaceDetector, FrameFaces, MTCNNDetector, TrackTable, face_frames
from ..video import Frame, LiveFrames, SamplingMode, open_live, open_video, prefetch, read_clip
from .frames import EmbeddedFrame, embed_faces
from .stream import FaceStream

__all__ = ["FaceMode", "FaceReader", "ReadOptions", "Track"]

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
