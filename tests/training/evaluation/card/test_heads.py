"""The card's rows about rendered heads and portraits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from emoclip_sdk.prompts.facial_actions import action_wordings
from emoclip_sdk.training.evaluation.card import heads
from emoclip_sdk.training.evaluation.card.actions import ACTION_SENTENCES
from emoclip_sdk.training.heads.actions import SIDE_ACTIONS, head_actions, head_sides
from emoclip_sdk.training.heads.render import HeadModel, HeadScene, RenderedHead

SHOWN = (
    {},
    {"mouthSmile_L": 1.0, "mouthSmile_R": 1.0},
    {"mouthSmile_L": 1.0},
    {"mouthSmile_R": 0.8},
    {"noseSneer_L": 0.9, "noseSneer_R": 0.9},
    {"jawOpen": 1.0, "browDown_L": 0.7, "browDown_R": 0.7},
)

OTHER = {"left": "right", "right": "left"}
MIRRORED = {f"{name}_{side}": f"{name}_{OTHER[side]}" for name, side in SIDE_ACTIONS.values()}


def draw(_: object, person: int) -> Iterator[RenderedHead]:
    """Yield heads whose pictures are their numbers."""
    for number, strengths in enumerate(SHOWN):
        yield RenderedHead(np.full((2, 2, 3), number, np.uint8), dict(strengths), HeadScene())


def pool(_: object, clips: list[np.ndarray]) -> np.ndarray:
    """Return what clips show, and what comes late less what comes early."""
    halves = [np.array_split(clip, 2) if len(clip) > 1 else (clip, clip) for clip in clips]
    change = [late.mean(axis=0) - early.mean(axis=0) for early, late in halves]
    return np.concatenate([[clip.mean(axis=0) for clip in clips], change], axis=1)


def order_of() -> dict[str, tuple[str, str]]:
    """Return all sentences about order: which action comes first, and which second."""
    sentences = yaml.safe_load(heads.ORDER_SENTENCES.read_text(encoding="utf-8"))
    clauses = sentences["clauses"]
    return {
        template.format(a=first, b=second): (a, b)
        for a, b in itertools.permutations(clauses, 2)
        for first, second in itertools.product(clauses[a], clauses[b])
        for template in sentences["templates"]
    }


@pytest.mark.parametrize("of_portraits", [False, True])
@pytest.mark.parametrize("sees, right", [(True, 1.0), (False, 0.0)])
def test_what_a_model_sees_is_what_the_row_says(
    of_portraits: bool, sees: bool, right: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that reads all actions, and one that takes left for right and late for early."""
    monkeypatch.setattr(heads, "render_person", draw)
    monkeypatch.setattr(heads, "read_portraits", lambda _, pictures: iter(pictures))
    monkeypatch.setattr(heads, "render_portrait", lambda _, portrait, seed: draw(None, seed))
    drawn = list(draw(None, 0))
    actions, sides = head_actions(drawn), head_sides(drawn)
    names = (*actions.names, *sides.names)
    presence = np.concatenate([actions.presence, sides.presence], axis=1)
    about = {text: name for name, texts in action_wordings().items() for text in texts}
    for name, texts in yaml.safe_load(ACTION_SENTENCES.read_text(encoding="utf-8")).items():
        about |= dict.fromkeys(texts, name)
    of_sides = yaml.safe_load(heads.SIDE_SENTENCES.read_text(encoding="utf-8"))
    for name, (action, of_side) in SIDE_ACTIONS.items():
        about |= {text.format(side=of_side): name for text in of_sides[action]}

    ordered, half = order_of(), len(names) + 1

    def embed_text(texts: list[str]) -> np.ndarray:
        rows = np.full((len(texts), 2 * half), 1e-6)
        for row, text in zip(rows, texts, strict=True):
            if text in ordered:
                first, second = ordered[text] if sees else ordered[text][::-1]
                row[[half + names.index(name) for name in (first, second)]] = -1, 1
            else:
                row[names.index(about[text])] = 1
        return rows

    calls = []

    def frames(_: object, pictures: list[np.ndarray]) -> list[np.ndarray]:
        calls.append(len(pictures))
        seen = presence[[picture[0, 0, 0] for picture in pictures]]
        if (len(calls) == 2) == sees:  # the other side moves
            seen = seen[:, [names.index(MIRRORED.get(name, name)) for name in names]]
        # What is left of a length that all have, so that the cosine says how much is there.
        rest = np.sqrt(len(names) - np.square(seen).sum(axis=1))
        return list(np.concatenate([seen, rest[:, None]], axis=1)[:, None])

    monkeypatch.setattr(heads, "_frames", frames)
    monkeypatch.setattr(heads, "pool_frames", pool)
    model = SimpleNamespace(embed_text=embed_text)
    more = list(range(2 * heads.PEOPLE))  # faces than are moved
    row = heads.portraits_row(model, None, more) if of_portraits else heads.heads_row(model, None)
    assert calls == [len(SHOWN) * heads.PEOPLE] * 2 and row.n == calls[0]
    for name in ("smile", "nose_wrinkle", "mouth_open", "brows_down"):
        assert row.details["actions"][name] == {"auc": 1, "other words": 1, "n": heads.PEOPLE}
    assert row.details["sides"] == {
        f"corner_up_{of_side}": {"told apart": right, "n": heads.PEOPLE} for of_side in OTHER
    }
    # One head smiles, one wrinkles its nose, one lowers its brows with an open mouth.
    assert {"nose_wrinkle, smile", "brows_down, smile", "smile, mouth_open"} <= {
        *row.details["order"]
    }
    assert "brows_down, mouth_open" not in row.details["order"], "both at once"
    assert {pair["told apart"] for pair in row.details["order"].values()} == {right}
    assert {pair["n"] for pair in row.details["order"].values()} == {20}
    assert row.values == {
        "auc": 1.0, "auc, words that no caption uses": 1.0,
        "sides told apart": right, "order told apart": right,
    }  # fmt: skip


def test_a_split_without_faces_to_move_has_no_figures(shared: Path) -> None:
    source = HeadModel(shared / "data" / "ict_facekit.npz")
    row = heads.portraits_row(SimpleNamespace(), source, np.zeros((2, 48, 48), np.uint8))
    assert set(row.values) >= set(row.goals) and set(row.values.values()) == {None}
    assert row.met is None and row.n == 0 and "No neutral picture" in row.how
