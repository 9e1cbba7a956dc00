"""Labels moved towards examples: only where that helps, measured on clips kept apart."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emoclip_sdk import EmoCLIPError
from emoclip_sdk.selection.few_shot import fit_prototypes

NAMES = ["a", "b", "c"]


def clips_and_texts(helpful: bool, n: int = 12):
    """Clips in three clusters, or in none; texts that know nothing of them."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 16)) if helpful else np.zeros((3, 16))
    y = np.arange(3 * n) % 3
    clips = 3 + centres[y] + rng.normal(size=(3 * n, 16)) * (0.3 if helpful else 1)
    texts = rng.normal(size=(3, 16))
    return clips.astype(np.float32), [NAMES[i] for i in y], texts.astype(np.float32)


def test_examples_that_help():
    clips, labels, texts = clips_and_texts(True)
    report, shifts = fit_prototypes(clips, labels, texts, NAMES)
    assert report.blended_accuracy > 0.95 > report.text_accuracy + 0.2
    assert report.gain == report.blended_accuracy - report.text_accuracy
    assert 0 < report.weight <= 1 and list(shifts) == NAMES
    assert (report.n, report.folds, report.n_per_label["a"]) == (36, 5, 12)
    json.dumps(report.to_dict())


def test_texts_that_are_right_already_stay():
    clips, labels, _ = clips_and_texts(True)
    texts = np.stack([clips[i::3].mean(axis=0) for i in range(3)])
    report, shifts = fit_prototypes(clips, labels, texts, NAMES)
    assert report.text_accuracy == 1 and report.weight == 0 and shifts == {}


def test_noise_is_not_taken_for_a_gain():
    """Fitted on these very clips the accuracy would be far above chance."""
    clips, labels, texts = clips_and_texts(False, 8)
    report, _ = fit_prototypes(clips, labels, texts, NAMES)
    assert report.blended_accuracy < 0.5


def test_too_few():
    clips, labels, texts = clips_and_texts(True, 3)
    clips[0] = np.nan
    with pytest.raises(EmoCLIPError, match=r"too few: a \(2\)"):
        fit_prototypes(clips, labels, texts, NAMES)
    with pytest.raises(EmoCLIPError, match="at least two labels"):
        fit_prototypes(clips[:3], ["a"] * 3, texts[:1], ["a"])


def test_model_uses_them_until_undone(tiny_model):
    # "pride" shows dark pictures.
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (12, 3, 48, 48, 3), dtype=np.uint8)
    videos = [v if i % 2 else v + 190 for i, v in enumerate(noise)]
    labels = ["pride" if i % 2 else "anger" for i in range(12)]
    ask = {"labels": ["anger", "pride", "boredom"], "faces": "none"}
    before = tiny_model.classify(videos[1], **ask)
    report = tiny_model.fit_labels(videos, labels, faces="none")
    assert report.blended_accuracy > report.text_accuracy and report.weight > 0
    found = tiny_model.classify(videos, **ask)
    assert [max(("anger", "pride"), key=r.scores.get) for r in found] == labels
    assert found[1].prompts == {"anger": "fitted", "pride": "fitted", "boredom": "bank"}
    assert found[1].similarities["boredom"] == pytest.approx(before.similarities["boredom"])
    assert found[1].model.prompt_bank != before.model.prompt_bank
    with pytest.raises(EmoCLIPError, match="three clips"):
        tiny_model.fit_labels(videos[:4], labels[:4], faces="none")
    assert tiny_model.classify(videos, **ask) == found  # what was fitted before is kept
    tiny_model.unfit_labels()
    assert tiny_model.classify(videos[1], **ask).to_dict() == before.to_dict()


def test_wrong_lists(tiny_model, stripes):
    with pytest.raises(EmoCLIPError, match="one label for each"):
        tiny_model.fit_labels([stripes(2)], ["joy", "anger"])
    with pytest.raises(EmoCLIPError, match="list of its own"):
        tiny_model.fit_labels(list(stripes(2)), ["joy", "anger"], faces="none")
