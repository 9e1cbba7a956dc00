"""``emoclip-train crop`` as a user meets it."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import write_video

from emoclip_sdk.training.data.datasets import open_clips
from emoclip_sdk.video import open_video


def test_command_on_a_real_face(shared: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("facenet_pytorch")
    from emoclip_sdk.training.cli import main

    frames = []
    for frame in open_video(shared / "media" / "pyfeat" / "single_face.mp4").frames():
        frames.append(frame.rgb)
        if len(frames) == 6:
            break
    write_video(tmp_path / "videos" / "joy" / "a.mp4", np.stack(frames), 10)
    (tmp_path / "videos" / "b.mp4").write_bytes(b"no video")
    out = tmp_path / "crops"

    def crop() -> tuple[int, str]:
        arguments = ["crop", str(tmp_path / "videos"), str(out), "--workers", "1", "--size", "96"]
        monkeypatch.setattr(sys, "argv", ["emoclip-train", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, capsys.readouterr().out

    code, text = crop()
    assert code == 1 and "1 done, 0 without a face, 1 failed" in text and "b.mp4: failed" in text
    rows = {row["clip"]: row for row in csv.DictReader((out / "crop-report.csv").open())}
    assert (rows["joy/a"]["status"], rows["joy/a"]["frames"]) == ("done", "6")
    assert rows["b"]["status"] == "failed" and "not a video" in rows["b"]["why"]
    dataset = open_clips("folder", out)
    assert dataset.cropped and dataset.splits["test"][0].id == "joy/a"
    assert next(open_video(dataset.splits["test"][0].video).frames()).rgb.shape == (96, 96, 3)
    made = (out / "joy" / "a" / "00000.png").stat().st_mtime_ns
    (tmp_path / "videos" / "b.mp4").unlink()
    assert crop()[0] == 0  # goes on, without doing it again
    assert (out / "joy" / "a" / "00000.png").stat().st_mtime_ns == made
