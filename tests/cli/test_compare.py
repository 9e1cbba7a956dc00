"""``emoclip compare`` and ``emoclip prompts score``."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("anger: [Lips pressed to a line., Brows drawn down.]\n", encoding="utf-8")
    return path


def test_two_banks(emoclip, tiny_checkpoint, crop_video, broken, mine):
    models = (tiny_checkpoint, tiny_checkpoint)
    options = ("--faces", "none", "--device", "cpu", "--labels", "joy,anger", "--prompts-b", mine)
    code, out, err = emoclip("compare", *models, crop_video, broken, *options, "--json")
    found = json.loads(out)
    assert code == 1 and str(broken) in err
    assert (found["videos"], found["with_face"]) == (2, 1)
    pair = found["pairs"][0]
    assert pair["source"] == str(crop_video)
    assert pair["a"]["prompts"]["anger"] == "bank" and pair["b"]["prompts"]["anger"] == "custom"
    joy = [pair[side]["similarities"]["joy"] for side in "ab"]
    assert joy[0] == pytest.approx(joy[1], abs=1e-6)
    code, out, _ = emoclip("compare", *models, crop_video, *options)
    for side in "ab":  # one model: its banks tell the columns apart
        bank = pair[side]["model"]["prompt_bank"]
        assert f"{side.upper()}: {tiny_checkpoint.name}, prompts {bank}" in out.splitlines()[0]
    assert code == 0 and "of 1 video with a face" in out and "|B - A|" in out


def test_wordings(emoclip, tiny, crop_video, mine, tmp_path):
    file = tmp_path / "clips.csv"
    file.write_text(f"path,label\n{crop_video},joy\n{crop_video},anger\n", encoding="utf-8")
    code, out, _ = emoclip("prompts", "score", file, *tiny, "--prompts", mine, "--json")
    rows = json.loads(out)
    assert code == 0 and {row["auc"] for row in rows} == {0.5}  # the clips are the same
    origins = [row["origin"] for row in rows if row["label"] == "anger"]
    assert origins.count("mine.yaml") == 2 and {"label", "bank", "templates", "word"} < set(origins)
    code, out, err = emoclip("prompts", "score", file, *tiny)
    assert code == 0 and "anger (1 of 2)" in out
    file.write_text("path,label\ngone.mp4,joy\n", encoding="utf-8")
    code, _, err = emoclip("prompts", "score", file, *tiny)
    assert code == 1 and "gone.mp4" in err and "no clip shows a face" in err
