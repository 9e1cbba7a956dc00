"""The example study: what its generator says is what its tables say, in Python and in R."""

from __future__ import annotations

import csv
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from emoclip_sdk import open_video

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "examples" / "study"
RSCRIPT = shutil.which("Rscript")


@pytest.fixture(scope="module")
def made():
    return runpy.run_path(str(STUDY / "make_study.py"), run_name="study")


def commands():
    """The commands of the page, in their order."""
    page = (STUDY / "README.md").read_text("utf-8")
    return [shlex.split(line) for line in re.findall(r"^emoclip .*$", page, re.M)]


# What is fast


def test_the_plan(made, tmp_path):
    plan = made["recordings"]()
    assert [r.name for r in plan] == [
        f"{p}_{kind}.mp4" for p in ("p01", "p02", "p03") for kind in ("rest", "task")
    ]
    late, leaves = plan[3], plan[5]
    # Four trials of 2 s with 1.6 s between them, after 1 s, and 1 s at the end.
    assert late.times[0] == 1.6 and late.times[-1] == pytest.approx(1.6 + 14.8 - 1 / 25)
    assert [start for start, _ in late.trials] == pytest.approx([2.6, 6.2, 9.8, 13.4])
    assert not leaves.present.all() and (~leaves.present).sum() == pytest.approx(3 * 25, abs=1)
    # At the end of a funny trial the smile is whole; in plain ones and while away there is none.
    frame = round((late.trials[1][0] + 2 - late.times[0]) * 25)
    assert late.smile[frame] == pytest.approx(0.7) and late.smile.max() == pytest.approx(0.7)
    assert late.smile[late.times < late.trials[1][0]].max() == 0
    assert leaves.smile[~leaves.present].max() == 0
    made["write_lists"](tmp_path, plan)
    rows = {p.name: list(csv.DictReader(p.open())) for p in tmp_path.iterdir()}
    assert [row["baseline_for"] for row in rows["study.csv"]] == [
        "p01", "", "p02", "", "p03", "", "",
    ]  # fmt: skip
    assert len(rows["trials.csv"]) == 12 and len(rows["truth.csv"]) == sum(
        len(r.times) for r in plan
    )
    (tmp_path / "x").touch()
    with pytest.raises(SystemExit, match="is not empty"):
        made["make"](tmp_path)


def test_pictures_that_come_late(made, tmp_path):
    path, late = tmp_path / "a.mp4", 1.6
    made["write"](path, np.zeros((5, 256, 256, 3), np.uint8), late)
    with av.open(str(path)) as file:
        video, sound = file.streams.video[0], file.streams.audio[0]
        assert float(video.start_time * video.time_base) == late
        assert float((sound.start_time or 0) * sound.time_base) < 0.1
    assert [frame.time for frame in open_video(path).frames()] == pytest.approx(
        [late + i / 25 for i in range(5)]
    )


def test_hdr_shows_what_was_drawn(made, tmp_path):
    """Half of the picture is one color, half another one: read as they went in."""
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[:, :128], picture[:, 128:] = (180, 120, 90), (60, 90, 140)
    made["write_hdr"](tmp_path / "a.mp4", np.repeat(picture[None], 3, axis=0))
    with av.open(str(tmp_path / "a.mp4")) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.color_trc) == ("hevc", "yuv420p10le", 18)
    frames = [frame.rgb for frame in open_video(tmp_path / "a.mp4").frames()]
    assert len(frames) == 3
    off = np.abs(frames[0].astype(int) - picture)
    assert off[:, :120].mean() < 6 and off[:, 136:].mean() < 6


