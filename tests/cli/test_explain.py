"""``emoclip explain``."""

from __future__ import annotations

import json


def test_table_and_strip(emoclip, tiny, crop_video, tmp_path):
    out_file = tmp_path / "strip.png"
    code, out, err = emoclip("explain", crop_video, *tiny, "--labels", "joy,anger", "-o", out_file)
    assert code == 0 and out_file.is_file() and f"wrote {out_file}" in err
    assert "the most telling of 14 frames" in out and "similarity" in out


def test_json(emoclip, tiny, crop_video):
    code, out, _ = emoclip("explain", crop_video, *tiny, "--labels", "joy,anger", "--json")
    found = json.loads(out)
    assert code == 0 and found["prediction"]["source"] == str(crop_video)
    assert len(found["frames"]) == 14 and set(found["descriptions"]) == {"joy", "anger"}


def test_failures(emoclip, tiny, crop_video, tmp_path):
    assert emoclip("explain", crop_video, "--track", "all", *tiny)[0] == 2
    code, _, err = emoclip("explain", tmp_path / "missing.mp4", *tiny)
    assert code == 1 and "missing.mp4: no such file" in err
