"""What a visitor has: read once, scored often, deleted."""

from __future__ import annotations

import pytest
from builders import write_video

from emoclip_sdk import EmoCLIPError, PromptError, VideoError
from emoclip_sdk.demo.chart import chart_html, player_html
from emoclip_sdk.demo.session import DOWNLOADS, Session


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
    assert {row.track for row in first.rows if row.face_found} == {0, 1}
    chart = chart_html(first)
    assert "Face 0" in chart and "Face 1" in chart
    assert "<b>sly" not in chart and "&lt;b&gt;sly" in chart
    assert "data-faces=" in player_html(first, "file=played.mp4", session.frame_size)
    assert session.score(["anger"], 1.0, 1.0).labels == ("anger",)
    for ending in DOWNLOADS.values():
        assert session.save(ending).stat().st_size > 0, ending
    session.close()
    assert not session.folder.exists()
    with pytest.raises(EmoCLIPError, match="Load it again"):
        session.score(["anger"], 1.0, 1.0)


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
