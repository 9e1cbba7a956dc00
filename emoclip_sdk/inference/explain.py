"""Why a label won: frames that carried the decision, and descriptions that fit."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces import Box, FrameFaces, face_crop
from ..results.explanation import Explanation, influential
from ..results.records import DescriptionMatch, FrameWeight
from ..video import VideoSource, open_video
from .clips import spans
from .frames import EmbeddedFrame
from .reader import FaceReader, ReadOptions
from .scorer import Scorer, cosine_similarities
from .stream import FaceStream, TrackChoice

if TYPE_CHECKING:
    from ..prompts import LabelEncoder
    from .encoder import Encoder

__all__ = ["explain_video"]

PICTURE_SIZE = 160
"""Side of the face pictures in pixels."""

_BATCH = 256  # clips with a frame left out


def explain_video(
    video: Any,
    track: TrackChoice,
    *,
    options: ReadOptions,
    reader: FaceReader,
    scorer: Scorer,
    encoder: Encoder,
    labels: LabelEncoder,
    n_pictures: int,
) -> Explanation:
    """Read and score a video, and find out why; see :meth:`EmoCLIP.explain`."""
    if isinstance(video, FaceStream):
        raise EmoCLIPError("explain shows pictures: give it the video, not what read() returned")
    if track == "all":
        raise EmoCLIPError("explain takes one face: track='prominent' or a number")
    source = open_video(video, fps=options.fps, allow_network=options.allow_network)
    places: list[tuple[int, dict[int, Box]]] = []

    def watch(frame: FrameFaces) -> None:
        places.append((frame.index, {face.track: face.box for face in frame.faces}))

    stream = reader(source, options, watch).kept()
    (prediction,) = scorer.predictions(stream, track)
    if prediction.track is None or prediction.label is None:
        return Explanation(prediction)
    frames = list(stream)
    there = [i for i, frame in enumerate(frames) if prediction.track in frame.faces]
    clips = _clips(frames, prediction.track, scorer.n_frames)
    vectors = np.stack([frames[i].faces[prediction.track] for i in there])
    winner = scorer.labels.index(prediction.label)
    changes = _changes(vectors, clips, scorer, winner)
    attention = np.zeros(len(there))
    for clip, shares in zip(clips, encoder.attention(vectors, clips), strict=True):
        for row, share in zip(clip, shares, strict=False):
            if row >= 0:
                attention[row] += share / len(clips)
    boxes = [places[i][1][prediction.track] for i in there]
    shown = influential(changes, n_pictures)
    numbers = [places[there[row]][0] for row in shown]
    margin = reader.config.faces.margin if options.faces != "none" else 0.0
    pictures = dict(
        zip(shown, _pictures(source, numbers, [boxes[row] for row in shown], margin), strict=True)
    )
    pooled = scorer.pool(vectors, clips)
    return Explanation(
        prediction,
        tuple(
            FrameWeight(
                frames[i].time,
                boxes[row],
                float(changes[row]),
                float(attention[row]),
                pictures.get(row),
            )
            for row, i in enumerate(there)
        ),
        _descriptions(pooled, scorer, labels),
    )


def _clips(frames: Sequence[EmbeddedFrame], track: int, n_frames: int) -> list[list[int]]:
    """Return the track's clips as rows among its frames, -1 in gaps."""
    row = -1
    seen: list[tuple[float, dict[int, int]]] = []
    for frame in frames:
        there = track in frame.faces
        row += there
        seen.append((frame.time, {track: row} if there else {}))
    return [[-1 if r is None else r for r in clip] for _, clip in spans(seen, n_frames)]


def _changes(
    vectors: NDArray[np.float32], clips: Sequence[Sequence[int]], scorer: Scorer, winner: int
) -> NDArray[np.float64]:
    """Return what leaving each frame out takes from the winner's score."""
    full = scorer.scores(scorer.pool(vectors, clips))[:, winner]
    without = np.tile(full, (len(vectors), 1))  # by frame and clip
    cases = [(row, c) for c, clip in enumerate(clips) for row in clip if row >= 0]
    for start in range(0, len(cases), _BATCH):
        part = cases[start : start + _BATCH]
        rest = [[-1 if r == row else r for r in clips[c]] for row, c in part]
        left = [i for i, clip in enumerate(rest) if max(clip) >= 0]
        for row, c in part:
            without[row, c] = np.nan  # a clip of which nothing is left counts no more
        if left:
            scores = scorer.scores(scorer.pool(vectors, [rest[i] for i in left]))[:, winner]
            for i, score in zip(left, scores, strict=True):
                without[part[i]] = score
    known = np.isfinite(without)
    total = np.where(known, without, 0.0).sum(axis=1)
    mean = np.divide(total, known.sum(axis=1), out=np.full(len(total), np.nan), where=known.any(1))
    return np.asarray(full.mean() - mean)


def _pictures(
    source: VideoSource, numbers: Sequence[int], boxes: Sequence[Box], margin: float
) -> list[bytes]:
    """Cut faces out of a video once more, larger than the model sees them."""
    from PIL import Image

    found = []
    for frame, box in zip(source.pick(numbers), boxes, strict=True):
        file = io.BytesIO()
        face = face_crop(frame.rgb, box, PICTURE_SIZE, margin)
        Image.fromarray(face).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found


def _descriptions(
    pooled: NDArray[np.float32], scorer: Scorer, labels: LabelEncoder
) -> dict[str, tuple[DescriptionMatch, ...]]:
    found = {}
    for label in scorer.texts:
        similarities = cosine_similarities(pooled, labels.embed_texts(label.texts)).mean(axis=0)
        matches = [
            DescriptionMatch(text, weight, float(similarity))
            for text, weight, similarity in zip(
                label.texts, label.weights, similarities, strict=True
            )
        ]
        found[label.label] = tuple(sorted(matches, key=lambda match: -match.similarity))
    return found
