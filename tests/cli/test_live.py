"""``emoclip live``."""

from __future__ import annotations

import json


def test_json_lines(emoclip, tiny, crop_video):
    code, out, err = emoclip("live", crop_video, *tiny, "--window", "1", "--step", "1", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and [r["start"] for r in found] == [0.0, 1.0]
    assert "frames dropped" in err


def test_table(emoclip, tiny, crop_video):
    code, out, _ = emoclip("live", crop_video, *tiny, "--labels", "joy,anger,pride", "--top", "2")
    assert code == 0 and "frames/s" in out and "0 dropped" in out
    assert out.endswith("s behind\n"), "what is said next begins a line"


def test_ctrl_c_is_a_clean_end(emoclip, tiny, crop_video, monkeypatch):
    from emoclip_sdk.cli import live

    monkeypatch.setattr(live, "_view", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    code, _, err = emoclip("live", crop_video, *tiny, "--window", "0.5")
    assert code == 0 and "frames dropped" in err


def test_wrong_usage(emoclip, crop_video, tiny):
    code, out, err = emoclip("live", "--camera", "97", *tiny)
    assert code == 1 and out.strip() == "" and "camera 97: can't be opened" in err
    assert emoclip("live", crop_video, "--camera", "0", *tiny)[0] == 2
    assert emoclip("live", crop_video, "--window", "0", *tiny)[0] == 2
