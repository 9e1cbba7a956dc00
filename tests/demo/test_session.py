"""What a visitor has: read once, scored often, deleted."""

from __future__ import annotations

import inspect

import av
import pytest
from builders import write_video

from emoclip_sdk import EmoCLIP, EmoCLIPError, PromptError, VideoError
from emoclip_sdk.cli.annotate import annotate as annotate_command
from emoclip_sdk.cli.timeline import timeline as timeline_command
from emoclip_sdk.demo.chart import chart_html
from emoclip_sdk.demo.player import player_html
from emoclip_sdk.demo.session import DOWNLOADS, Session
from emoclip_sdk.export.overlay import Overlay
from emoclip_sdk.inference.options import STEP, WINDOW


@pytest.fixture
def session(detecting_model, tmp_path):
    return Session(detecting_model, tmp_path)


@pytest.fixture
def upload(two_faces, tmp_path):
    return write_video(tmp_path / "clip.mp4", two_faces, fps=10)


def test_the_upload_is_needed_once(session, upload):
    session.read(upload)
    upload.unlink()
    first = session.score(["joy", "a <b>sly</b> look to the left"], 1.0, 0.5)
    assert {row.track for row in first.timeline if row.face_found} == {0, 1}
    chart = chart_html(first.timeline, first.answers, session.colors.of(first.timeline.labels))
    assert "<h3>face 0 " in chart and "<h3>face 1 " in chart
    assert "<b>sly" not in chart and "&lt;b&gt;sly" in chart
    assert "data-faces=" in player_html(first.timeline, "file=played.mp4", session.frame_size)
    assert session.score(["anger"], 1.0, 1.0).timeline.labels == ("anger",)
    for ending in DOWNLOADS.values():
        assert session.save(ending).stat().st_size > 0, ending
    session.close()
    assert not session.folder.exists()
    with pytest.raises(EmoCLIPError, match="Load it again"):
        session.score(["anger"], 1.0, 1.0)


@pytest.mark.parametrize(
    "parts",
    [
        [{"start": 1.0, "end": 3.0}],
        pytest.param([{}, {"start": 1.0, "end": 3.0}], marks=pytest.mark.slow),
    ],
)
def test_the_page_answers_as_everybody_else(session, upload, detecting_model, parts):
    """One question, one answer: the page, Python, and what `annotate` shows."""
    labels = ["joy", "anger", "neutral"]
    for part in parts:
        session.read(upload, **part)
        shown = session.score(labels, WINDOW, STEP, baseline=(1.0, 2.0))
        timeline = detecting_model.timeline(
            upload, labels, actions=True, baseline=(1.0, 2.0), **part
        )
        assert shown.timeline.to_dict() == timeline.to_dict()
        assert (timeline.window, timeline.step) == (2.0, 1.0)
        answers = detecting_model.classify(upload, labels, track="all", **part)
        assert [a.to_dict() for a in shown.answers] == [a.to_dict() for a in answers]
        actions = detecting_model.actions(upload, baseline=(1.0, 2.0), **part)
        assert shown.actions.to_dict() == actions.to_dict()
        assert shown.begin == part.get("start", 0.0)
        with av.open(str(session.played)) as played:
            seconds = played.streams.video[0].frames / 10
        assert seconds == pytest.approx(2.0 if part else 6.0, abs=0.15)
    # The label that `annotate` draws at a time is that of the row whose middle is nearest.
    overlay = Overlay(timeline, session.frame_size)
    rows = [row for row in timeline if row.track == 0 and row.face_found]
    nearest = min(rows, key=lambda row: abs((row.start + row.end) / 2 - 1.6))
    text = "none of these" if nearest.abstained else str(nearest.answer)
    assert text in overlay._caption(0, 1.6)[0]


def test_command_line_python_and_page_have_the_same_windows():
    defaults = {}
    for command in (timeline_command, annotate_command):
        given = inspect.signature(command).parameters
        defaults[command.__name__] = given["window"].default, given["step"].default
    for method in (EmoCLIP.timeline, EmoCLIP.timeline_rows):
        given = inspect.signature(method).parameters
        defaults[method.__name__] = given["window"].default, given["step"].default
    assert set(defaults.values()) == {(WINDOW, STEP)} == {(2.0, 1.0)}


def test_labels_that_are_refused(session):
    kept, reasons = session.usable(["joy", "--", "anger", "joy"])
    assert kept == ["joy", "anger"] and len(reasons) == 1 and "'--'" in reasons[0]


def test_words_of_ones_own_are_the_sessions_alone(session, detecting_model):
    before = session.text("happiness").texts
    session.describe("happiness", ["The lips part"])
    assert session.text("happiness").texts == ("The lips part",)
    assert detecting_model.prompts.descriptions("happiness") == before
    name = session.add_compound("", ["happiness", "sadness"], "2, 1")
    assert name == "happiness + sadness"
    assert dict(session.text(name).parts) == pytest.approx({"happiness": 2 / 3, "sadness": 1 / 3})
    assert "The lips part" in session.text(name).texts
    session.describe("happiness", [])
    assert session.text("happiness").texts == before


def test_what_cannot_be_used_changes_nothing(session, tmp_path):
    for parts, weights in (["joy"], ""), (["joy", "anger"], "1"), (["joy", "anger"], "a b"):
        with pytest.raises(PromptError):
            session.add_compound("", parts, weights)
    with pytest.raises(PromptError):
        session.describe("joy", ["--"])
    assert not session.model.prompts.is_custom("joy")
    picture = tmp_path / "face.png"
    picture.write_bytes(b"")
    with pytest.raises(VideoError, match="is no video by its name"):
        session.read(picture)
    with pytest.raises(EmoCLIPError, match="nothing to save"):
        session.save(".csv")
