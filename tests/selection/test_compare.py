"""The same videos under two models or banks; wordings on labeled clips."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emoclip_sdk import EmoCLIP, EmoCLIPError
from emoclip_sdk.selection.compare import compare_models
from emoclip_sdk.selection.wording import area_under_curve, read_labeled, score_wordings

LABELS = ["happiness", "anger"]


def test_two_banks_of_one_model(detecting_model, two_faces, monkeypatch):
    other = detecting_model.with_prompts()
    other.add_label("anger", "An entirely different sentence about lips.")
    assert "anger" in detecting_model.prompts and not detecting_model.prompts.is_custom("anger")
    looked = []
    detect = detecting_model.reader.detector.detect
    monkeypatch.setattr(
        detecting_model.reader.detector, "detect", lambda f: looked.append(len(f)) or detect(f)
    )
    options = dict(fps=10)
    found = compare_models(detecting_model, other, [two_faces], LABELS, **options)
    once = sum(looked)
    ((a, b),) = found.pairs
    assert a == detecting_model.classify(two_faces, LABELS, fps=10)
    assert sum(looked) == 2 * once  # comparing looked at the video as often as classifying
    assert b == other.classify(two_faces, LABELS, fps=10)
    assert a.similarities["happiness"] == pytest.approx(b.similarities["happiness"], abs=1e-6)
    assert a.similarities["anger"] != pytest.approx(b.similarities["anger"], abs=1e-6)


def test_two_models_that_see_alike_share_the_faces(tiny_checkpoint, detecting_model, two_faces):
    detector = detecting_model.detector
    other = EmoCLIP.from_pretrained(tiny_checkpoint, device="cpu", detector=detector)
    state = other.encoder.network.state_dict()
    state["temporal.cls_token"] = state["temporal.cls_token"] + 1
    other.encoder.network.load_state_dict(state)
    found = compare_models(detecting_model, other, [two_faces, "gone.mp4"], LABELS, fps=10)
    assert "reader" not in vars(other)  # it read nothing itself
    (a, b), (failed, _) = found.pairs
    assert a.scores == pytest.approx(detecting_model.classify(two_faces, LABELS, fps=10).scores)
    assert b.scores == pytest.approx(other.classify(two_faces, LABELS, fps=10).scores)
    assert failed.error and not failed.face_found
    assert found.agreement == float(a.label == b.label)
    row = found.per_label()["anger"]
    assert row["difference"] == pytest.approx(b.scores["anger"] - a.scores["anger"])
    assert row["a"] == (a.label == "anger") and row["distance"] == abs(row["difference"])
    json.dumps(found.to_dict(), allow_nan=False)


def test_area_is_scikit_learns():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, 40) / 6  # with ties
    y = rng.random(40) < 0.4
    assert area_under_curve(scores[y], scores[~y]) == pytest.approx(roc_auc_score(y, scores))


def test_wordings(tmp_path):
    axes = {"left": (1.0, 0.0), "right": (0.0, 1.0), "both": (1.0, 1.0)}
    clips = np.array([[1, 0.1], [1, 0.2], [0.1, 1]], np.float32)
    found = score_wordings(
        clips,
        ["l", "l", "r"],
        {"l": [("x", {"right": 1.0}), ("y", {"left": 3.0, "right": 1.0}), ("z", {"left": 1.0})]},
        lambda texts: np.array([axes[text] for text in texts], np.float32),
    )
    assert [(row.origin, row.auc) for row in found] == [("y", 1.0), ("z", 1.0), ("x", 0.0)]
    assert (found[0].n, found[0].rest) == (2, 1)
    with pytest.raises(EmoCLIPError, match="one label"):
        score_wordings(clips, ["l"] * 3, {}, lambda texts: clips)


def test_list_of_labeled_clips(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("label, path\njoy,a.mp4\n", encoding="utf-8")
    assert read_labeled(file) == [(str(tmp_path / "a.mp4"), "joy")]
    for text, complaint in (
        ("path\na.mp4\n", "no column label"),
        ("path,label\na.mp4,\n", "line 2"),
        ("path,label\n", "lists no clip"),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(EmoCLIPError, match=complaint):
            read_labeled(file)
