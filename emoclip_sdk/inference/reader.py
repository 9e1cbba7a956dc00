"""One pass over a video: source, sampling, faces, and every face's frame embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..config import ModelConfig
from ..faces import FaceDetector, FrameFaces, MTCNNDetector, TrackTable, face_frames
from ..video import Frame, LiveFrames, VideoSource, open_live, open_video, prefetch, read_clip
from .frames import EmbeddedFrame, embed_faces
from .options import ReadOptions, face_config
from .stream import FaceStream
from .time_limit import LimitedSource

if TYPE_CHECKING:
    from ..video import LiveInput, VideoInput

__all__ = ["FaceReader"]

AHEAD = 8
"""Decoded frames that wait for detection."""
AHEAD_BYTES = 100 * 2**20
"""What they may take: 4 frames of 4K, 1 of 8K."""


class FaceReader:
    """Reads videos the way a model wants them.

    Decoding runs in a thread of its own, `AHEAD` frames before detection and encoding at most.

    Parameters
    ----------
    config : ModelConfig
        Sampling, faces and crop size.
    encode : callable
        Crops (N, S, S, 3) uint8 to frame embeddings (N, D).
    detector : FaceDetector, optional
        Finds the faces. None: MTCNN, made at the first video that needs it.
    """

    def __init__(
        self,
        config: ModelConfig,
        encode: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
        detector: FaceDetector | None = None,
    ) -> None:
        self.config = config
        self.encode = encode
        self.detector = detector

    def __call__(
        self,
        video: VideoInput | FaceStream,
        options: ReadOptions | None = None,
        watch: Callable[[FrameFaces], None] | None = None,
    ) -> FaceStream:
        """Open a video; parameters and errors are those of :meth:`EmoCLIP.classify`.

        What can't be decoded is an error of the stream, when its first frame is asked for. `watch`
        is called with the faces of each frame before they are embedded.
        """
        options = options or ReadOptions()
        if isinstance(video, FaceStream):
            options.require_unread()
            return video
        source = open_video(video, fps=options.fps, allow_network=options.allow_network)
        return self.read(source, options, watch)

    def read(
        self,
        source: VideoSource,
        options: ReadOptions,
        watch: Callable[[FrameFaces], None] | None = None,
    ) -> FaceStream:
        """Read a video that was opened as `options` say; see :meth:`__call__`."""
        table = TrackTable()
        embed = self._embedder(options, table, watch)
        if options.timeout is None:
            return FaceStream(
                source.name, self._frames(source, options, embed), table, lambda: source.duration
            )
        limited = LimitedSource(source, options.timeout)
        frames = limited.timed(self._frames(limited, options, embed))
        return FaceStream(source.name, frames, table, lambda: limited.duration)

    def live(self, source: LiveInput, options: ReadOptions) -> tuple[LiveFrames, FaceStream]:
        """Open what is read while it happens, see :meth:`EmoCLIP.stream`.

        Nothing waits for a full batch.
        """
        opened = open_live(source, fps=options.fps, allow_network=options.allow_network)
        frames = LiveFrames(opened, self.config.sampling.rate)
        table = TrackTable()
        embed = self._embedder(options, table, at_once=True)
        return frames, FaceStream(frames.name, embed(frames), table, lambda: None)

    def _frames(
        self,
        source: VideoSource,
        options: ReadOptions,
        embed: Callable[[Iterable[Frame]], Iterator[EmbeddedFrame]],
    ) -> Iterator[EmbeddedFrame]:
        """Sample a video and embed its faces, in the order in which the model sees them."""
        if options.sampling == "deterministic":
            yield from embed(
                prefetch(
                    source.sample(self.config.sampling.rate),
                    AHEAD,
                    size=lambda frame: frame.rgb.nbytes,
                    budget=AHEAD_BYTES,
                )
            )
            return
        # The opened source, not the video: a pipe can be read only once.
        clip = read_clip(source, self.config.sampling, options.sampling, seed=options.seed)
        # Faces are followed in time; a clip may wrap round and repeat frames.
        distinct = {frame.index: frame for frame in clip}
        embedded = dict(
            zip(
                sorted(distinct),
                embed(distinct[index] for index in sorted(distinct)),
                strict=True,
            )
        )
        yield from (embedded[frame.index] for frame in clip)

    def _embedder(
        self,
        options: ReadOptions,
        table: TrackTable,
        watch: Callable[[FrameFaces], None] | None = None,
        at_once: bool = False,
    ) -> Callable[[Iterable[Frame]], Iterator[EmbeddedFrame]]:
        config = face_config(self.config.faces, options.faces)
        if config.detector == "mtcnn" and self.detector is None:
            self.detector = MTCNNDetector(config)
        size = self.config.image.crop_size or self.config.image.size

        def watched(frames: Iterable[FrameFaces]) -> Iterator[FrameFaces]:
            for frame in frames:
                table.add(frame)
                if watch is not None:
                    watch(frame)
                yield frame

        def embed(frames: Iterable[Frame]) -> Iterator[EmbeddedFrame]:
            faces = face_frames(frames, config, size=size, detector=self.detector, at_once=at_once)
            return embed_faces(watched(faces), self.encode, at_once=at_once)

        return embed
