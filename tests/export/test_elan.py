"""Best labels as a document of ELAN."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from .conftest import JOY


def test_elan(timeline, tmp_path):
    elan = pytest.importorskip("pympi.Elan")
    timeline.save(tmp_path / "out.eaf")
    document = elan.Eaf(str(tmp_path / "out.eaf"))
    assert sorted(document.get_tier_names()) == [
        "face 0",
        "face 0: score",
        "face 1",
        "face 1: score",
    ]
    assert sorted(document.get_annotation_data_for_tier("face 0")) == [
        (0, 2000, JOY),
        (3000, 4000, JOY),
        (5000, 6000, "äger"),
    ]
    scores = sorted(document.get_ref_annotation_data_for_tier("face 0: score"))
    assert [s[2] for s in scores] == ["0.775", "0.700", "0.900"]
    words = document.get_cv_entries("labels") if hasattr(document, "get_cv_entries") else {}
    assert not words or len(words) == 2
    (media,) = document.media_descriptors
    assert media["RELATIVE_MEDIA_URL"] == "./%C3%A4%20clip.mp4"


def test_elan_points_to_a_video_that_is_there(timeline, tmp_path):
    import dataclasses

    (tmp_path / "videos").mkdir()
    video = tmp_path / "videos" / "my clip.mp4"
    video.touch()
    dataclasses.replace(timeline, source=str(video)).save(tmp_path / "out.eaf")
    media = ElementTree.parse(tmp_path / "out.eaf").find("HEADER/MEDIA_DESCRIPTOR").attrib
    assert media["MEDIA_URL"] == video.resolve().as_uri()
    assert media["RELATIVE_MEDIA_URL"] == "./videos/my%20clip.mp4"
    dataclasses.replace(timeline, source="array").save(tmp_path / "out.eaf")
    assert ElementTree.parse(tmp_path / "out.eaf").find("HEADER/MEDIA_DESCRIPTOR") is None
