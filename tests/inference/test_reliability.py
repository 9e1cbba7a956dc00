"""How far labels can be trusted, and what follows for answers: texts alone, embedded model."""

from __future__ import annotations

import dataclasses
import logging

import av
import numpy as np

from emoclip_sdk.assets import asset
from emoclip_sdk.checkpoints import embedded_folder
from emoclip_sdk.checkpoints.folder import WEIGHTS_FILE
from emoclip_sdk.runtime.hashes import file_hash

# What no model of expressions can read, and what the reason names.
UNREADABLE = {
    "not happy at all today really": "negation",
    "no anger": "negation",
    "young woman": "age",
    "a doctor": "identity and role",
    "wearing glasses": "hair, clothes",
    "Asian man": "ethnicity",
    "beautiful": "attractiveness",
    "fake smile": "genuineness",
    "he is lying": "intention",
    "autistic": "diagnosis",
    "gl\u00fccklich": "language",
    "enojado": "language",
    "a wrinkled nose": "emoclip actions",
    "the stock market fell by three percent": "far from all",
    "wibbled": "unknown word",
    "contento": "unknown word",
}
# What one can, and the label of the model whose faces it finds; None: whichever.
READABLE = {
    "joy": "happiness",
    "sad": "sadness",
    "gleeful": "happiness",
    "furious": None,
    "terrified": "fear",
    "about to cry": "sadness",
    "laughing out loud": None,
    "flabbergasted": None,
    "boredom": None,
    "grumpy": None,
    "a broad smile": None,
    "mouth wide open": None,
    "the eyes are closed": None,
    "eyebrows are raised": None,
    "not smiling": None,
    "the corners of the lips are turned up": None,
    "wide eyes and a dropped jaw": "surprise",
    "Brows raised and pulled together, eyes wide, mouth open in a scream": "fear",
    "a man smiling at a friend": "happiness",
    "He looks as if he will burst into tears": None,
}


def test_what_no_model_of_expressions_can_read_is_refused_by_name(embedded_model) -> None:
    reliability = embedded_model.reliability(list(UNREADABLE))
    wrong = {
        label: known.text
        for label, known in reliability.items()
        if known.readable or UNREADABLE[label] not in known.text
    }
    assert not wrong


def test_what_one_can_read_is_answered(embedded_model) -> None:
    reliability = embedded_model.reliability(list(READABLE))
    wrong = {
        label: known.text
        for label, known in reliability.items()
        if not known.readable or READABLE[label] not in (None, known.like)
    }
    assert not wrong
    assert reliability["joy"].level == "measured" and 0.8 < reliability["joy"].recall < 1
    assert reliability["a broad smile"].auc > 0.8
    assert reliability["a man smiling at a friend"].unread == (
        "sex and gender",
        "identity and role",
    )


def test_it_was_measured_on_these_weights(embedded_model) -> None:
    measured = embedded_model.measured_reliability
    assert measured.weights == file_hash(embedded_folder() / WEIGHTS_FILE), (
        f"the weights are new: run {measured.command}"
    )
    assert embedded_model.config.calibration.margin > 0


def test_facial_actions_do_not_compete_with_emotions(embedded_model) -> None:
    clip = asset("expressions.mp4")  # at rest in its first second, surprised in its seventh
    mouth = ["the mouth is open", "the mouth is closed"]
    eyes = ["the eyes are closed", "the eyes are open"]
    rest, surprised = (embedded_model.read(clip, start=start, end=start + 1) for start in (0, 6))
    for frames, answer in ((rest, mouth[1]), (surprised, mouth[0])):
        assert embedded_model.classify(frames, labels=mouth).answer == answer
        assert embedded_model.classify(frames, labels=eyes).answer == eyes[1]
    # Beside a word for an expression they do: what else the face shows may fit better.
    assert embedded_model.classify(surprised, labels=["boredom", mouth[1]]).answer is None


def test_a_clip_and_its_reverse_are_told_apart(embedded_model) -> None:
    """By a photograph that a program moves: at the end from surprise to a smile."""
    with av.open(asset("expressions.mp4")) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    late = np.stack(frames[137:])  # from 5.5 seconds on, 25 a second
    order = ["an open mouth, then a smile", "a smile, then an open mouth"]
    for clip, answer in ((late, order[0]), (late[::-1], order[1])):
        assert embedded_model.classify(clip, labels=order, fps=25).answer == answer


def test_descriptions_of_ones_own_are_judged(embedded_model) -> None:
    labels = {"mine": "The corners of the lips turn up and the eyes crease", "bank": "not angry"}
    mine, bank = embedded_model.reliability(labels).values()
    assert mine.like == "happiness" and not bank.readable


def test_says_so_once_where_a_label_cannot_be_read(embedded_model, caplog) -> None:
    model = embedded_model.with_prompts()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            model.scorer(["young woman", "happiness"], "average", None)
    assert [r.message.partition(":")[0] for r in caplog.records] == [
        "'young woman' is not readable by this model"
    ]


def test_a_model_that_was_not_measured_refuses_nothing(tiny_model) -> None:
    assert tiny_model.reliability(["young woman"])["young woman"].level == "unmeasured"


def test_it_is_saved_and_loaded(embedded_model, tiny_model, tmp_path) -> None:
    measured = embedded_model.measured_reliability
    width = tiny_model.encoder.width
    classes = tuple(dataclasses.replace(c, center=c.center[:width]) for c in measured.classes)
    tiny_model.measured_reliability = dataclasses.replace(measured, classes=classes)
    tiny_model.save_pretrained(tmp_path / "saved")
    again = type(tiny_model).from_pretrained(tmp_path / "saved")
    assert again.measured_reliability == tiny_model.measured_reliability
    again.measured_reliability = None
    again.save_pretrained(tmp_path / "saved")
    assert not (tmp_path / "saved/reliability.json").exists()


def test_ties_are_read_and_published(embedded_model, crop_video) -> None:
    model = embedded_model.with_prompts()
    calibration = dataclasses.replace(model.config.calibration, margin=10.0, min_score=1e-6)
    model.config = dataclasses.replace(model.config, calibration=calibration)
    options = dict(labels=["joy", "anger"], faces="none")
    result = model.classify(crop_video, **options)
    assert (
        result.answer == f"{result.label} \u2248 {result.tied[0]}" == result.to_record()["answer"]
    )
    timeline = model.timeline(crop_video, **options)
    assert timeline[0].answer == f"{timeline[0].label} \u2248 {timeline[0].tied[0]}"
    assert timeline.smooth(9)[0].tied and timeline.resample(0.5)[0].tied
