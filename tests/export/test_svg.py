"""The small picture of a timeline in a notebook."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from emoclip_sdk.export.svg import timeline_svg
from emoclip_sdk.results.scored_windows import TimelineRow
from emoclip_sdk.results.timeline import Timeline


def row(start, scores, **more):
    return TimelineRow(
        0, start, start + 1.0, 7, scores, scores, 0.7, **{"abstained": False, **more}
    )


def test_bars_are_where_the_labels_are():
    joy, odd = {"joy": 0.8, "<a&b>": 0.2}, {"joy": 0.1, "<a&b>": 0.9}
    rows = (row(0.0, joy), row(1.0, joy), row(2.0, joy, abstained=True), row(3.0, odd))
    timeline = Timeline("clip.mp4", ("joy", "<a&b>"), 1.0, 1.0, rows, duration=4.0)
    root = ET.fromstring(timeline_svg(timeline))  # well-formed, whatever the labels hold
    tag = "{http://www.w3.org/2000/svg}"
    named = [rect for rect in root.iter(f"{tag}rect") if rect.find(f"{tag}title") is not None]
    places = [(float(rect.get("x")), float(rect.get("width"))) for rect in named]
    assert places == [(60.0, 300.0), (510.0, 150.0)]  # of 600 pixels for 4 s, from 60 on
    titles = [rect.find(f"{tag}title").text for rect in named]
    assert titles[0].startswith("joy 0.80, 0:00 to 0:02") and titles[1].startswith("<a&b> 0.90")
    assert named[0].get("fill") != named[1].get("fill")
    assert {"face 0", "0:04", "joy", "<a&b>"} <= {text.text for text in root.iter(f"{tag}text")}
    assert timeline._repr_html_().count("<svg ") == 1


def test_without_a_face_there_is_no_picture():
    nobody = TimelineRow(None, 0.0, 1.0, 0, {"joy": float("nan")}, {"joy": float("nan")})
    assert timeline_svg(Timeline("clip.mp4", ("joy",), 1.0, 1.0, (nobody,))) == ""
