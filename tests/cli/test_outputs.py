"""No command writes over what it reads."""

from __future__ import annotations

import os

import pytest

from emoclip_sdk import EmoCLIPError

COMMANDS = (
    ("timeline", "{video}", "--plot", "{target}"),
    ("timeline", "{video}", "--heatmap", "{target}"),
    ("timeline", "{video}", "-o", "{target.csv}", "--baseline", "{video.csv}"),
    ("timeline", "{video}", "-o", "{target.csv}", "--prompts", "{video.csv}"),
    ("timeline", "{video}", "--plot", "both.png", "--heatmap", "both.png"),
    ("explain", "{video}", "-o", "{target}"),
    ("actions", "{video}", "--heatmap", "{target}"),
    ("actions", "{video.csv}", "-o", "{target.csv}"),
    ("annotate", "{video.mp4}", "-o", "{target.mp4}"),
    ("embed", "{video}", "{video.npz}", "-o", "{target.npz}"),
    ("batch", "{video.parquet}", "-o", "{target.parquet}"),
    ("batch", ".out.parquet.lock", "-o", "out.parquet"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[::2]))
def test_the_source_stays(emoclip, command, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "a.csv", "a.mp4", "a.npz", "a.parquet", ".out.parquet.lock"):
        (tmp_path / name).write_text("mine")
        os.link(name, f"link-{name}")
    arguments = []
    for part in command:
        kind, _, ending = part.strip("{}").partition(".")
        name = {"video": "a", "target": "link-a"}.get(kind)
        arguments.append(f"{name}.{ending or 'png'}" if name and part[0] == "{" else part)
    code, out, err = emoclip(*arguments)
    assert code == 2 and out == "" and ("overwritten" in err or "twice" in err)
    assert all(path.read_text() == "mine" for path in tmp_path.iterdir())


def test_what_methods_write(detecting_model, two_faces, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    from PIL import Image

    source = tmp_path / "a.png"
    Image.fromarray(two_faces[0]).save(source)
    before = source.read_bytes()
    timeline = detecting_model.timeline(source, ["joy", "anger"])
    actions = detecting_model.actions(str(source))
    explanation = detecting_model.explain(source, ["joy", "anger"])
    for write in (timeline.plot, timeline.heatmap, actions.heatmap, explanation.strip):
        with pytest.raises(EmoCLIPError, match="overwritten"):
            write(source)
    assert source.read_bytes() == before and actions.origin == str(source)
