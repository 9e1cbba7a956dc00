"""Frames whose faces are embedded: every face goes through the image tower once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..faces import Detection, FaceQuality, FaceShape, FrameFaces

__all__ = ["EmbeddedFrame", "Encode", "embed_faces"]


Vector = NDArray[np.float32]
Encode = Callable[[NDArray[np.uint8], Sequence[FaceShape | None]], NDArray[np.float32]]
"""Crops (N, S, S, 3) and the shapes of the same faces to embeddings (N, D)."""

_BATCH = 64  # crops
_LONGEST_WAIT = 256  # frames, where few of them show a face


@dataclass(frozen=True)
class EmbeddedFrame:
    """The faces of one sampled frame.

    Attributes
    ----------
    time : float
        Seconds.
    faces : dict of int to ndarray (D,)
        Frame embedding of each track that is in view.
    detections : dict of int to Detection
        Where each of them is in the picture, and how sure the detector is of it.
    qualities : dict of int to FaceQuality
        How well each of them can be seen.
    shapes : dict of int to FaceShape
        Landmarks and blendshapes of each whose shape was asked for and found.
    actions : dict of int to ndarray (56,)
        The :data:`~emoclip_sdk.inference.action_measures.MEASURES` of the same faces.
    presences : dict of int to float
        How sure the landmark network is of each of them.
    index : int
        Number of the frame in the file, from 0, as in :class:`~emoclip_sdk.video.Frame`.
    """

    time: float
    faces: Mapping[int, Vector]
    detections: Mapping[int, Detection] = field(default_factory=dict)
    qualities: Mapping[int, FaceQuality] = field(default_factory=dict)
    shapes: Mapping[int, FaceShape] = field(default_factory=dict)
    actions: Mapping[int, Vector] = field(default_factory=dict)
    presences: Mapping[int, float] = field(default_factory=dict)
    index: int = 0


def embed_faces(
    stream: Iterable[FrameFaces], encode: Encode, *, at_once: bool = False
) -> Iterator[EmbeddedFrame]:
    """Embed the crops of a stream of frames in batches; no more crops than a batch are held.

    Parameters
    ----------
    stream : iterable of FrameFaces
        In order of time.
    encode : callable
        Crops (N, S, S, 3) and their shapes, None where there is none, to embeddings (N, D).
    at_once : bool
        Embed each frame when it comes.
    """
    from .action_measures import action_measures  # which loads torch; a frame alone needs none

    waiting: list[FrameFaces] = []
    crops: list[NDArray[np.uint8]] = []
    shapes: list[FaceShape | None] = []

    def finished() -> Iterator[EmbeddedFrame]:
        vectors = iter(encode(np.stack(crops), list(shapes)) if crops else ())
        measures = iter(action_measures([shape for shape in shapes if shape is not None]))
        for frame in waiting:
            yield EmbeddedFrame(
                frame.time,
                {face.track: next(vectors) for face in frame.faces},
                {face.track: Detection(face.box, face.confidence) for face in frame.faces},
                {face.track: face.quality for face in frame.faces if face.quality is not None},
                {face.track: face.shape for face in frame.faces if face.shape is not None},
                {face.track: next(measures) for face in frame.faces if face.shape is not None},
                {f.track: f.shape.presence for f in frame.faces if f.shape is not None},
                frame.index,
            )
        waiting.clear()
        crops.clear()
        shapes.clear()

    for frame in stream:
        waiting.append(frame)
        crops += [face.crop for face in frame.faces]
        shapes += [face.shape for face in frame.faces]
        if at_once or len(crops) >= _BATCH or len(waiting) >= _LONGEST_WAIT:
            yield from finished()
    yield from finished()
