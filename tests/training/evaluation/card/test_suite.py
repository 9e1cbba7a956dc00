"""The suite behind a model card: what its figures mean, and how they get into a checkpoint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from emoclip_sdk.training.data.datasets import Clip
from emoclip_sdk.training.data.states import held_out_states, state_votes
from emoclip_sdk.training.evaluation import evaluate_pictures
from emoclip_sdk.training.evaluation.card import EvaluatedPictures, EvaluatedSplit, card_suite
from emoclip_sdk.training.evaluation.card.states import _best_of_five, states_row
from emoclip_sdk.training.evaluation.card.wording import PARAPHRASES
from emoclip_sdk.training.evaluation.frames import picture_clips

KEYS = [
    "accuracy", "wording", "synonyms", "calibration", "abstention", "left_out", "states", "actions",
    "temporal", "speed",
]  # fmt: skip


def _hash(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_every_row_of_the_table(tiny_model, tiny_checkpoint, pictures, outside) -> None:
    result = card_suite(
        EvaluatedPictures(tiny_model, pictures), name="valid", folder=tiny_checkpoint,
        prompt_files=[outside], clips=6, draws=5,
    )  # fmt: skip
    assert [row["key"] for row in result["rows"]] == KEYS
    assert result["weights"] == _hash(tiny_checkpoint)
    json.dumps(result, allow_nan=False)
    rows = {row["key"]: row for row in result["rows"]}
    for row in rows.values():
        assert row["figure"] and row["how"] and set(row["goal"]) <= set(row["values"])
    # The same figures as a user's own evaluation.
    for name, prompts in (("bank", "bank"), ("paraphrases", PARAPHRASES), (outside.name, outside)):
        own = evaluate_pictures(tiny_model, pictures, prompts)
        assert rows["wording"]["sets"][name]["war"] == pytest.approx(own["war"], abs=1e-4)
    assert rows["accuracy"]["values"]["uar"] == pytest.approx(
        evaluate_pictures(tiny_model, pictures)["uar"], abs=1e-4
    )
    wars = [row["war"] for row in rows["wording"]["sets"].values()]
    assert len(wars) == 5
    assert rows["wording"]["values"]["spread"] == pytest.approx(max(wars) - min(wars))
    assert rows["left_out"]["values"] == {"mean recall": None}
    assert rows["left_out"]["met"] is None
    assert set(rows["actions"]["values"].values()) == {None}, "these pictures show no faces"
    assert rows["speed"]["values"]["crops per second"] > 0
    size = (tiny_checkpoint / "model.safetensors").stat().st_size / 1e6
    assert rows["speed"]["values"]["checkpoint [MB]"] == pytest.approx(size, abs=1e-4)


def test_another_set_has_the_rows_that_need_no_votes(tiny_model, pictures) -> None:
    clips = [clip for clip in picture_clips(pictures) if clip.label in (0, 1)]
    blank = Clip("blank", np.zeros((0, 32, 32, 3), np.uint8), 0)
    own = card_suite(
        EvaluatedSplit(tiny_model, clips, pictures.classes), name="mine valid", draws=5
    )
    result = card_suite(
        EvaluatedSplit(tiny_model, [*clips, blank], pictures.classes), name="mine valid", draws=5
    )
    rows = {row["key"]: row for row in result["rows"]}
    assert list(rows) == KEYS[:5]
    assert {row["met"] for row in rows.values()} == {None}, "goals are for FER+"
    # A clip without a face counts as wrong, and in no other row.
    before = {row["key"]: row for row in own["rows"]}
    right = before["accuracy"]["values"]["war"] * len(clips)
    assert rows["accuracy"]["values"]["war"] == pytest.approx(right / (len(clips) + 1), abs=1e-4)
    assert (result["n"], rows["accuracy"]["without a face"]) == (len(clips) + 1, 1)
    assert rows["calibration"] == before["calibration"]
    # Of the eight classes two occur: 15 words for each.
    assert rows["synonyms"]["n"] == 30


def test_a_set_whose_classes_have_no_synonyms(tiny_model, pictures) -> None:
    clips = [dataclasses.replace(clip, label=0) for clip in picture_clips(pictures)[:8]]
    split = EvaluatedSplit(tiny_model, clips, ("tenderness", "boredom"))
    result = card_suite(split, name="mine valid", draws=5)
    rows = {row["key"]: row for row in result["rows"]}
    assert list(rows) == KEYS[:4], "of two labels, four can't be offered"
    assert rows["synonyms"]["values"] == {"nearest clips": None}
    json.dumps(result, allow_nan=False)


def test_states_are_ranked_by_the_votes_that_they_would_get(tiny_model, pictures) -> None:
    split = EvaluatedPictures(tiny_model, pictures)
    votes = state_votes()
    states = [name for name in held_out_states() if set(votes[name]) <= set(split.classes)]
    text = tiny_model.embed_labels(states)[0].astype(float)
    given = np.array([[votes[name].get(c, 0) for c in split.classes] for name in states], float)
    fits = pictures.votes @ (given / given.sum(axis=1, keepdims=True)).T
    # Clips that lie where the labels lie that their votes are for.
    split.__dict__["every_video"] = fits @ text
    row = states_row(split)
    assert row.n == len(states) > 100
    one = states[3]
    cosine = split.video @ text[3] / np.linalg.norm(split.video, axis=1)
    expected = np.corrcoef(cosine, fits[:, 3])[0, 1]
    assert row.details["states"][one] == pytest.approx(expected, abs=1e-3)
    assert 0 < row.values["best of 5"] < 1


def test_the_best_of_five_states() -> None:
    fits = np.eye(6)[np.arange(60) % 6]  # of six states each picture fits one
    assert _best_of_five(fits, fits) == (1.0, pytest.approx(0.2), 300)
    # The pictures whose state is not offered are not counted; one in five is right by chance.
    assert _best_of_five(np.tile(np.arange(6.0), (60, 1)), fits)[0] == pytest.approx(0.2)
    assert _best_of_five(fits, np.full((60, 6), 0.5)) == (None, None, 0)
