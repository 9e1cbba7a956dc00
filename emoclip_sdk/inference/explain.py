"""Why a label won: frames that carried the decision, and descriptions that fit."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EmoCLIPError
from ..faces import Box, FrameFaces, face_crop
from ..results.action_words import describe_changes
from ..results.evidence import NOISE, DescriptionMatch, FrameWeight, telling
from ..results.explanation import Explanation
from ..video import VideoSource, open_video
from .action_measures import named_measures
from .clips import spans
from .frames import EmbeddedFrame
from .options import ReadOptions, face_config
from .quality import QualityFilter
from .reader import FaceReader
from .scorer import Scorer, cosine_similarities
from .stream import FaceStream, TrackChoice

if TYPE_CHECKING:
    from ..prompts import LabelEncoder
    from .encoder import Encoder

__all__ = ["explain_video"]

PICTURE_SIZE = 160
"""Side of the face pictures in pixels."""

_BATCH = 256  # clips with a frame left out
_ABOUT = 0.5  # seconds on each side of a frame that its own scores are of


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
    source = open_video(video, fps=options.fps, allow_network=options.allow_network)
    numbers: dict[float, int] = {}

    def watch(frame: FrameFaces) -> None:
        numbers[frame.time] = frame.index

    stream = reader.read(source, options, watch, shapes=True).kept()
    (prediction,) = scorer.predictions(stream, track)
    if prediction.track is None or prediction.label is None:
        return Explanation(prediction, origin=source.origin)
    frames = list(QualityFilter(scorer.min_quality)(stream))
    in_view = [frame for frame in frames if prediction.track in frame.faces]
    clips = _clips(frames, prediction.track, scorer.n_frames)
    vectors = np.stack([frame.faces[prediction.track] for frame in in_view])
    winner = scorer.labels.index(prediction.label)
    changes = _changes(vectors, clips, scorer, winner)
    attention = np.zeros(len(in_view))
    for clip, shares in zip(clips, encoder.attention(vectors, clips), strict=True):
        for row, share in zip(clip, shares, strict=False):
            if row >= 0:
                attention[row] += share / len(clips)
    boxes = [frame.detections[prediction.track].box for frame in in_view]
    about = _scores_about([frame.time for frame in in_view], vectors, scorer)
    pictured = telling(about, prediction.label, n_pictures)
    config = face_config(reader.config.faces, options.faces)
    cut = _pictures(
        source,
        [numbers[in_view[row].time] for row in pictured],
        [boxes[row] for row in pictured],
        config.margin if config.detector != "none" else 0.0,
    )
    pictures = dict(zip(pictured, cut, strict=True))
    pooled = scorer.pool(vectors, clips)
    measures = [frame.actions.get(prediction.track) for frame in in_view]
    return Explanation(
        prediction,
        tuple(
            FrameWeight(
                frame.time,
                boxes[row],
                about[row],
                float(changes[row]),
                float(attention[row]),
                pictures.get(row),
                _against_the_rest(measures, [row]),
            )
            for row, frame in enumerate(in_view)
        ),
        _descriptions(pooled, scorer, labels),
        _best_against_the_rest(measures, [scores[prediction.label] for scores in about]),
        source.origin,
    )


def _against_the_rest(
    measures: Sequence[NDArray[np.float32] | None], rows: Sequence[int] | NDArray[np.int64]
) -> str:
    """Say which actions differ between some frames and all others."""
    chosen = {int(row) for row in rows}
    parts = [
        [m for row, m in enumerate(measures) if m is not None and (row in chosen) == inside]
        for inside in (True, False)
    ]
    if not all(parts):
        return ""
    some, others = (named_measures(np.mean(part, axis=0)) for part in parts)
    return describe_changes(some, others)


def _best_against_the_rest(
    measures: Sequence[NDArray[np.float32] | None], scores: Sequence[float]
) -> str:
    """Say which actions differ between the quarter of best scores and the others."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    best, others = order[: len(order) // 4], order[len(order) // 4 :]
    if (
        not len(best)
        or np.mean([scores[i] for i in best]) - np.mean([scores[i] for i in others]) < NOISE
    ):
        return ""
    return _against_the_rest(measures, best)


def _scores_about(
    times: Sequence[float], vectors: NDArray[np.float32], scorer: Scorer
) -> list[dict[str, float]]:
    """Score the second about each frame by itself."""
    at = np.asarray(times)
    low, high = np.searchsorted(at, at - _ABOUT), np.searchsorted(at, at + _ABOUT, side="right")
    clips = [list(range(a, b))[: scorer.n_frames] for a, b in zip(low, high, strict=True)]
    scores: list[dict[str, float]] = []
    for start in range(0, len(clips), _BATCH):
        part = scorer.scores(scorer.pool(vectors, clips[start : start + _BATCH]))
        scores += [dict(zip(scorer.labels, row, strict=True)) for row in part.tolist()]
    return scores


def _clips(frames: Sequence[EmbeddedFrame], track: int, n_frames: int) -> list[list[int]]:
    """Return the track's clips as rows among its frames, -1 in gaps."""
    row = -1
    seen: list[tuple[float, dict[int, int]]] = []
    for frame in frames:
        in_view = track in frame.faces
        row += in_view
        seen.append((frame.time, {track: row} if in_view else {}))
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

    pictures: list[bytes] = []
    for number, box in zip(numbers, boxes, strict=True):
        (frame,) = source.pick([number])  # one by one: eight of 8K are a gigabyte
        file = io.BytesIO()
        face = face_crop(frame.rgb, box, PICTURE_SIZE, margin)
        Image.fromarray(face).save(file, "JPEG", quality=90)
        pictures.append(file.getvalue())
    return pictures


def _descriptions(
    pooled: NDArray[np.float32], scorer: Scorer, labels: LabelEncoder
) -> dict[str, tuple[DescriptionMatch, ...]]:
    descriptions = {}
    for label in scorer.texts:
        similarities = cosine_similarities(pooled, labels.embed_texts(label.texts)).mean(axis=0)
        matches = [
            DescriptionMatch(text, weight, float(similarity))
            for text, weight, similarity in zip(
                label.texts, label.weights, similarities, strict=True
            )
        ]
        descriptions[label.label] = tuple(sorted(matches, key=lambda match: -match.similarity))
    return descriptions
