"""What a visitor has: read once, scored often, deleted."""

from __future__ import annotations

import pytest
from conftest import write_video

from emoclip_sdk import EmoCLIPError, PromptError, VideoError
from emoclip_sdk.demo.chart import chart_html, player_html
from emoclip_sdk.demo.visit import DOWNLOADS, Visit


@pytest.fixture
def visit(detecting_model, tmp_path):
    return Visit(detecting_model, tmp_path)


@pytest.fixture
def upload(two_faces, tmp_path):
    return write_video(tmp_path / "clip.mp4", two_faces, fps=10)


def test_the_upload_is_needed_once(visit, upload):
    visit.read(upload)
    upload.unlink()
    first = visit.score(["joy", "a <b>sly</b> look to the left"], 1.0, 0.5)
    assert {row.track for row in first.rows if row.face_found} == {0, 1}
    chart = chart_html(first)
    assert "Face 0" in chart and "Face 1" in chart
    assert "<b>sly" not in chart and "&lt;b&gt;sly" in chart
    assert "data-faces=" in player_html(first, "file=played.mp4", visit.frame_size)
    assert visit.score(["anger"], 1.0, 1.0).labels == ("anger",)
    for ending in DOWNLOADS.values():
        assert visit.save(ending).stat().st_size > 0, ending
    visit.close()
    assert not visit.folder.exists()
    with pytest.raises(EmoCLIPError, match="Load it again"):
        visit.score(["anger"], 1.0, 1.0)


def test_words_of_ones_own_are_the_visits_alone(visit, detecting_model):
    before = visit.text("happiness").texts
    visit.describe("happiness", ["The lips part"])
    assert visit.text("happiness").texts == ("The lips part",)
    assert detecting_model.prompts.descriptions("happiness") == before
    name = visit.add_compound("", ["happiness", "sadness"], "2, 1")
    assert name == "happiness + sadness"
    assert dict(visit.text(name).parts) == pytest.approx({"happiness": 2 / 3, "sadness": 1 / 3})
    assert "The lips part" in visit.text(name).texts
    visit.describe("happiness", [])
    assert visit.text("happiness").texts == before


def test_what_cannot_be_used_changes_nothing(visit, tmp_path):
    for parts, weights in (["joy"], ""), (["joy", "anger"], "1"), (["joy", "anger"], "a b"):
        with pytest.raises(PromptError):
            visit.add_compound("", parts, weights)
    with pytest.raises(PromptError):
        visit.describe("joy", ["--"])
    assert not visit.model.prompts.is_custom("joy")
    picture = tmp_path / "face.png"
    picture.write_bytes(b"")
    with pytest.raises(VideoError, match="is no video by its name"):
        visit.read(picture)
    with pytest.raises(EmoCLIPError, match="nothing to save"):
        visit.save(".csv")
