"""What a row of the suite is, and what all rows are computed from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....inference.scorer import cosine_similarities
from ....model import EmoCLIP
from ...data.cache import pool_frames
from ...data.datasets import Clip
from ...data.ferplus import Pictures
from ...data.measured_actions import facial_actions
from ...data.shapes import measure_shapes
from ..evaluate import zero_shot_scores
from ..frames import clip_frames, picture_clips
from ..prompts import class_vectors

__all__ = ["CardRow", "EvaluatedPictures", "EvaluatedSplit", "mean_known"]

_COMPARE: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class CardRow:
    """One figure of the suite.

    Attributes
    ----------
    key : str
        Short name, the same in every release.
    figure : str
        What is measured, for people.
    values : mapping of str to float or None
        The figures; fractions of 1 unless their name carries a unit. None: could not be measured.
    goals : mapping of str to (str, float)
        For some of the values: ``">="`` or ``"<="``, and the number.
    n : int or None
        How many pictures, clips or words it was measured on.
    how : str
        The definition in a sentence or two, and what it can't say.
    details : mapping
        Everything behind the figure: classes, intervals, failures. JSON types.
    """

    key: str
    figure: str
    values: Mapping[str, float | None]
    goals: Mapping[str, tuple[str, float]]
    n: int | None
    how: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether every goal is reached; None where there is none, or a value is not known."""
        if not self.goals:
            return None
        reached = []
        for key, (sign, bound) in self.goals.items():
            value = self.values.get(key)
            if value is None:
                return None
            reached.append(_COMPARE[sign](value, bound))
        return all(reached)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {
            "key": self.key,
            "figure": self.figure,
            "values": {name: _rounded(value) for name, value in self.values.items()},
            "goal": {name: f"{sign} {bound:g}" for name, (sign, bound) in self.goals.items()},
            "met": self.met,
            "n": self.n,
            "how": self.how,
            **self.details,
        }


class EvaluatedSplit:
    """A model and the clips that it is measured on; what several rows need is computed once.

    Parameters
    ----------
    model : EmoCLIP
    clips : sequence of Clip
        All with a label.
    classes : sequence of str
        The labels that compete. Some may have no clip.
    cropped : bool
        The frames are face crops already: no detector is run.
    """

    def __init__(
        self,
        model: EmoCLIP,
        clips: Sequence[Clip],
        classes: Sequence[str],
        *,
        cropped: bool = True,
    ) -> None:
        self.model = model
        self.clips = clips
        self.classes = tuple(classes)
        self.cropped = cropped

    @cached_property
    def every_label(self) -> NDArray[np.int64]:
        """The class of each clip, those without a face included."""
        return np.array([clip.label for clip in self.clips], np.int64)

    @cached_property
    def every_video(self) -> NDArray[np.float32]:
        """Every clip as a user's would be embedded; NaN where no face is seen."""
        return pool_frames(self.model, clip_frames(self.model, self.clips, cropped=self.cropped))

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """In which clips a face is seen."""
        return ~np.isnan(self.every_video.sum(axis=1))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The class of each clip that shows a face, (N,)."""
        return self.every_label[self.seen]

    @cached_property
    def video(self) -> NDArray[np.float32]:
        """The clips that show a face, (N, D)."""
        return self.every_video[self.seen]

    @cached_property
    def text(self) -> NDArray[np.float32]:
        """The classes by the model's own descriptions, (C, D)."""
        return class_vectors(self.model, self.classes)

    @cached_property
    def similarities(self) -> NDArray[np.float64]:
        """Cosine similarity of clips and classes, (N, C)."""
        return cosine_similarities(self.video, self.text)

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Scores of eq. 1 as users get them, calibrated: (N, C)."""
        return zero_shot_scores(self.model, self.video, self.text)


class EvaluatedPictures(EvaluatedSplit):
    """A model and pictures of FER+ with their votes, each as a clip of one frame.

    Parameters
    ----------
    model : EmoCLIP
    pictures : Pictures
    """

    def __init__(self, model: EmoCLIP, pictures: Pictures) -> None:
        super().__init__(model, picture_clips(pictures), pictures.classes)
        self.pictures = pictures

    @cached_property
    def shown_actions(self) -> dict[str, NDArray[np.bool_]]:
        """Which pictures show each facial action, (N,), as the landmark network measures them."""
        actions = facial_actions(measure_shapes(self.pictures.images))
        return dict(zip(actions.names, actions.presence.T > 0.5, strict=True))


def mean_known(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are known; None: there are none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
