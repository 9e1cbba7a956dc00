"""The rows about heads and portraits: actions in words, where it is known what a face does.

And when: clips of a head that does one thing after another.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ....assets import package_file
from ....inference.scorer import cosine_similarities
from ....model import EmoCLIP
from ....prompts.facial_actions import action_wordings
from ...data.cache import pool_frames
from ...data.datasets import Clip
from ...data.measured_actions import FacialActions
from ...heads.actions import SIDE_ACTIONS, head_actions, head_sides
from ...heads.portraits import read_portraits, render_portrait
from ...heads.render import HeadModel, RenderedHead, render_person
from ..frames import clip_frames
from .actions import ACTION_SENTENCES
from .confidence import auroc
from .rows import CardRow, mean_known

__all__ = ["ORDER_SENTENCES", "PEOPLE", "SIDE_SENTENCES", "heads_row", "portraits_row"]

SIDE_SENTENCES = package_file("emoclip_sdk.training.evaluation", "side_sentences.yaml")
ORDER_SENTENCES = package_file("emoclip_sdk.training.evaluation", "order_sentences.yaml")

PEOPLE = 10
"""People to render or to move: none whom a model was trained on."""
_GOALS = {
    "auc, words that no caption uses": (">=", 0.85),
    "sides told apart": (">=", 0.85),
    "order told apart": (">=", 0.85),
}
_SHOWN, _HIDDEN = 0.7, 0.2  # what is there and what is not; what is between does not count
_REST = -1
_CLIP = (_REST, 0, 0, _REST, _REST, 1, 1, _REST)  # which of two pictures is seen, frame by frame


def heads_row(model: EmoCLIP, source: HeadModel) -> CardRow:
    """Measure how well words about facial actions rank rendered heads, and tell sides and order.

    Parameters
    ----------
    model : EmoCLIP
    source : HeadModel
    """
    people = [list(render_person(source, person)) for person in range(PEOPLE)]
    row = _measured(model, people)
    return CardRow(
        "heads",
        "facial actions of rendered heads, in words",
        row.values,
        _GOALS,
        row.n,
        f"{row.n} pictures of {PEOPLE} rendered heads of ICT-FaceKit, {row.how}",
        row.details,
    )


def portraits_row(
    model: EmoCLIP, source: HeadModel, pictures: Iterable[NDArray[np.uint8]]
) -> CardRow:
    """Measure the same on photographs of people that the head model moves.

    Parameters
    ----------
    model : EmoCLIP
    source : HeadModel
    pictures : iterable of ndarray, each (S, S) or (S, S, 3), uint8
        Faces at rest; the first `PEOPLE` that can be moved are. None can: nothing is measured.
    """
    portraits = list(itertools.islice(read_portraits(source, pictures), PEOPLE))
    figure = "facial actions of portraits that are moved, in words"
    if not portraits:
        how = "No neutral picture of the split shows a face from the front that a head can move."
        return CardRow("portraits", figure, dict.fromkeys(("auc", *_GOALS)), _GOALS, 0, how)
    people = [
        list(render_portrait(source, portrait, seed)) for seed, portrait in enumerate(portraits)
    ]
    row = _measured(model, people)
    return CardRow(
        "portraits",
        figure,
        row.values,
        _GOALS,
        row.n,
        f"{row.n} pictures made of {len(people)} neutral ones of the split, which ICT-FaceKit's "
        f"head moves, {row.how}",
        row.details,
    )


@dataclass(frozen=True)
class _Measured:
    values: dict[str, float | None]
    n: int
    how: str
    details: dict[str, Any]


def _measured(model: EmoCLIP, by_person: Sequence[Sequence[RenderedHead]]) -> _Measured:
    heads = [head for person in by_person for head in person]
    pictures = [head.picture for head in heads]
    frames, mirrored_frames = (
        _frames(model, images) for images in (pictures, [picture[:, ::-1] for picture in pictures])
    )
    video, mirror = (pool_frames(model, each) for each in (frames, mirrored_frames))
    actions, sides = head_actions(heads), head_sides(heads)
    others: dict[str, list[str]] = yaml.safe_load(ACTION_SENTENCES.read_text(encoding="utf-8"))
    of_sides: dict[str, list[str]] = yaml.safe_load(SIDE_SENTENCES.read_text(encoding="utf-8"))
    per_action: dict[str, dict[str, float | int]] = {}
    for name, presence in zip(actions.names, actions.presence.T, strict=True):
        there, rows = presence > _SHOWN, (presence > _SHOWN) | (presence < _HIDDEN)
        if name in others:
            areas = [
                mean_known(
                    auroc(s, there[rows]) for s in _similarities(model, video[rows], texts).T
                )
                for texts in (action_wordings()[name], others[name])
            ]
            if areas[0] is not None and areas[1] is not None:
                n = int(there.sum())
                per_action[name] = {"auc": areas[0], "other words": areas[1], "n": n}
    per_side: dict[str, dict[str, float | int]] = {}
    for name, presence in zip(sides.names, sides.presence.T, strict=True):
        action, side = SIDE_ACTIONS[name]
        texts, rows = [text.format(side=side) for text in of_sides[action]], presence > _SHOWN
        if rows.any():
            picture, mirrored = (_similarities(model, v[rows], texts) for v in (video, mirror))
            told = round(float((picture > mirrored).mean()), 4)
            per_side[name] = {"told apart": told, "n": int(rows.sum())}
    people = np.repeat(range(len(by_person)), list(map(len, by_person)))
    per_pair = _order(model, frames, actions, people)
    return _Measured(
        {
            "auc": mean_known(row["auc"] for row in per_action.values()),
            "auc, words that no caption uses": mean_known(
                row["other words"] for row in per_action.values()
            ),
            "sides told apart": _of_all(per_side),
            "order told apart": _of_all(per_pair),
        },
        len(heads),
        "with single expressions and a few at once, of random strength, in a third of the cases on "
        "one side alone. How often a picture that shows an action is nearer to a sentence about it "
        "than one that does not (area under the ROC curve, 0.5 by chance): mean over "
        f"{len(per_action)} actions. Sides, {len(per_side)} of them: how often a picture is nearer "
        "to a sentence about the side that moves than its own mirror image is, 0.5 by chance, of "
        f"all such pictures together. Order, {len(per_pair)} pairs of actions: how often a clip of "
        "a head that does one thing and then another is nearer to a sentence that says so than its "
        "reverse is, 0.5 by chance. What a head does is known exactly, also where no landmark "
        "shows it.",
        {"actions": per_action, "sides": per_side, "order": per_pair},
    )


def _frames(model: EmoCLIP, pictures: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    clips = [Clip(str(i), np.ascontiguousarray(p)[None], 0) for i, p in enumerate(pictures)]
    return clip_frames(model, clips)


def _order(
    model: EmoCLIP,
    frames: Sequence[NDArray[np.float32]],
    actions: FacialActions,
    people: NDArray[np.int64],
) -> dict[str, dict[str, float | int]]:
    """Tell clips of one person that does two things from their reverse, for each two actions."""
    sentences = yaml.safe_load(ORDER_SENTENCES.read_text(encoding="utf-8"))
    clauses: dict[str, list[str]] = sentences["clauses"]
    presence = dict(zip(actions.names, actions.presence.T, strict=True))
    still = actions.presence[:, actions.names.index("mouth_relaxed")] + presence["brows_relaxed"]
    rng = np.random.default_rng(0)
    per_pair: dict[str, dict[str, float | int]] = {}
    for one, two in itertools.combinations(clauses, 2):
        only = [
            (presence[a] > _SHOWN) & (presence[b] < _HIDDEN) for a, b in ((one, two), (two, one))
        ]
        able = [p for p in np.unique(people) if all((rows & (people == p)).any() for rows in only)]
        if not able:
            continue
        person = people == rng.choice(able)
        pair = [int(rng.choice(np.flatnonzero(rows & person))) for rows in only]
        rest = int(np.flatnonzero(person)[still[person].argmax()])
        clips = [
            np.concatenate([frames[rest if place == _REST else rows[place]] for place in _CLIP])
            for rows in (pair, pair[::-1])
        ]
        video = pool_frames(model, clips)
        told = []
        for (a, b), order in (((one, two), video), ((two, one), video[::-1])):
            texts = [
                template.format(a=rng.choice(clauses[a]), b=rng.choice(clauses[b]))
                for template in sentences["templates"]
            ]
            forward, backward = _similarities(model, order, texts)
            told.append(forward > backward)
        told_apart = round(float(np.mean(told)), 4)
        per_pair[f"{one}, {two}"] = {"told apart": told_apart, "n": int(np.size(told))}
    return per_pair


def _similarities(
    model: EmoCLIP, video: NDArray[np.float32], sentences: Iterable[str]
) -> NDArray[np.float64]:
    return cosine_similarities(video, model.embed_text(list(sentences)))


def _of_all(rows: dict[str, dict[str, float | int]]) -> float | None:
    n = sum(row["n"] for row in rows.values())
    told = sum(row["told apart"] * row["n"] for row in rows.values())
    return round(float(told / n), 4) if n else None
