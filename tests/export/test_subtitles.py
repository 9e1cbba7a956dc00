"""Best labels as subtitles."""

from __future__ import annotations

import pytest

from .conftest import JOY

CUES = [
    (0.0, 1.0, {0: JOY}),
    (1.0, 2.0, {0: JOY, 1: "äger"}),
    (2.0, 3.0, {1: "äger"}),
    (3.0, 4.0, {0: JOY}),
    (5.0, 6.0, {0: "äger"}),
]


def test_webvtt(timeline, tmp_path):
    webvtt = pytest.importorskip("webvtt")
    timeline.save(tmp_path / "out.vtt")
    raw = (tmp_path / "out.vtt").read_text(encoding="utf-8")
    assert raw.startswith("WEBVTT\n") and "<v face 1>äger" in raw and "&lt;b&gt;" in raw
    cues = webvtt.read(str(tmp_path / "out.vtt"))
    assert [(c.start_in_seconds, c.end_in_seconds) for c in cues] == [c[:2] for c in CUES]
    assert [c.voice for c in cues][:3] == ["face 0", "face 0", "face 1"]
    assert len(cues[1].lines) == 2


def test_srt(timeline, tmp_path):
    webvtt = pytest.importorskip("webvtt")
    timeline.save(tmp_path / "out.srt")
    cues = webvtt.from_srt(str(tmp_path / "out.srt"))
    assert [(c.start_in_seconds, c.end_in_seconds) for c in cues] == [c[:2] for c in CUES]
    assert cues[1].lines == [f"face 0: {JOY}", "face 1: äger"]
