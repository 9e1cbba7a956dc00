"""One pass over a video: source, sampling, faces, and every face's frame embeddings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING

from ..config import FaceConfig, ModelConfig
from ..errors import EmoCLIPError
from ..faces import (
    FaceDetector,
    FrameFaces,
    Landmarker,
    MTCNNDetector,
    TrackTable,
    face_frames,
)
from ..faces.small_faces import require_min_face
from ..runtime.metering import Timed, metered
from ..video import Frame, LiveFrames, VideoSource, open_live, open_video, prefetch, read_clip
from .frames import EmbeddedFrame, Encode, embed_faces
from .options import ReadOptions, face_config
from .stream import FaceStream, VideoFaces
from .time_limit import LimitedSource

if TYPE_CHECKING:
    from ..video import LiveInput, VideoInput

__all__ = ["FaceReader"]

AHEAD = 8
"""Decoded frames that wait for detection."""
SHAPES_AHEAD = 32
"""The same where the shapes of many frames are found together meanwhile."""
AHEAD_BYTES = 100 * 2**20
"""What they may take: 4 frames of 4K, 1 of 8K."""
MANY_FRAMES = 100  # times as many as a model samples: no video has more


class FaceReader:
    """Reads videos the way a model wants them.

    Decoding runs in a thread of its own, `AHEAD` frames before detection and encoding at most.

    Parameters
    ----------
    config : ModelConfig
        Sampling, faces and crop size.
    encode : callable
        Crops (N, S, S, 3) uint8 and their shapes to frame embeddings (N, D).
    detector : FaceDetector, optional
        Finds the faces. None: MTCNN, made at the first video that needs it.
    """

    def __init__(
        self,
        config: ModelConfig,
        encode: Encode,
        detector: FaceDetector | None = None,
    ) -> None:
        self.config = config
        self.encode = encode
        self.detector = detector
        self.landmarker: Landmarker | None = None  # made at the first video that needs it

    def __call__(
        self,
        video: VideoInput | FaceStream,
        options: ReadOptions | None = None,
        watch: Callable[[FrameFaces], None] | None = None,
        *,
        shapes: bool = False,
    ) -> FaceStream:
        """Open a video; parameters and errors are those of :meth:`EmoCLIP.classify`.

        What can't be decoded is an error of the stream, when its first frame is asked for. `watch`
        is called with the faces of each frame before they are embedded. With `shapes`, landmarks
        and blendshapes are found, too.
        """
        options = options or ReadOptions()
        if isinstance(video, FaceStream):
            options.require_unread()
            if shapes and not video.has_actions:
                raise EmoCLIPError(
                    "this video was read without its actions: say actions=True to read()"
                )
            return video
        source = open_video(video, fps=options.fps, allow_network=options.allow_network)
        return self.read(source, options, watch, shapes=shapes)

    def read(
        self,
        source: VideoSource,
        options: ReadOptions,
        watch: Callable[[FrameFaces], None] | None = None,
        *,
        shapes: bool = False,
    ) -> FaceStream:
        """Read a video that was opened as `options` say; see :meth:`__call__`."""
        table = TrackTable()

        def embedded(frames: Iterable[Frame]) -> Iterator[EmbeddedFrame]:
            faces = self._faces(frames, self._face_config(options), options.min_face, shapes=shapes)
            return embed_faces(_watched(faces, table, watch), self.encode)

        def read(source: VideoSource) -> Iterator[EmbeddedFrame]:
            return self._in_order(source, options, embedded)

        frames, duration = _limited(source, options, read)
        has_actions = shapes or self.config.shape is not None
        return FaceStream(source.name, frames, table, duration, has_actions, source.origin)

    def shapes(
        self, video: VideoInput, options: ReadOptions, rate: float | None = None
    ) -> VideoFaces[FrameFaces]:
        """Open a video to find the shapes of its faces, without the model; errors as above.

        Parameters
        ----------
        video, options
        rate : float, optional
            Frames a second. None: every frame.
        """
        source = open_video(video, fps=options.fps, allow_network=options.allow_network)
        config = self._face_config(options)
        config = dataclasses.replace(config, detect_every=self.key_spacing(rate))
        table = TrackTable()

        def read(source: VideoSource) -> Iterator[FrameFaces]:
            frames = source.frames() if rate is None else source.sample(rate)
            frames = _ahead(frames, SHAPES_AHEAD)
            faces = self._faces(frames, config, options.min_face, shapes=True, serial=True)
            return _watched(faces, table)

        frames, duration = _limited(source, options, read)
        return VideoFaces(source.name, frames, table, duration, source.origin)

    def key_spacing(self, rate: float | None) -> int:
        """Return how many frames there are from one look for all faces to the next.

        These are as far apart in time as where the model samples, however many frames are between.
        Where the rate is not known (None), the longest time between two decides.
        """
        detect_every = self.config.faces.detect_every
        if rate is None:
            return detect_every * MANY_FRAMES
        return max(round(detect_every * rate / self.config.sampling.rate), 1)

    def live(self, source: LiveInput, options: ReadOptions) -> tuple[LiveFrames, FaceStream]:
        """Open what is read while it happens, see :meth:`EmoCLIP.stream`.

        Nothing waits for a full batch.
        """
        opened = open_live(source, fps=options.fps, allow_network=options.allow_network)
        frames = LiveFrames(opened, self.config.sampling.rate)
        table = TrackTable()
        faces = self._faces(frames, self._face_config(options), options.min_face, at_once=True)
        embedded = embed_faces(_watched(faces, table), self.encode, at_once=True)
        return frames, FaceStream(frames.name, embedded, table, lambda: opened.duration)

    def _in_order(
        self,
        source: VideoSource,
        options: ReadOptions,
        embed: Callable[[Iterable[Frame]], Iterator[EmbeddedFrame]],
    ) -> Iterator[EmbeddedFrame]:
        """Sample a video and embed its faces, in the order in which the model sees them."""
        if options.sampling == "deterministic":
            yield from embed(_ahead(source.sample(self.config.sampling.rate)))
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

    def _face_config(self, options: ReadOptions) -> FaceConfig:
        """Return how faces are found; refuse a `min_face` that can't count."""
        config = face_config(self.config.faces, options.faces)
        require_min_face(self.detector, config.detector != "none", options.min_face)
        return config

    def _faces(
        self,
        frames: Iterable[Frame],
        config: FaceConfig,
        min_face: float | None,
        *,
        shapes: bool = False,
        at_once: bool = False,
        serial: bool = False,
    ) -> Iterator[FrameFaces]:
        """Find the faces of sampled frames; detector and landmarker are made once.

        Their shapes, too, where they are asked for or the model has a shape stream.
        """
        shapes = shapes or self.config.shape is not None
        if config.detector == "mtcnn" and self.detector is None:
            self.detector = MTCNNDetector(config)
        if shapes and self.landmarker is None:
            from ..faces.landmarks import FaceLandmarker

            self.landmarker = FaceLandmarker()
        return face_frames(
            frames,
            config,
            size=self.config.image.crop_size or self.config.image.size,
            detector=self.detector,
            landmarker=self.landmarker if shapes else None,
            min_face=min_face,
            at_once=at_once,
            serial=serial,
        )


def _ahead(frames: Generator[Frame, None, None], depth: int = AHEAD) -> Iterator[Frame]:
    """Decode frames in a thread of its own."""
    return prefetch(frames, depth, size=lambda frame: frame.rgb.nbytes, budget=AHEAD_BYTES)


def _watched(
    frames: Iterable[FrameFaces],
    table: TrackTable,
    watch: Callable[[FrameFaces], None] | None = None,
) -> Iterator[FrameFaces]:
    for frame in frames:
        table.add(frame)
        if watch is not None:
            watch(frame)
        yield frame


def _limited(
    source: VideoSource, options: ReadOptions, read: Callable[[VideoSource], Iterator[Timed]]
) -> tuple[Iterator[Timed], Callable[[], float | None]]:
    """Read the part that is asked for within a time; return what is read, and when it ends.

    On the way it is told how far that is.
    """
    limited = None if options.timeout is None else LimitedSource(source, options.timeout)
    part = options.part(limited or source)
    items = read(part) if limited is None else limited.timed(read(part))

    def end() -> float | None:
        return part.duration

    start = options.start or 0.0
    return metered(items, options.progress, source.name, start=start, duration=end), end