def test_the_notebook_is_stored_as_it_ran():
    notebook = json.loads((STUDY / "study.ipynb").read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not any(output["output_type"] == "error" for output in outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_the_page_about_r_holds_the_script():
    page, script = (ROOT / "docs/r.md").read_text("utf-8"), (STUDY / "study.R").read_text("utf-8")
    parts = re.findall(r"```r\n(.*?)\n```", page, re.S)
    assert len(parts) == 5 and all(part in script for part in parts)


@pytest.mark.skipif(RSCRIPT is None, reason="R is not installed")
def test_the_script_in_r(tmp_path):
    """On tables by hand: a difference of 0.5, 0.4 and 0.3; the test as SciPy has it."""
    stats = pytest.importorskip("scipy.stats")
    begin = "source,status,error,participant,session,start,end"
    trials, windows = [f"{begin},condition,mean:happiness,latency:happiness"], []
    windows = [f"{begin},seen_start,seen_end,face_found,score:happiness"]
    gains = {"p1": 0.5, "p2": 0.4, "p3": 0.3}
    for person, gain in gains.items():
        trials += [
            f"{person}_rest.mp4,ok,,{person},rest,0,4,,0.1,",
            f"{person}.mp4,ok,,{person},task,1,3,plain,0.2,",
            f"{person}.mp4,ok,,{person},task,4,6,funny,{0.2 + gain},0.5",
        ]
        windows += [
            f"{person}.mp4,ok,,{person},task,{i / 4},{i / 4 + 0.5},{i / 4},{i / 4 + 0.5},True,0.5"
            for i in range(28)
        ]
    windows += ["bad.mp4,failed,is cut off,p3,pilot,,,,,,"]
    (tmp_path / "trial_scores.csv").write_text("\n".join(trials) + "\n")
    (tmp_path / "windows.csv").write_text("\ufeff" + "\n".join(windows) + "\n", "utf-8")
    ran = subprocess.run(
        [RSCRIPT, STUDY / "study.R", tmp_path, tmp_path / "a.png"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    test = stats.ttest_1samp(list(gains.values()), 0)
    assert "not read: bad.mp4" in ran.stdout
    assert f"funny - plain: 0.400, 95% CI {test.confidence_interval().low:.3f}" in ran.stdout
    assert f"t(2) = {test.statistic:.2f}, p = {test.pvalue:.3f}"[:-1] in ran.stdout
    assert "median 0.50 s, in 3 of 3" in ran.stdout
    assert (tmp_path / "a.png").stat().st_size > 10_000


# What is slow: all of it, from nothing to the figure


@pytest.fixture(scope="module")
def study(made, tmp_path_factory):
    """The study and its tables, in the folder `study` of the one that is returned."""
    from emoclip_sdk.cli import main

    folder = tmp_path_factory.mktemp("example")
    made["make"](folder / "study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in commands():
            patch.setattr(sys, "argv", words)
            with pytest.raises(SystemExit) as end:
                main()
            assert end.value.code in (0, 1, None), words
    return folder


def table(folder, name):
    pandas = pytest.importorskip("pandas")
    return pandas.read_csv(folder / "study" / name)


@pytest.mark.slow
def test_windows_say_what_was_drawn(study):
    windows, truth = table(study, "windows.csv"), table(study, "truth.csv")
    (failed,) = windows[windows.status == "failed"].source
    assert failed == "p03_pilot.mp4"
    for source, rows in windows[windows.status == "ok"].groupby("source"):
        shown = truth[truth.file == source]
        seen = rows[rows.face_found.astype(str) == "True"]
        assert seen.seen_start.min() == pytest.approx(shown.time.min())
        assert seen.seen_end.max() == pytest.approx(shown.time.max() + 0.04)
        # A score for each window that begins where somebody is there; none where nobody is.
        away = shown[shown.present == 0].time
        gone = rows[(rows.start > away.min()) & (rows.end < away.max())]
        assert gone["score:happiness"].isna().all() and (len(gone) > 4) == (
            source[:8] == "p03_task"
        )
        smiles = seen["score:happiness"] > 0.5
        middles = (seen.seen_start + seen.seen_end) / 2
        drawn = np.interp(middles, shown.time, shown.smile)
        assert (smiles == (drawn > 0.2))[np.abs(drawn - 0.2) > 0.15].mean() > 0.95


@pytest.mark.slow
def test_trials_say_what_was_drawn(study):
    trials = table(study, "trial_scores.csv")
    shown = trials[trials.condition.notna()]
    assert len(shown) == 12 and set(trials[trials.event == "baseline"].participant) == {
        "p01", "p02", "p03",
    }  # fmt: skip
    funny, plain = (shown[shown.condition == name] for name in ("funny", "plain"))
    assert (funny["mean:happiness"] > 0.5).all() and (plain["mean:happiness"] < 0.1).all()
    # 0.3 s after the picture the smile begins, and is whole after 0.4 s more. A latency is the
    # middle of a window of 0.5 s, the second half of which may show the beginning.
    assert funny["latency:happiness"].between(0.3 - 0.5 / 2, 0.8).all()
    assert plain["latency:happiness"].isna().all()
    assert shown.seconds.between(1.9, 2.0).all()


@pytest.mark.slow
def test_actions_say_what_was_drawn(study):
    actions, truth = table(study, "actions.csv"), table(study, "truth.csv")
    both = actions.merge(truth, left_on=["source", "frame"], right_on=["file", "frame"])
    assert (both.time_x - both.time_y).abs().max() < 1e-3
    peaks = {}
    for source, rows in both[both.face_found.astype(str) == "True"].groupby("source"):
        assert rows.present.all()
        if "task" in source:
            assert np.corrcoef(rows.mouthSmileLeft, rows.smile)[0, 1] > 0.9
            peaks[source] = rows.mouthSmileLeft.max()
    assert list(peaks) == ["p01_task.mp4", "p02_task.mp4", "p03_task.mp4"]


@pytest.mark.slow
def test_the_statistics_agree_in_python_and_r(study, monkeypatch, capsys):
    pytest.importorskip("scipy")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(study)
    notebook = json.loads((STUDY / "study.ipynb").read_text("utf-8"))
    names: dict = {"__name__": "__main__"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert (study / "study" / "figure.png").stat().st_size > 10_000
    figures = re.compile(r"funny - plain: (\S+), 95% CI (\S+) to (\S+), t\(2\) = (\d+\.\d+)")
    (printed,) = figures.findall(capsys.readouterr().out)
    assert float(printed[0]) > 0.5
    if RSCRIPT is not None:
        ran = subprocess.run(
            [RSCRIPT, STUDY / "study.R", "study"], capture_output=True, text=True, cwd=study
        )
        assert ran.returncode == 0, ran.stderr
        assert figures.findall(ran.stdout) == [printed]
