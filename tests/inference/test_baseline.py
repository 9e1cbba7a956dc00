"""A person's own neutral face: where it is found, and what differs from it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.faces import Detection, Face, FaceQuality, FrameFaces, TrackTable
from emoclip_sdk.inference.action_measures import MEASURES
from emoclip_sdk.inference.baseline import BaselineRecorder, NeutralSearch, baseline_kind
from emoclip_sdk.inference.frames import EmbeddedFrame
from emoclip_sdk.inference.stream import FaceStream

LABELS = ["joy", "anger"]
BOX = (0.0, 0.0, 100.0, 100.0)
CLEAR = FaceQuality(100.0, 0.3, 0.5, 0.0, 1.0)


def measures(**values):
    vector = np.zeros(len(MEASURES), np.float32)
    for name, value in values.items():
        vector[MEASURES.index(name)] = value
    return vector


def frame(i, neutral, actions, *, quality=CLEAR, track=0):
    """A face whose embedding says how neutral it is."""
    return EmbeddedFrame(
        i / 7,
        {track: np.array([neutral, 1.0], np.float32)},
        {track: Detection(BOX, 0.99)},
        {track: quality},
        {},
        {} if actions is None else {track: actions},
    )


def search(frames):
    found = NeutralSearch(lambda moments: [float(np.mean(m, axis=0)[0]) for m in moments])
    for item in frames:
        found.see(item)
    return found.references()


def test_the_most_neutral_and_still_moment_is_found():
    rng = np.random.default_rng(0)
    talking = [frame(i, 0.9, measures(jawOpen=rng.random())) for i in range(20)]
    still = [frame(i, 0.95, measures(jawOpen=0.05)) for i in range(20, 30)]
    smile = [frame(i, 0.1, measures(mouthSmileLeft=0.9)) for i in range(30, 50)]
    reference = search(talking + still + smile)[0]
    assert reference.reason is None and len(reference.times) == 4
    assert min(reference.times) >= 20 / 7 and max(reference.times) < 30 / 7
    assert reference.neutral == pytest.approx(0.95) and reference.movement == pytest.approx(0.0)
    assert reference.measures[MEASURES.index("jawOpen")] == pytest.approx(0.05)


@pytest.mark.parametrize(
    "frames, why",
    [
        ([frame(i, 0.2, measures(mouthSmileLeft=0.9)) for i in range(20)], "at best 0.20 neutral"),
        ([frame(i, 0.9, measures(jawOpen=i % 2)) for i in range(20)], "a movement of 7.0"),
        ([frame(i, 0.9, measures(yaw=40)) for i in range(20)], "never turned to the camera"),
        ([frame(i, 0.9, None) for i in range(20)], "its shape is never seen"),
        ([frame(i, 0.9, measures()) for i in range(3)], "its shape is never seen"),
        ([frame(8 * i, 0.9, measures()) for i in range(9)], "its shape is never seen"),
        (
            [
                frame(i, 0.9, measures(), quality=FaceQuality(9.0, 0.3, 0.5, 0.0, 0.1))
                for i in range(9)
            ],
            "its shape is never seen",
        ),
    ],
)
def test_where_nothing_is_neutral_it_says_so(frames, why):
    reference = search(frames)[0]
    assert reference.reason is not None and why in reference.reason


def test_blinks_and_glances_are_no_movement():
    frames = [frame(i, 0.9, measures(eyeBlinkLeft=i % 2, eyeLookInLeft=i % 2)) for i in range(9)]
    assert search(frames)[0].reason is None


def test_which_kind_is_meant(tmp_path):
    assert baseline_kind(None) is None and baseline_kind("auto") == "auto"
    assert baseline_kind((0, 10)) == "span" and baseline_kind((0.5, np.float32(2))) == "span"
    assert baseline_kind("clip.mp4") == baseline_kind(tmp_path) == "video"
    for wrong in ((3, 3), (5, 1), (-1, 2), (math.nan, 1)):
        with pytest.raises(EmoCLIPError, match="in seconds"):
            baseline_kind(wrong)


@pytest.fixture
def stream(tiny_model):
    """Six seconds of a face that smiles from the fourth on, and of another that comes then."""
    rng = np.random.default_rng(0)
    still, smiling = rng.standard_normal((2, tiny_model.encoder.width)).astype(np.float32)
    table = TrackTable()
    frames = []
    for i in range(42):
        smile = i >= 21
        tracks = (0, 1) if smile else (0,)
        face = measures(mouthSmileLeft=0.8, mouthSmileRight=0.8, yaw=10) if smile else measures()
        faces = tuple(
            Face(t, BOX, 0.9 - t / 10, True, np.zeros((4, 4, 3), np.uint8)) for t in tracks
        )
        table.add(FrameFaces(i, i / 7, faces, (200, 200)))
        frames.append(
            EmbeddedFrame(
                i / 7,
                dict.fromkeys(tracks, smiling if smile else still),
                dict.fromkeys(tracks, Detection(BOX, 0.9)),
                dict.fromkeys(tracks, CLEAR),
                {},
                dict.fromkeys(tracks, face),
            )
        )
    return FaceStream("clip", frames, table, lambda: 6.0, has_actions=True)


def test_windows_have_means_of_actions(tiny_model, stream):
    timeline = tiny_model.timeline(stream, LABELS, window=2.0, step=2.0, actions=True)
    first, second, third = (row for row in timeline.rows if row.track == 0)
    assert first.actions["mouthSmileLeft"] == 0.0 and first.action_text == "facial muscles at rest"
    assert 0 < second.actions["mouthSmileLeft"] < 0.8
    assert third.actions["mouthSmileLeft"] == pytest.approx(0.8, abs=1e-3)
    assert (
        third.actions["yaw"] == pytest.approx(10) and third.action_text == "lip corners pulled up"
    )
    record = timeline.to_records()[2]
    assert record["mouthSmileLeft"] == pytest.approx(0.8, abs=1e-3) and "action_text" in record
    plain = tiny_model.timeline(stream, LABELS, window=2.0, step=2.0)
    assert [row.scores for row in plain] == [row.scores for row in timeline]
    assert plain.rows[0].actions is None and "yaw" not in plain.to_records()[0]
    lines = list(tiny_model.timeline_rows(stream, LABELS, window=2.0, step=2.0, actions=True))
    assert [row.actions for row in lines if row.track == 0] == [
        row.actions for row in timeline if row.track == 0
    ]


def test_a_picture_that_stands_still_is_in_the_span():
    recorder = BaselineRecorder(span=(1.0, 2.0))
    for time, value in ((0.0, 1.0), (3.0, 2.0), (3.5, 3.0)):
        recorder.see(EmbeddedFrame(time, {0: np.array([value], np.float32)}))
    assert recorder.references()[0].times == [0.0]


@pytest.mark.parametrize("baseline", [(0, 2), (0, 3.5), (0, 100), "other"])
def test_rows_while_a_video_is_read_are_compared_alike(tiny_model, stream, baseline) -> None:
    other = baseline == "other"
    options = dict(window=1.0, step=0.5, actions=True, baseline=stream if other else baseline)
    timeline = tiny_model.timeline(stream, LABELS, **options)
    rows = list(tiny_model.timeline_rows(stream, LABELS, **options))
    assert {repr(row) for row in rows} == {repr(row) for row in timeline} and len(rows) > 11
    assert [row.start for row in rows] == sorted(row.start for row in rows)


def test_rows_wait_for_the_end_of_the_span_alone(tiny_model, stream) -> None:
    read = []

    def frames():
        for frame in stream:
            read.append(frame.time)
            yield frame

    passing = FaceStream("clip", frames(), stream.table, lambda: 6.0, has_actions=True)
    # Windows so short that they fill a batch before the video ends.
    rows = tiny_model.timeline_rows(passing, LABELS, window=0.1, step=0.05, baseline=(0, 2))
    assert next(rows).baseline == "span" and 2 <= read[-1] < 5


def test_rows_take_no_baseline_that_is_known_at_the_end(tiny_model, stream) -> None:
    with pytest.raises(EmoCLIPError, match="the most neutral moment of a face is known at the end"):
        tiny_model.timeline_rows(stream, LABELS, baseline="auto")
    with pytest.raises(EmoCLIPError, match="another video counts for the most prominent face"):
        tiny_model.timeline_rows("clip.mp4", LABELS, baseline="neutral.mp4")


def test_a_span_as_baseline(tiny_model, stream):
    timeline = tiny_model.timeline(
        stream, LABELS, window=2.0, step=2.0, actions=True, baseline=(0, 2)
    )
    known, missing = timeline.baselines
    assert (known.kind, known.start, known.n_frames) == ("span", 0.0, 14)
    assert known.reason is None and "not seen in the span" in missing.reason
    first, _, third = (row for row in timeline.rows if row.track == 0)
    assert first.baseline == "span" and first.scores == pytest.approx(known.scores, abs=1e-6)
    assert first.score_changes == pytest.approx({"joy": 0.0, "anger": 0.0}, abs=1e-6)
    assert third.score_changes["joy"] == pytest.approx(third.scores["joy"] - known.scores["joy"])
    assert third.action_changes["mouthSmileLeft"] == pytest.approx(0.8, abs=1e-3)
    other = next(row for row in timeline.rows if row.track == 1)
    assert other.baseline is None and math.isnan(other.score_changes["joy"])
    assert math.isnan(other.action_changes["yaw"]) and other.action_text == "lip corners pulled up"
    columns = timeline.to_records()[0]
    assert {"baseline", "change:joy", "change:mouthSmileLeft", "change:yaw"} <= set(columns)
    json.dumps(timeline.to_dict(), allow_nan=False)


def test_other_steps_keep_the_baseline(tiny_model, stream):
    timeline = tiny_model.timeline(
        stream, LABELS, window=1.0, step=1.0, actions=True, baseline=(0, 2)
    )
    for other in (timeline.smooth(3.0), timeline.resample(2.0)):
        known = other.baselines[0]
        assert known == timeline.baselines[0]
        for row in (row for row in other if row.track == 0):
            assert row.score_changes["joy"] == pytest.approx(
                row.scores["joy"] - known.scores["joy"]
            )
            assert row.actions["yaw"] == pytest.approx(row.action_changes["yaw"])


def test_auto_without_a_neutral_moment_changes_nothing(tiny_model, stream, monkeypatch):
    monkeypatch.setattr(
        "emoclip_sdk.inference.scorer.Scorer.neutral_scores",
        lambda self, moments: [0.3] * len(moments),
    )
    timeline = tiny_model.timeline(stream, LABELS, window=2.0, step=2.0, baseline="auto")
    assert all("no neutral moment" in known.reason for known in timeline.baselines)
    assert all(row.baseline is None for row in timeline)
    assert "no baseline (no neutral moment" in timeline.baselines[0].sentence()


def test_what_was_read_without_actions_says_so(tiny_model, crop_video):
    faces = tiny_model.read(crop_video, faces="none")
    with pytest.raises(EmoCLIPError, match="say actions=True to read"):
        tiny_model.timeline(faces, LABELS, actions=True)


def test_a_clip_that_begins_neutral(embedded_model, media):
    clip = media / "pyfeat" / "single_face.mp4"
    timeline = embedded_model.timeline(
        clip, ["neutral", "happiness"], window=1.0, actions=True, baseline="auto"
    )
    (known,) = timeline.baselines
    assert known.reason is None and known.start < 0.3 and known.neutral > 0.8
    last = timeline.rows[-1]
    assert last.score_changes["happiness"] > 0.9 and last.action_changes["mouthSmileLeft"] > 0.5
    actions = embedded_model.actions(clip, baseline="auto")
    assert actions.baselines[0].start == known.start
    assert actions.rows[-1].changes["mouthSmileLeft"] > 0.5 and actions.rows[-1].baseline == "auto"
    assert "change:mouthSmileLeft" in actions.to_records()[0]
    against = embedded_model.actions(clip, baseline=clip)
    assert against.baselines[0].source == "single_face.mp4"


def test_a_clip_of_nothing_but_a_smile(embedded_model, media):
    clip = media / "synthetic_actors" / "happy.mp4"
    actions = embedded_model.actions(clip, baseline="auto")
    assert "no neutral moment" in actions.baselines[0].reason
    assert all(row.baseline is None and math.isnan(row.changes["jawOpen"]) for row in actions)
