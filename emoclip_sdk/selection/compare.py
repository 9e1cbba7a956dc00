"""The same videos under two models, or under two prompt banks of one model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EmoCLIPError
from ..inference.options import ReadOptions
from ..inference.reader import FaceReader
from ..inference.stream import FaceStream
from ..inference.videos import each_of
from ..prompts import LabelSet
from ..results.records import Prediction
from ..results.tables import label_columns, to_pandas

if TYPE_CHECKING:
    import pandas
    from typing_extensions import Unpack

    from ..inference.options import ReadKeywords
    from ..inference.pretrained import PretrainedModel
    from ..video import VideoInput

__all__ = ["Comparison", "compare_models", "read_for_both"]


@dataclass(frozen=True)
class Comparison:
    """Two predictions for each video.

    Attributes
    ----------
    pairs : tuple of (Prediction, Prediction)
        Under the first and the second model, of each one's most prominent face.
    """

    pairs: tuple[tuple[Prediction, Prediction], ...]

    @property
    def read(self) -> list[tuple[Prediction, Prediction]]:
        """The pairs in which both found a face."""
        return [(a, b) for a, b in self.pairs if a.face_found and b.face_found]

    @property
    def agreement(self) -> float:
        """Share of the videos with a face to which both give the same label; NaN without any."""
        return float(np.mean([a.label == b.label for a, b in self.read])) if self.read else math.nan

    def per_label(self) -> dict[str, dict[str, Any]]:
        """Return for each label how the two differ.

        ``a`` and ``b``: videos that get it; ``both``: videos that get it from both;
        ``score_a`` and ``score_b``: mean scores; ``difference``: mean of b's score minus a's;
        ``distance``: mean of its absolute value. None without a face.
        """
        labels = self.pairs[0][0].scores if self.pairs else {}
        rows = {}
        for label in labels:
            scores = np.array([(a.scores[label], b.scores[label]) for a, b in self.read])
            won = np.array([(a.label == label, b.label == label) for a, b in self.read], bool)
            if not len(scores):
                scores, won = np.full((1, 2), np.nan), np.zeros((1, 2), bool)
            change = scores[:, 1] - scores[:, 0]
            figures = {
                "score_a": scores[:, 0].mean(),
                "score_b": scores[:, 1].mean(),
                "difference": change.mean(),
                "distance": np.abs(change).mean(),
            }
            rows[label] = {
                "a": int(won[:, 0].sum()),
                "b": int(won[:, 1].sum()),
                "both": int(won.all(axis=1).sum()),
                **{key: None if np.isnan(v) else float(v) for key, v in figures.items()},
            }
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types; NaN becomes None."""
        return {
            "videos": len(self.pairs),
            "with_face": len(self.read),
            "agreement": None if math.isnan(self.agreement) else self.agreement,
            "per_label": self.per_label(),
            "pairs": [
                {
                    "source": a.source,
                    "agree": a.label == b.label if a.face_found and b.face_found else None,
                    "a": a.to_dict(),
                    "b": b.to_dict(),
                }
                for a, b in self.pairs
            ],
        }

    def to_records(self) -> list[dict[str, Any]]:
        """Return a flat row for each video; ``a`` and ``b`` are the two models."""
        return [
            {
                "source": a.source,
                "status": a.status,
                "error": a.error,
                "label_a": a.label,
                "label_b": b.label,
                "agree": a.label == b.label if a.face_found and b.face_found else None,
                **label_columns("score_a", a.scores),
                **label_columns("score_b", b.scores),
            }
            for a, b in self.pairs
        ]

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame of :meth:`to_records`. Needs pandas."""
        return to_pandas(self.to_records())


def compare_models(
    a: PretrainedModel,
    b: PretrainedModel,
    videos: Sequence[VideoInput],
    labels: LabelSet | None = None,
    **reading: Unpack[ReadKeywords],
) -> Comparison:
    """Score labels on videos under two models; faces are found once where both look alike.

    Parameters
    ----------
    a, b : PretrainedModel
    videos : sequence
        Anything that :meth:`EmoCLIP.classify` takes.
    labels : sequence of str, or mapping of str to descriptions, optional
        As in :meth:`EmoCLIP.classify`. None: the label set of both, which must be the same.
    **reading
        As in :meth:`EmoCLIP.classify`.

    Returns
    -------
    Comparison
        Videos that can't be read have `error` set in both predictions.
    """
    if labels is None and set(a.labels) != set(b.labels):
        raise EmoCLIPError(f"{a.name} and {b.name} have other label sets: name the labels")
    common = a.labels if labels is None else labels
    scorers = [model.scorer(common, "average", None) for model in (a, b)]

    def pair(video: Any, options: ReadOptions) -> tuple[Prediction, Prediction]:
        streams = read_for_both(a, b, video, options)
        one, other = (
            scorer.predictions(stream, "prominent")[0]
            for scorer, stream in zip(scorers, streams, strict=True)
        )
        return one, other

    def failed(name: str, reason: str) -> tuple[Prediction, Prediction]:
        one, other = (scorer.empty(name, error=reason) for scorer in scorers)
        return one, other

    return Comparison(tuple(each_of(videos, ReadOptions(**reading), pair, failed)))


def read_for_both(
    a: PretrainedModel, b: PretrainedModel, video: VideoInput, options: ReadOptions
) -> tuple[FaceStream, FaceStream]:
    """Read a video for two models: once, where both sample, find and cut faces alike."""
    if a.encoder.network is b.encoder.network:
        stream = a.reader(video, options).kept()
        return stream, stream
    looks = [
        (c.sampling.rate, c.faces, c.image.crop_size or c.image.size, c.shape is None)
        for c in (a.config, b.config)
    ]
    if looks[0] != looks[1] or a.detector is not b.detector:
        return a.reader(video, options), b.reader(video, options)

    def encode(crops: Any, shapes: Any) -> Any:
        return np.concatenate([model.encoder.frames(crops, shapes) for model in (a, b)], axis=1)

    reader = FaceReader(a.config, encode, a.reader.detector)
    stream = reader(video, options).kept()
    a.reader.detector = reader.detector
    width = a.encoder.width

    def half(part: slice) -> FaceStream:
        frames = [
            dataclasses.replace(frame, faces={track: v[part] for track, v in frame.faces.items()})
            for frame in stream
        ]
        return FaceStream(stream.name, frames, stream.table, lambda: stream.duration)

    return half(slice(width)), half(slice(width, None))
