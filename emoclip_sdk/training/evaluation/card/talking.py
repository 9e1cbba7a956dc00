"""The row about heads that talk: a mouth that moves is no expression by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....inference.scorer import cosine_similarities
from ....model import EmoCLIP
from ...data.cache import pool_frames
from ...data.datasets import Clip
from ...heads.render import HeadModel
from ...heads.talking import FRAMES, TalkingHead, render_talking
from ..frames import clip_frames
from ..metrics import recalls
from .heads import PEOPLE
from .rows import CardRow, mean_known

__all__ = ["talking_row"]


def talking_row(
    model: EmoCLIP, source: HeadModel, text: NDArray[np.float32], classes: tuple[str, ...]
) -> CardRow:
    """Measure how talk is read, where a face is at rest besides and where it poses an emotion.

    Parameters
    ----------
    model : EmoCLIP
    source : HeadModel
    text : ndarray, (C, D)
        What the labels of `classes` are embedded as; all of them compete.
    classes : tuple of str
        With neutral.
    """
    drawn = [clip for person in range(PEOPLE) for clip in render_talking(source, person)]
    labels = np.array([classes.index(clip.emotion) for clip in drawn])
    video = pool_frames(model, clip_frames(model, [_clip(i, c) for i, c in enumerate(drawn)]))
    predicted = cosine_similarities(video, text).argmax(axis=1)
    measured = recalls(predicted, labels, classes)["per_class"]
    calm = labels == classes.index("neutral")
    taken = {name: round(float((predicted[calm] == i).mean()), 4) for i, name in enumerate(classes)}
    shown = {name: row for name, row in measured.items() if row["n"]}
    return CardRow(
        "talking",
        "rendered heads that talk",
        {
            "at rest besides, called neutral": shown["neutral"]["recall"],
            "mean recall of emotions": mean_known(
                row["recall"] for name, row in shown.items() if name != "neutral"
            ),
        },
        {},
        len(drawn),
        f"{len(drawn)} clips of {FRAMES} frames (1.7 s) of {PEOPLE} rendered heads of ICT-FaceKit "
        f"whose mouths move as in speech; {int(calm.sum())} are at rest but for that, the others "
        "pose an emotion besides (none contempt). All labels compete. No sound is behind the "
        "movement, and nobody speaks a language.",
        {"per_class": shown, "at rest besides, called": taken},
    )


def _clip(number: int, clip: TalkingHead) -> Clip:
    return Clip(str(number), np.stack([head.picture for head in clip.frames]), 0)
