"""Scripts and notebook in examples/ run as they are."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from pathlib import Path

import av
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def here(tmp_path, monkeypatch, embedded_model):
    """A copy of the folder; all examples share one network."""
    from emoclip_sdk import EmoCLIP

    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr(EmoCLIP, "from_pretrained", lambda: embedded_model.with_prompts())
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("quickstart.py", "portrait.mp4: happiness, 1 face(s)"),
        ("compounds.py", "from: custom"),
        ("over_time.py", "happiness from 0.0 to 3.0 s"),
    ],
)
def test_script(script, says, here, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [script])
    runpy.run_path(str(here / script), run_name="__main__")
    assert says in capsys.readouterr().out


@pytest.mark.slow
def test_notebook(here, capsys):
    notebook = json.loads((here / "walk.ipynb").read_text("utf-8"))
    names: dict = {"__name__": "__main__"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert names["result"].label == "happiness"
    assert "changed the score by" in capsys.readouterr().out


def test_notebook_is_stored_with_what_it_shows():
    text = (EXAMPLES / "walk.ipynb").read_text("utf-8")
    assert len(text) < 300_000 and str(Path.home()) not in text and "Traceback" not in text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert all(output.get("name") != "stderr" for output in outputs)
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert {"image/png", "text/html"} <= kinds


@pytest.mark.parametrize("script", ["make_example.py", "make_expressions.py"])
def test_what_makes_the_clips_says_what_it_needs(script, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setattr("sys.argv", [script, str(tmp_path / "out.mp4")])
    monkeypatch.syspath_prepend(EXAMPLES)
    with pytest.raises(SystemExit, match="pip install scikit-image"):
        runpy.run_path(str(EXAMPLES / script), run_name="__main__")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("name", "frames", "side"), [("portrait.mp4", 75, 448), ("expressions.mp4", 215, 384)]
)
def test_clip(name, frames, side):
    with av.open(str(EXAMPLES / name)) as file:
        stream = file.streams.video[0]
        times = [packet.pts * stream.time_base for packet in file.demux(stream) if packet.size]
    assert (stream.codec_context.name, stream.width, stream.height) == ("h264", side, side)
    assert (len(times), stream.average_rate) == (frames, 25)
    assert (EXAMPLES / name).stat().st_size < 120_000


def test_the_script_of_the_moving_face(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    names = runpy.run_path(str(EXAMPLES / "make_expressions.py"))
    amounts = names["amounts_at"]
    assert amounts(0.7) == {"neutral": 1} and amounts(6.0) == {"surprise": 1}
    assert amounts(1.65) == pytest.approx({"neutral": 0.5, "smile": 0.5})
    assert amounts(9.0) == {"smile": 1}
