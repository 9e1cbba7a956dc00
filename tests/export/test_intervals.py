"""Best labels over time, in milliseconds."""

from __future__ import annotations

import csv
import re
from fractions import Fraction

import numpy as np
import pytest

from emoclip_sdk.export.intervals import label_intervals, length_ms
from emoclip_sdk.video import open_video

from .conftest import JOY
from .test_annotate import count_colored, write_clip


def test_intervals_of_each_face(timeline) -> None:
    by_face = label_intervals(timeline)
    assert [(i.start, i.end, i.label) for i in by_face[0]] == [
        (0, 2000, JOY),
        (3000, 4000, JOY),
        (5000, 6000, "äger"),
    ], "no interval while the face is away or the model abstained"
    assert length_ms(timeline) == 7000


@pytest.fixture(scope="module")
def late_clip(tmp_path_factory):
    """Sound from 0, pictures from 1.5 s, faces from 2.5 s to 4.5 s, as of ten frames a second."""
    rng = np.random.default_rng(0)
    frames = np.repeat(rng.integers(140, 255, (1, 72, 128, 3), dtype=np.uint8), 30, axis=0)
    frames[:10, :16, :16] = 0
    path = tmp_path_factory.mktemp("late") / "late.mp4"
    return write_clip(path, frames, [1.5 + i / 10 for i in range(30)])


def test_everything_speaks_the_time_that_a_player_shows(detecting_model, late_clip, tmp_path):
    import av

    with av.open(str(late_clip)) as file:  # what the container says, without this package
        video = file.streams.video[0]
        assert (file.start_time, video.start_time * video.time_base) == (0, Fraction(3, 2))
    timeline = detecting_model.timeline(late_clip, ["joy"], window=1.0, step=0.1)
    assert timeline.duration == pytest.approx(4.5, abs=0.01)
    assert [track.start for track in timeline.tracks] == [2.5, 2.5]
    assert {(e.onset, e.offset) for e in timeline.episodes()} == {(2.5, timeline.duration)}
    assert [s.seconds for s in timeline.summary()] == pytest.approx([2.0, 2.0], abs=0.01)
    assert min(row.start for row in timeline.resample(0.5) if row.face_found) == 2.5
    assert min(row.start for row in timeline) == 1.5

    for ending in ("srt", "vtt", "eaf", "TextGrid", "rttm", "csv", "mp4"):
        if ending == "mp4":
            timeline.annotate(late_clip, tmp_path / "out.mp4")
        else:
            timeline.save(tmp_path / f"out.{ending}")
    for ending in ("srt", "vtt"):
        cues = re.findall(r"[\d:.,]{12}", (tmp_path / f"out.{ending}").read_text())
        assert [cue.replace(",", ".") for cue in cues] == ["00:00:02.500", "00:00:04.500"]
    slots = re.findall(r'TIME_VALUE="(\d+)"', (tmp_path / "out.eaf").read_text())
    assert set(slots) == {"2500", "4500"}
    grid = re.findall(r"xm(?:in|ax) = (\S+)", (tmp_path / "out.TextGrid").read_text())
    assert set(map(float, grid)) == {0, 2.5, 4.5}
    for line in (tmp_path / "out.rttm").read_text().splitlines():
        assert line.split()[3:5] == ["2.500", "2.000"]
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    starts = {row["start"] for row in rows}
    assert starts == {f"{i / 10}" for i in range(15, 36)}, "no 2.3000000000000003"
    assert min(float(row["seen_start"] or "inf") for row in rows) == 2.5

    drawn = list(open_video(tmp_path / "out.mp4").frames())
    assert [f.time for f in drawn] == pytest.approx([1.5 + i / 10 for i in range(30)], abs=2e-3)
    boxes = [count_colored(f.rgb[: 72 * 4]) > 500 for f in drawn]
    assert boxes == [False] * 10 + [True] * 20
