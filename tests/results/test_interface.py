"""Every result says what it holds in the same ways: JSON types, flat rows, data frames, HTML."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest

from emoclip_sdk.batch import BatchReport
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.faces import FaceQuality
from emoclip_sdk.results.analysis import Episode, TrackSummary
from emoclip_sdk.results.baseline import FaceBaseline
from emoclip_sdk.results.events import Event, EventScores
from emoclip_sdk.results.evidence import DescriptionMatch, FrameWeight
from emoclip_sdk.results.explanation import Explanation
from emoclip_sdk.results.features import FaceFeatures
from emoclip_sdk.results.live import LiveResult
from emoclip_sdk.results.ratings import ProbeResult, ScoreEstimate
from emoclip_sdk.results.records import FaceTrack, ModelInfo, Prediction
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.synchrony import Synchrony
from emoclip_sdk.results.timeline import Timeline
from emoclip_sdk.selection.compare import Comparison
from emoclip_sdk.selection.few_shot import FewShotReport
from emoclip_sdk.selection.wording import WordingScore

NAN = math.nan
JOY = {"joy": 0.75}
MODEL = ModelInfo("tiny", None, "0123456789ab")
TRACK = FaceTrack(0, 0.0, 1.0, 7, 1.0, 0.5)
SEEN = Prediction("a.mp4", JOY, JOY, {}, 0, (TRACK,), 7, 1.0, None, MODEL, 0.7, False)
UNSEEN = Prediction("b.mp4", {"joy": NAN}, {"joy": NAN}, {}, model=MODEL)
FAILED = Prediction("c.mp4", {"joy": NAN}, {"joy": NAN}, {}, error="no such file")
ROW = TimelineRow(0, 0.0, 1.0, 7, JOY, JOY, 0.7, False, (1.0, 2.0, 3.0, 4.0), 0.9)
GAP = TimelineRow(None, 1.0, 2.0, 0, {"joy": NAN}, {"joy": NAN})
TIMELINE = Timeline("a.mp4", ("joy",), 1.0, 1.0, (ROW, GAP), {}, (TRACK,), 2.0, MODEL)
WEIGHT = FrameWeight(0.5, (1.0, 2.0, 3.0, 4.0), {"joy": 0.5}, NAN, 1.0, b"jpeg")
MATCH = DescriptionMatch("A smile.", 1.0, 0.5)
RESULTS = [
    MODEL,
    TRACK,
    SEEN,
    UNSEEN,
    FAILED,
    TIMELINE,
    WEIGHT,
    MATCH,
    Explanation(SEEN, (WEIGHT,), {"joy": (MATCH,)}),
    LiveResult("camera 0", 0.0, 1.0, (ROW,), 7.0, 0, 0.1, MODEL),
    Episode(0, "joy", 0.0, 0.5, 1.0, 0.9, 0.8),
    EventScores(Event(0.5, 1.0, "one", None, {"kind": "ad"}), 0, 0.5, JOY, JOY, {"joy": NAN}),
    FaceFeatures(None, 0, 0.0, 1.0, 1.0, JOY, {"joy": NAN}, JOY, {"joy": NAN}, JOY, JOY, JOY),
    Synchrony(None, 0.0, 9.0, 0, 1, "joy", 0.5, NAN, NAN, 3, 0),
    TrackSummary(0, 0.0, 1.0, 1.0, JOY, 0.25, JOY, JOY),
    ScoreEstimate(NAN, NAN, NAN, 1.0),
    ProbeResult("a.mp4", {"item": ScoreEstimate(1.0, 0.0, 2.0, 0.5)}, 3),
    Comparison(((SEEN, SEEN), (UNSEEN, UNSEEN))),
    FewShotReport(6, JOY, (1,), 0.5, 0.75, 0.2, 3),
    WordingScore("joy", "bank", ("A smile.",), 0.9, 3, 4),
    BatchReport(Path("out.parquet"), 2, 1, ("b.mp4",), {"c.mp4": "no such file"}),
]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_to_dict_is_json(result):
    values = result.to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values


@pytest.mark.parametrize("result", RESULTS[:-1], ids=lambda result: type(result).__name__)
def test_rows_are_flat_and_go_into_a_data_frame(result):
    if hasattr(result, "to_records"):
        rows = result.to_records()
        pandas = pytest.importorskip("pandas")
        table = result.to_pandas()
        assert isinstance(table, pandas.DataFrame) and len(table) == len(rows)
    else:
        rows = [result.to_record()]
    for row in rows:
        assert not any(isinstance(value, dict | list | bytes) for value in row.values())


def test_one_thing_has_one_name():
    prediction, row = SEEN.to_record(), TIMELINE.to_records()[0]
    shared = {"source", "track", "face_found", "label", "confidence", "abstained", "n_frames"}
    assert shared | {"status"} <= set(prediction) and shared | {"detection_confidence"} <= set(row)
    assert {"track", "face_found", "detection_confidence"} <= set(ROW.to_dict())
    assert {"source", "status", "track"} <= set(SEEN.to_dict())
    assert [r.status for r in (SEEN, UNSEEN, FAILED)] == ["ok", "no face", "failed"]


def test_without_a_face_nobody_abstained():
    for result in (UNSEEN.to_dict(), FAILED.to_record(), GAP.to_dict()):
        assert result["abstained"] is None
    table = TIMELINE.to_pandas()
    assert table["abstained"].isna().tolist() == [False, True]


def test_notebooks_show_a_small_table():
    rows = tuple(TimelineRow(0, float(t), t + 1.0, 7, JOY, JOY) for t in range(40))
    long = Timeline("<b>.mp4", ("joy",), 1.0, 1.0, rows, {}, (TRACK,), 40.0)
    html = long._repr_html_()
    assert "&lt;b&gt;.mp4: 40 rows, 1 track" in html and html.count("<tr>") == 13
    unsure = dataclasses.replace(long, rows=(dataclasses.replace(rows[0], abstained=True),))
    assert "<td>none of these (joy?)</td>" in unsure._repr_html_()
    evil = Prediction("a", {"<script>": 1.0}, {"<script>": 0.5}, {}, track=0, tracks=(TRACK,))
    assert "<script>" not in evil._repr_html_() and "&lt;script&gt;" in evil._repr_html_()
    assert "no such file" in FAILED._repr_html_() and "no face" in UNSEEN._repr_html_()


def test_a_notebook_draws_the_scores_of_a_prediction():
    from xml.etree import ElementTree

    scores = {"anger": 0.46, "neutral": 0.45, "<joy>": 0.09}
    tied = dataclasses.replace(SEEN, scores=scores, similarities=scores, tied=("neutral",))
    html = tied._repr_html_()
    svg = ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    bars = [e for e in svg.iter() if e.tag.endswith("rect")]
    widths = [float(bar.attrib["width"]) for bar in bars]
    shares = [width / widths[0] for width in widths]
    assert shares == pytest.approx([1, 45 / 46, 9 / 46], abs=1e-3)
    colors = [bar.attrib["fill"] for bar in bars]
    assert colors[0] == colors[1] != colors[2], "those that can't be told apart"
    assert "anger \u2248 neutral" in html and "<joy>" not in html
    assert "<svg" not in UNSEEN._repr_html_()


def test_a_prediction_in_three_lines():
    assert repr(SEEN).splitlines() == [
        "<Prediction 'a.mp4': joy>",
        "  joy 0.75",
        "  face 0 of 1, 7 frames, confidence 0.70",
    ]
    assert repr(FAILED) == "<Prediction 'c.mp4': failed: no such file>"
    assert repr(UNSEEN) == "<Prediction 'b.mp4': no face>"
    five = dict.fromkeys("abcde", 0.2)
    unsure = dataclasses.replace(SEEN, scores=five, similarities=five, abstained=True)
    assert "none of these (a?)" in repr(unsure) and "c 0.20  and 2 more" in repr(unsure)


def test_a_timeline_as_a_short_table():
    assert repr(TIMELINE).splitlines() == [
        "<Timeline 'a.mp4': 2 rows, 1 track>",
        "  face    start      end  label",
        "     0     0.00     1.00  joy 0.75",
        "           1.00     2.00  (no face)",
    ]
    many = dataclasses.replace(TIMELINE, rows=(ROW,) * 30)
    assert len(repr(many).splitlines()) == 11 and "(22 more rows)" in repr(many)
    assert TIMELINE[0] is ROW and TIMELINE[-1] is GAP and TIMELINE[:1] == (ROW,)


def test_who_abstains_has_no_answer():
    for result in (SEEN, ROW):
        assert result.answer == result.label == "joy"
        unsure = dataclasses.replace(result, abstained=True)
        assert unsure.answer is None and unsure.label == "joy"
    assert UNSEEN.answer is None and GAP.answer is None


def test_a_timeline_comes_back_from_its_file(tmp_path):
    row = dataclasses.replace(
        ROW,
        quality=FaceQuality(40.0, 0.2, 0.5, 0.0, 0.625),
        actions={"jawOpen": NAN},
        baseline="auto",
        score_changes={"joy": 0.5},
        action_changes={"jawOpen": NAN},
        seen=((0.0, 0.25), (0.5, 1.0)),
    )
    baseline = FaceBaseline(0, "auto", None, None, 1.0, 2.0, 7, scores=JOY)
    whole = dataclasses.replace(
        TIMELINE, rows=(row, GAP), baselines=(baseline,), min_score=0.4, prompts={"joy": "bank"}
    )
    whole.save(tmp_path / "a.json")
    loaded = Timeline.load(tmp_path / "a.json")
    assert loaded.to_dict() == whole.to_dict() and loaded[0].sights == row.seen
    assert repr(loaded.to_records()) == repr(whole.to_records())
    assert math.isnan(loaded[1].scores["joy"]) and loaded.episodes() == whole.episodes()
    with pytest.raises(EmoCLIPError, match="Make it anew"):
        loaded.annotate("a.mp4", tmp_path / "out.mp4")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.csv", "a,b", "is loaded from the .json file"),
        ("gone.json", None, "can't be read"),
        ("a.json", "{", "is no JSON"),
        ("a.json", "[1]", "is no timeline"),
        ("a.json", '{"status": "ok", "rows": [{"track": 0}]}', "is no timeline"),
    ],
)
def test_what_is_no_timeline(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(EmoCLIPError, match=message):
        Timeline.load(tmp_path / name)
