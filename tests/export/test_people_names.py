"""Who a face is, in the files that annotators open."""

from __future__ import annotations

import pytest

from emoclip_sdk.faces.people import TrackPerson

NAME = 'Ann <b> "Lu"\n & co'  # the file name of a reference photo


@pytest.fixture
def named(timeline):
    return timeline.with_people({0: TrackPerson(NAME, 0.99), 1: TrackPerson(None, reason="unsure")})


def test_elan(named, tmp_path):
    eaf = pytest.importorskip("pympi").Elan.Eaf
    named.save(tmp_path / "out.eaf")
    name = 'face 0, Ann <b> "Lu" & co'
    assert list(eaf(str(tmp_path / "out.eaf")).get_tier_names()) == [
        name, f"{name}: score", "face 1", "face 1: score",
    ]  # fmt: skip


def test_textgrid(named, tmp_path):
    textgrid = pytest.importorskip("textgrid")
    named.save(tmp_path / "out.TextGrid")
    document = textgrid.TextGrid.fromFile(str(tmp_path / "out.TextGrid"))
    # This library keeps Praat's doubled quotes as they are.
    assert document.getNames() == ['face 0, Ann <b> ""Lu"" & co', "face 1"]


def test_subtitles(named, tmp_path):
    webvtt = pytest.importorskip("webvtt")
    for file in ("out.vtt", "out.srt"):
        named.save(tmp_path / file)
    voices = {cue.voice for cue in webvtt.read(str(tmp_path / "out.vtt"))}
    assert voices == {"face 0, Ann &lt;b&gt; &quot;Lu&quot; &amp; co", "face 1"}
    lines = [line for cue in webvtt.from_srt(str(tmp_path / "out.srt")) for line in cue.lines]
    assert lines[0].startswith('face 0, Ann <b> "Lu" & co: joy')


def test_rttm(named, tmp_path):
    named.save(tmp_path / "out.rttm")
    lines = [line.split() for line in (tmp_path / "out.rttm").read_text("utf-8").splitlines()]
    assert {len(fields) for fields in lines} == {10}  # as RTTM has them
    assert {fields[7].partition("/")[0] for fields in lines} == {
        'face0,Ann_<b>_"Lu"_&_co', "face1",
    }  # fmt: skip
