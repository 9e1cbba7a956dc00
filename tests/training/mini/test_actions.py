"""The space of facial actions is learned beside a finished model, which stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.inference.scorer import cosine_similarities
from emoclip_sdk.nn.shape import SHAPE_FEATURES
from emoclip_sdk.training.data.action_texts import ActionTexts
from emoclip_sdk.training.data.measured_actions import FacialActions
from emoclip_sdk.training.data.states import held_out_states
from emoclip_sdk.training.engine.loop import Trainer
from emoclip_sdk.training.evaluation.card.actions import ACTION_SENTENCES
from emoclip_sdk.training.evaluation.card.heads import ORDER_SENTENCES, SIDE_SENTENCES
from emoclip_sdk.training.heads.actions import SIDE_ACTIONS
from emoclip_sdk.training.mini import run_mini
from emoclip_sdk.training.mini import stages as module
from emoclip_sdk.training.mini.actions import weakest
from emoclip_sdk.training.mini.heads import MeasuredHeads

from .test_run import stages_of

NAMES = ("smile", "brows_up")
PLACES = {"smile": 0, "brows_up": 100, "corner_up_left": 200, "corner_up_right": 300}
"""Shape features that an action moves: these and the 50 behind."""


def shape(*actions: str) -> torch.Tensor:
    row = torch.zeros(SHAPE_FEATURES)
    for action in actions:
        row[PLACES[action] : PLACES[action] + 50] = 1
    return row


def heads(people: int) -> MeasuredHeads:
    """Every person at rest, smiling, with raised brows, and smiling on either side."""
    shown = ((), ("smile",), ("brows_up",), ("corner_up_left",), ("corner_up_right",))
    rows = torch.stack([shape(*actions) for actions in shown])
    mirrored = rows[[0, 1, 2, 4, 3]]
    names = ("corner_up_left", "corner_up_right")
    actions, sides = (
        np.array([[float(name in row) for name in of] for row in shown], np.float32)
        for of in (NAMES, names)
    )
    return MeasuredHeads(
        rows.repeat(people, 1),
        mirrored.repeat(people, 1),
        FacialActions(NAMES, np.tile(actions, (people, 1))),
        FacialActions(names, np.tile(sides, (people, 1))),
        np.repeat(np.arange(people), len(shown)),
    )


def measure(pictures: np.ndarray) -> torch.Tensor:
    """Say of four pictures that two smile, one raises its brows, and one shows no face."""
    kinds = torch.stack([shape("smile"), shape(), shape("brows_up"), shape("smile")])
    kinds[1] = torch.nan
    return kinds.repeat(len(pictures) // 4, 1).half()


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, int, int, int]]:
    """Which heads were rendered."""
    calls = []

    def render(path: Path, people: int, faces: np.ndarray, portraits: int) -> MeasuredHeads:
        calls.append((path, people, len(faces), portraits))
        return heads(people)

    monkeypatch.setattr(module, "measure_heads", render)
    monkeypatch.setattr(module, "measure_shapes", measure)
    return calls


@pytest.fixture
def finished(
    pictures: Path, recipe: dict[str, Any], rendered: list[Any], tmp_path: Path
) -> dict[str, Any]:
    """Recipe of a space of actions beside a finished model, ``plain``."""
    recipe["model"]["shape"] = {"hidden": 8}
    run_mini(recipe, pictures, tmp_path / "plain", tmp_path / "plain-run")
    recipe["model"]["actions"] = {"width": 32, "hidden": 32, "heads": 2}
    weights = str(tmp_path / "plain/model.safetensors")
    recipe["actions"].update(pretrained=weights, text_noise=0.1)
    recipe["heads"].update(path="heads.npz", portraits=3)
    return recipe


def test_space_of_actions_beside_a_finished_model(
    pictures: Path,
    finished: dict[str, Any],
    rendered: list[tuple[Path, int, int, int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = finished
    recipe["actions"]["steps"] = 120
    monkeypatch.setattr(module, "load_teacher", lambda name: pytest.fail("a tower was trained"))
    figures = run_mini(recipe, pictures, tmp_path / "model", tmp_path / "run")
    assert rendered == [(Path("heads.npz"), 2, 140, 3)] and figures
    start, end = (load_file(tmp_path / name / "model.safetensors") for name in ("plain", "model"))
    assert all(torch.equal(end[name], tensor) for name, tensor in start.items())
    assert {name.split(".")[0] for name in end.keys() - start.keys()} == {"actions"}

    model = EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")
    network = model.encoder.network

    def clips(*kinds: torch.Tensor) -> np.ndarray:
        """Embed clips of one frame, or of several."""
        features = torch.stack([kind if kind.ndim == 2 else kind[None] for kind in kinds])
        with torch.no_grad():
            frames = network.join(torch.zeros(*features.shape[:2], network.towers.width), features)
            return network.pool(frames).numpy()

    level = network.actions.level.item()
    assert level == pytest.approx(recipe["actions"]["level"], rel=1e-3)  # stored in half precision
    features = measure(np.zeros((4, 1))).float()[[0, 2, 3]]  # of the pictures that show faces
    with torch.no_grad():
        frames = network.actions.frames(network.shape.standardized(features))[:, None]
        seen = torch.nn.functional.normalize(network.actions.pool(frames), dim=1).mean(dim=0)
    torch.testing.assert_close(network.actions.common, seen, atol=2e-3, rtol=0)

    texts = ActionTexts.read()
    left, right = (
        model.embed_text([template.format(side=side) for template in texts.sides["corner_up"]])
        for side in ("left", "right")
    )
    seen = clips(shape("corner_up_left"), shape("corner_up_right"))
    told = cosine_similarities(seen, left) - cosine_similarities(seen, right)
    assert (told[0] > told[1]).mean() > 0.8
    again = stages_of(recipe, pictures, tmp_path / "run").network().state_dict()
    kept = load_file(tmp_path / "run/actions.safetensors")
    assert all(torch.equal(again[name], tensor) for name, tensor in kept.items())
    assert len(rendered) == 1
    recipe["heads"]["people"] = 3
    with pytest.raises(EmoCLIPError, match=r"heads\.people .was 2, now 3"):
        stages_of(recipe, pictures, tmp_path / "run").network()

    # Without heads there is nothing to learn sides from; the rest is learned from pictures.
    recipe["heads"].update(people=2, path=None)
    recipe["actions"]["steps"] = 5
    stages_of(recipe, pictures, tmp_path / "pictures").network()
    assert len(rendered) == 1


def test_a_run_that_was_broken_off_goes_on_to_the_bit(
    pictures: Path, finished: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = finished
    recipe["run"] = {"save_every": 4, "log_every": 3}
    stages_of(recipe, pictures, tmp_path / "whole").network()
    original = Trainer._step

    class PowerCut(BaseException):
        pass

    def broken(self: Trainer, batch: Any) -> None:
        original(self, batch)
        if self.progress.done == 6:
            raise PowerCut

    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Trainer, "_step", broken)
        stages_of(recipe, pictures, tmp_path / "broken").network()
    stages_of(recipe, pictures, tmp_path / "broken").network()
    one, other = (load_file(tmp_path / f"{run}/actions.safetensors") for run in ("whole", "broken"))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_captions_say_what_they_are_about() -> None:
    texts, rng = ActionTexts.read(), np.random.default_rng(0)
    assert {action for action, _ in SIDE_ACTIONS.values()} == set(texts.sides)
    assert set(texts.order["nouns"]) == set(texts.ordered) <= set(texts.wordings)
    ways = set()
    for _ in range(300):
        text, backward = texts.sequence("smile", "brows_up", rng)
        ways.add(backward)
        parts = {
            name: (*texts.order["clauses"][name], *texts.order["nouns"][name])
            for name in ("smile", "brows_up")
        }
        places = {
            name: min(
                (text.lower().find(part.lower()) for part in known if part.lower() in text.lower()),
                default=-1,
            )
            for name, known in parts.items()
        }
        assert min(places.values()) >= 0, text
        assert (places["brows_up"] < places["smile"]) == backward, text
    assert ways == {True, False}
    assert "left" in texts.side("corner_up", "left", rng).lower()
    assert not set(texts.behaviors) & set(held_out_states()), "they are what words are measured on"
    assert {part for parts in texts.behaviors.values() for part in parts} <= set(texts.wordings)
    said = {texts.behavior("yawning", rng) for _ in range(60)}
    assert any("yawn" in text for text in said)
    assert any("jaw sinks" in text for text in said)


def test_several_actions_are_shown_as_far_as_the_weakest_of_them() -> None:
    presence = torch.tensor([[0.0, 0.9, 0.2, 1.0], [1.0, 0.4, 0.8, torch.nan]])
    shown = weakest(presence, torch.tensor([[0, 0, 0, 0], [1, 2, 1, 2], [2, 3, 1, 2]]))
    assert shown[0].tolist() == pytest.approx([0, 0.2, 0.2])
    assert shown[1, :2].tolist() == pytest.approx([1, 0.4]) and shown[1, 2].isnan()


def test_captions_name_several_actions_that_somebody_shows(
    pictures: Path, finished: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[list[str]] = []

    def several(self: ActionTexts, names: list[str], *_: Any) -> str:
        said.append(names)
        return " and ".join(names)

    monkeypatch.setattr(ActionTexts, "several", several)
    monkeypatch.setattr(ActionTexts, "action", lambda self, name, *_: name)
    finished["actions"].update(steps=1, captions=100)
    finished["heads"]["path"] = None
    stages_of(finished, pictures, tmp_path / "run").network()
    assert said == []  # nobody smiles with raised brows

    def both(shapes: torch.Tensor) -> FacialActions:
        shown = np.array([[0, 0], [1, 0], [1, 1], [1, 1]], np.float32)
        return FacialActions(NAMES, np.resize(shown, (len(shapes), 2)))

    monkeypatch.setattr(module, "facial_actions", both)
    stages_of(finished, pictures, tmp_path / "both").network()
    assert len(said) == 30 and {tuple(sorted(names)) for names in said} == {("brows_up", "smile")}


def test_no_caption_is_a_sentence_that_models_are_measured_on() -> None:
    def plain(texts: Any) -> set[str]:
        return {text.lower().strip(" .") for text in texts}

    texts = ActionTexts.read()
    actions, sides, order = (
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (ACTION_SENTENCES, SIDE_SENTENCES, ORDER_SENTENCES)
    )
    for name, known in actions.items():
        assert not plain(known) & plain(texts.wordings.get(name, ())), name
    for name, known in sides.items():
        assert not plain(known) & plain(texts.sides[name]), name
    said = (*texts.order["clause_templates"], *texts.order["noun_templates"])
    assert not plain(order["templates"]) & plain(said)
    assert set(order["clauses"]) == set(texts.ordered)
    for name, known in order["clauses"].items():
        assert not plain(known) & plain(texts.order["clauses"][name])
        assert not plain(known) & plain(texts.order["nouns"][name])
