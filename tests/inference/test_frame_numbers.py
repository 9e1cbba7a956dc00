"""Numbers of frames are those of ffprobe: from 0, in the order in which frames are shown."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction

import pytest
from builders import write_video

from emoclip_sdk import ReadOptions, open_video

# A frame after 20 to 400 ms: variable rate. In units of 1/600 s.
GAPS = [12, 24, 60, 12, 240, 12, 12, 120, 36, 60] * 4
START = 900  # 1.5 s


def clip(folder, name, stripes, start):
    """Write H.264 with B-frames, whose packets are not in the order of the frames."""
    ticks = [start + sum(GAPS[:i]) for i in range(len(GAPS))]
    options = dict(codec="libx264", options={"bf": "2", "g": "12"}, time_base=Fraction(1, 600))
    return write_video(folder / name, stripes(len(GAPS)), ticks=ticks, **options), ticks


def ffprobe_times(path):
    """Return the time of each frame, or None where ffprobe isn't installed."""
    if shutil.which("ffprobe") is None:
        return None
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_frames"]
    command += ["-show_entries", "frame=pts_time", "-of", "json", str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(frame["pts_time"]) for frame in json.loads(output)["frames"]]


@pytest.mark.parametrize("name, start", [("vfr.mp4", 0), ("late.mkv", START)])
def test_rows_join_with_ffprobe(tiny_model, stripes, tmp_path, name, start):
    path, ticks = clip(tmp_path, name, stripes, start)
    known = [tick / 600 for tick in ticks]
    probed = ffprobe_times(path) or known
    assert probed == pytest.approx(known, abs=1.1e-3)  # Matroska counts in milliseconds
    for part in ({}, {"start": start / 600 + 1.0, "end": start / 600 + 2.5}):
        rows = tiny_model.timeline(
            path, ["joy", "fear"], window=0.5, step=0.5, faces="none", **part
        ).to_records()
        assert len(rows) >= 3
        source = ReadOptions(**part).part(open_video(path))
        sampled = [frame.index for frame in source.sample(tiny_model.config.sampling.rate)]
        for row in rows:
            came = [n for n in sampled if row["start"] - 1e-3 <= probed[n] < row["end"] - 1e-3]
            before = [n for n in sampled if probed[n] < row["start"] - 1e-3]
            # One that stands there for long when the window begins counts, too.
            assert row["first_frame"] in [*before[-1:], *came[:1]]
            assert row["last_frame"] == (came[-1] if came else before[-1])
            assert row["n_frames"] == len(came) + (row["first_frame"] not in came)
    every = list(open_video(path).frames())
    assert [frame.index for frame in every] == list(range(len(probed)))
    assert [frame.time for frame in every] == pytest.approx(probed, abs=2e-6)


def test_a_gap_has_no_frames(detecting_model, two_faces):
    timeline = detecting_model.timeline(two_faces, window=1.0, step=1.0, fps=10)
    seen, gone = timeline.rows[0], timeline.rows[-1]
    assert (seen.first_frame, gone.first_frame, gone.last_frame) == (0, None, None)
    assert seen.last_frame is not None and seen.last_frame < 10
