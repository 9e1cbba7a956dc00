"""The card's row about rendered heads."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from emoclip_sdk.prompts.facial_actions import action_wordings
from emoclip_sdk.training.evaluation.card import heads
from emoclip_sdk.training.evaluation.card.actions import ACTION_SENTENCES
from emoclip_sdk.training.heads.actions import SIDE_ACTIONS, head_actions, head_sides
from emoclip_sdk.training.heads.render import HeadScene, RenderedHead

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


@pytest.mark.parametrize("sees, side", [(True, 1.0), (False, 0.0)])
def test_what_a_model_sees_is_what_the_row_says(
    sees: bool, side: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that reads all actions, and one that takes left for right."""
    monkeypatch.setattr(heads, "render_person", draw)
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

    def embed_text(texts: list[str]) -> np.ndarray:
        rows = np.full((len(texts), len(names) + 1), 1e-6)
        for row, text in zip(rows, texts, strict=True):
            row[names.index(about[text])] = 1
        return rows

    calls = []

    def embed(_: object, pictures: list[np.ndarray]) -> np.ndarray:
        calls.append(len(pictures))
        seen = presence[[picture[0, 0, 0] for picture in pictures]]
        if (len(calls) == 2) == sees:  # the other side moves
            seen = seen[:, [names.index(MIRRORED.get(name, name)) for name in names]]
        # What is left of a length that all have, so that the cosine says how much is there.
        rest = np.sqrt(len(names) - np.square(seen).sum(axis=1))
        return np.concatenate([seen, rest[:, None]], axis=1)

    monkeypatch.setattr(heads, "_embed", embed)
    row = heads.heads_row(SimpleNamespace(embed_text=embed_text), None)
    assert calls == [len(SHOWN) * heads.PEOPLE] * 2 and row.n == calls[0]
    for name in ("smile", "nose_wrinkle", "mouth_open", "brows_down"):
        assert row.details["actions"][name] == {"auc": 1, "other words": 1, "n": heads.PEOPLE}
    assert row.details["sides"] == {
        f"corner_up_{of_side}": {"told apart": side, "n": heads.PEOPLE} for of_side in OTHER
    }
    assert row.values == {
        "auc": 1.0, "auc, words that no caption uses": 1.0, "sides told apart": side,
    }  # fmt: skip
