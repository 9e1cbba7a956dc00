"""The seam between the processes: faces are cut out in one, and embedded in another.

A worker reads a video as any :class:`FaceReader` does, except that its "encoder" sends the crops
away and returns embeddings of width 0. What is left of the video then is small;
:meth:`ReadVideo.stream` completes it where the model is.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..config import ModelConfig
from ..errors import EmoCLIPError, VideoError
from ..faces import FaceDetector, FaceShape, MTCNNDetector, TrackIdentity, TrackTable
from ..inference.frames import EmbeddedFrame, Encode
from ..inference.options import ReadOptions, face_config
from ..inference.reader import FaceReader
from ..inference.stream import FaceStream
from ..inference.videos import failed_name

__all__ = [
    "Crops",
    "ReadVideo",
    "VideoPart",
    "guarded",
    "new_reader",
    "open_reader",
    "part_options",
    "part_path",
]

R = TypeVar("R")


class Crops(NamedTuple):
    """Faces that are to be embedded.

    Attributes
    ----------
    images : ndarray, (N, S, S, 3), uint8
    shapes : sequence of FaceShape or None
        Of the same N faces.
    """

    images: NDArray[np.uint8]
    shapes: Sequence[FaceShape | None]


@dataclass(frozen=True)
class ReadVideo:
    """What a worker leaves of a video beside its crops.

    Attributes
    ----------
    name : str
    duration : float, optional
        Seconds.
    table : TrackTable
        The faces that were met.
    frames : list of EmbeddedFrame
        With empty embeddings, in the order of the crops.
    has_actions : bool
        Whether they hold actions.
    identities : tuple of TrackIdentity, optional
        What faces look like, where it was asked for.
    """

    name: str
    duration: float | None
    table: TrackTable
    frames: list[EmbeddedFrame]
    has_actions: bool = False
    identities: tuple[TrackIdentity, ...] | None = None

    def stream(self, parts: Sequence[NDArray[np.float32]]) -> FaceStream:
        """Return what reading the video where the model is would have given.

        Parameters
        ----------
        parts : sequence of ndarray (n, D)
            Embeddings of the crops, in the order in which these were sent.
        """

        def frames() -> Iterator[EmbeddedFrame]:
            vectors = (vector for part in parts for vector in part)
            for frame in self.frames:
                faces = {track: next(vectors) for track in frame.faces}
                yield dataclasses.replace(frame, faces=faces)

        known = self.identities
        return FaceStream(
            self.name,
            frames(),
            self.table,
            lambda: self.duration,
            self.has_actions,
            identities=None if known is None else lambda: known,
        )


class VideoPart(NamedTuple):
    """A part of a video, in seconds."""

    path: str
    start: float | None
    end: float | None


def open_reader(
    send: Callable[[Crops], None],
    config: ModelConfig,
    options: ReadOptions,
    detector: FaceDetector | None = None,
    actions: bool = False,
    boxes: bool = False,
    people: bool = False,
) -> Callable[[str | VideoPart], ReadVideo | str]:
    """Return the function that reads a video in a worker process.

    Parameters
    ----------
    send : callable
        Takes face crops in the order of the frame embeddings. A long video sends them bit by bit.
    config : ModelConfig
        Of the model that embeds them.
    options : ReadOptions
    detector : FaceDetector, optional
        None: MTCNN.
    actions : bool
        Find the actions of faces, too.
    boxes : bool
        Keep where faces are.
    people : bool
        Find what tells persons apart, too.

    Returns
    -------
    callable
        From a path, or a part of a video, to a :class:`ReadVideo` without embeddings, or to what
        is wrong with the video.

    Raises
    ------
    EmoCLIPError
        The face detector is not installed.
    """

    def ship(images: NDArray[np.uint8], shapes: Sequence[FaceShape | None]) -> NDArray[np.float32]:
        send(Crops(images, shapes))
        return np.zeros((len(images), 0), np.float32)

    reader = new_reader(config, ship, options, detector)
    nothing = np.zeros(0, np.float32)

    def read(video: str | VideoPart) -> ReadVideo:
        own = part_options(video, options)
        stream = reader(part_path(video), own, shapes=actions, people=people)
        # One empty vector for all of them: it is pickled once.
        frames = [
            dataclasses.replace(
                frame,
                faces=dict.fromkeys(frame.faces, nothing),
                detections=frame.detections if boxes else {},
                shapes={},
            )
            for frame in stream
        ]
        identities = None if stream.identities is None else stream.identities()
        return ReadVideo(stream.name, stream.duration, stream.table, frames, actions, identities)

    return guarded(read)


def new_reader(
    config: ModelConfig, encode: Encode, options: ReadOptions, detector: FaceDetector | None
) -> FaceReader:
    """Return the reader of a worker process, which reads one video after the other.

    Raises
    ------
    EmoCLIPError
        The face detector is not installed.
    """
    reader = FaceReader(config, encode, detector)
    finds_faces = face_config(config.faces, options.faces).detector == "mtcnn"
    if finds_faces:
        # Made now: that it is not installed is no fault of the first video.
        reader.detector = detector or MTCNNDetector(config.faces)
    if finds_faces or config.shape is not None:
        import torch

        # A face's box differs in its last digits with the number of threads.
        torch.set_num_threads(1)
    return reader


def guarded(read: Callable[[str | VideoPart], R]) -> Callable[[str | VideoPart], R | str]:
    """Return `read` as a worker calls it: what is wrong with a video is a result, in words."""

    def call(video: str | VideoPart) -> R | str:
        try:
            return read(video)
        except VideoError as error:
            return failed_name(part_path(video), error)[1]
        except EmoCLIPError:
            raise
        except Exception as error:  # one video must not stop the rest
            if os.environ.get("EMOCLIP_DEBUG"):
                raise
            return f"unexpected {type(error).__name__}: {error} (a bug in emoclip_sdk)"

    return call


def part_path(video: str | VideoPart) -> str:
    """Return the file of a video or of a part of one."""
    return video.path if isinstance(video, VideoPart) else video


def part_options(video: str | VideoPart, options: ReadOptions) -> ReadOptions:
    """Return how a video, or a part of one, is read."""
    if not isinstance(video, VideoPart):
        return options
    return dataclasses.replace(options, start=video.start, end=video.end)
