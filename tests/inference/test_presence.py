"""Each label against its absence: by the stored curves, whatever the other labels are."""

from __future__ import annotations

import dataclasses
import logging
import math
from pathlib import Path

import pytest

from emoclip_sdk import EmoCLIPError, Timeline

PORTRAIT = Path(__file__).parents[2] / "examples" / "portrait.mp4"


@pytest.fixture(scope="module")
def video(embedded_model):
    return embedded_model.read(PORTRAIT)


def probability(curve, similarity):
    return 1 / (1 + math.exp(curve.level - curve.scale * similarity))


def test_the_curve_of_each_label(embedded_model, video):
    curves = {(c.kind, c.name): c for c in embedded_model.measured_reliability.presence}
    labels = {
        "happy": ("label", "happiness"),  # in whatever wording
        "anger": ("label", "anger"),
        "boredom": ("words", ""),
        "gleeful": ("words", ""),
        "the eyes are closed": ("actions", ""),
    }
    (row,) = embedded_model.timeline(video, list(labels), window=9, step=9, multi_label=True)
    for label, curve in labels.items():
        expected = probability(curves[curve], row.similarities[label])
        assert row.scores[label] == pytest.approx(expected, abs=1e-9)
    assert row.scores["happy"] > 0.9 > 0.1 > row.scores["anger"]
    assert row.confidence == max(row.scores.values())


def test_other_labels_change_nothing(embedded_model, video, caplog):
    few = embedded_model.classify(video, ["happiness", "anger"], multi_label=True)
    more = ["boredom", "the eyes are closed", "anger", "fear", "gleeful", "happiness"]
    many = embedded_model.classify(video, more, multi_label=True)
    for label in few.scores:
        assert many.scores[label] == pytest.approx(few.scores[label], abs=1e-9)
    with caplog.at_level(logging.WARNING):
        alone = embedded_model.classify(video, ["anger"], multi_label=True)
    assert alone.scores["anger"] == pytest.approx(few.scores["anger"], abs=1e-9)
    assert "only label" not in caplog.text
    assert sum(few.scores.values()) != pytest.approx(1, abs=1e-3)


def test_what_is_present(embedded_model, video, tmp_path):
    labels = ["fear", "happiness", "gleeful", "young woman"]
    both = embedded_model.classify(video, labels, multi_label=True, min_score=0.05)
    assert both.multi_label and both.present[0] == "happiness" and "fear" not in both.present
    assert "young woman" not in both.present, "nobody can read it"
    assert both.answer == " + ".join(both.present) and both.tied == ()
    assert all(both.scores[label] >= 0.05 for label in both.present)
    none = embedded_model.classify(video, ["fear", "disgust"], multi_label=True)
    assert none.abstained and none.present == () and none.answer is None
    assert "none of these (" in str(none)
    timeline = embedded_model.timeline(video, labels, window=1, step=0.5, multi_label=True)
    assert timeline.multi_label and timeline[0].answer.startswith("happiness")
    assert timeline.smooth(2)[0].present == timeline.resample(1)[0].present == timeline[0].present
    timeline.save(tmp_path / "a.json")
    assert Timeline.load(tmp_path / "a.json")[0].present == timeline[0].present
    softmax = embedded_model.classify(video, ["happiness", "fear"])
    assert not softmax.multi_label and softmax.present == ()


def test_what_has_no_probability_of_its_own(embedded_model, video):
    with pytest.raises(EmoCLIPError, match="'happily surprised' is a compound.*name its parts"):
        embedded_model.classify(video, ["happily surprised", "anger"], multi_label=True)
    bare = embedded_model.with_prompts()
    bare.measured_reliability = dataclasses.replace(bare.measured_reliability, presence=())
    with pytest.raises(EmoCLIPError, match="emoclip-train reliability.*leave multi_label out"):
        bare.classify(video, ["anger"], multi_label=True)
    assert bare.classify(video, ["anger", "happiness"]).label == "happiness"
