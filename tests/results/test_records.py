from __future__ import annotations

import json
import math

import pytest

from emoclip_sdk.faces import FaceQuality
from emoclip_sdk.results.records import FaceTrack, ModelInfo, Prediction
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline

NAN = float("nan")
MODEL = ModelInfo("tiny", None, "0123456789ab")
TRACK = FaceTrack(0, 0.0, 1.5, 11, 0.5, 1.25)


def prediction(**changes):
    values = dict(
        source="clip.mp4",
        scores={"anger": 0.2, "joy": 0.5, "fear": 0.3},
        similarities={"anger": 0.1, "joy": 0.3, "fear": 0.2},
        prompts={"anger": "bank", "joy": "bank", "fear": "template"},
        track=0,
        tracks=(TRACK,),
        n_frames=11,
        duration=3.0,
        model=MODEL,
    )
    return Prediction(**{**values, **changes})


@pytest.fixture
def no_face():
    nothing = {"anger": NAN, "joy": NAN}
    return prediction(scores=nothing, similarities=nothing, track=None, tracks=(), n_frames=0)


def test_label_and_top():
    p = prediction()
    assert p.face_found and p.n_tracks == 1
    assert p.label == "joy"
    assert p.top() == [("joy", 0.5)]
    assert p.top(2) == [("joy", 0.5), ("fear", 0.3)]
    assert len(p.top(9)) == 3


def test_ties_keep_the_order_of_labels():
    assert prediction(scores={"b": 0.5, "a": 0.5}).label == "b"


def test_no_face_is_no_guess(no_face):
    assert not no_face.face_found
    assert no_face.label is None and no_face.top(3) == []
    assert all(math.isnan(score) for score in no_face.scores.values())


def test_to_dict_is_json(no_face):
    for p in (prediction(), no_face, prediction(error="broken")):
        text = json.dumps(p.to_dict(), allow_nan=False)
        assert json.loads(text) == p.to_dict()
    assert no_face.to_dict()["scores"] == {"anger": None, "joy": None}
    found = prediction().to_dict()
    assert found["tracks"] == [
        {
            "track": 0,
            "start": 0.0,
            "end": 1.5,
            "n_frames": 11,
            "share": 0.5,
            "prominence": 1.25,
            "shape_share": 0.0,
        }
    ]
    assert found["model"]["prompt_bank"] == "0123456789ab"
    assert list(found["scores"]) == ["anger", "joy", "fear"]


def test_to_dict_is_a_copy():
    p = prediction()
    p.to_dict()["tracks"][0]["track"] = 9
    p.to_dict()["prompts"]["anger"] = "changed"
    assert p.tracks[0].track == 0 and p.prompts["anger"] == "bank"


BOX = (10.0, 20.0, 50.0, 60.0)


def timeline():
    rows = (
        TimelineRow(
            0,
            0.0,
            1.0,
            7,
            {"a": 0.9, "b": 0.1},
            {"a": 0.5, "b": 0.2},
            0.7,
            False,
            BOX,
            0.98,
            FaceQuality(40.0, 0.2, 0.5, 0.0, 0.625),
            first_frame=0,
            last_frame=24,
        ),
        TimelineRow(
            0, 0.5, 1.5, 0, {"a": NAN, "b": NAN}, {"a": NAN, "b": NAN}, reason="out of view"
        ),
    )
    return Timeline("clip.mp4", ("a", "b"), 1.0, 0.5, rows, {"a": "bank"}, (TRACK,), 1.5, MODEL)


def test_timeline_rows():
    t = timeline()
    assert len(t) == 2 and [row.label for row in t] == ["a", None]
    assert [row.face_found for row in t] == [True, False]


def test_timeline_to_dict_is_json():
    found = json.loads(json.dumps(timeline().to_dict(), allow_nan=False))
    assert found["rows"][1]["scores"] == {"a": None, "b": None}
    assert [row["confidence"] for row in found["rows"]] == [0.7, None]
    assert found["rows"][0]["similarities"] == {"a": 0.5, "b": 0.2}
    assert found["labels"] == ["a", "b"] and found["window"] == 1.0
    assert [row["box"] for row in found["rows"]] == [list(BOX), None]
    assert [row["detection_confidence"] for row in found["rows"]] == [0.98, None]


def test_timeline_records():
    first, gap = timeline().to_records()
    assert first == {
        "source": "clip.mp4",
        "track": 0,
        "start": 0.0,
        "end": 1.0,
        "seen_start": 0.0,
        "seen_end": 1.0,
        "first_frame": 0,
        "last_frame": 24,
        "face_found": True,
        "reason": None,
        "answer": "a",
        "label": "a",
        "confidence": 0.7,
        "abstained": False,
        "n_frames": 7,
        "face_x0": 10.0,
        "face_y0": 20.0,
        "face_x1": 50.0,
        "face_y1": 60.0,
        "detection_confidence": 0.98,
        "face_size": 40.0,
        "sharpness": 0.2,
        "brightness": 0.5,
        "outside": 0.0,
        "quality": 0.625,
        "score:a": 0.9,
        "score:b": 0.1,
        "similarity:a": 0.5,
        "similarity:b": 0.2,
        "model": "tiny",
        "revision": None,
        "prompt_bank": "0123456789ab",
    }
    assert gap["label"] is None and list(gap) == list(first)
    missing = ("score:a", "similarity:b", "face_x0", "face_size", "quality")
    assert all(math.isnan(gap[key]) for key in missing) and gap["reason"] == "out of view"
