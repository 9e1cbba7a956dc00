"""Ctrl-C keeps what is done, and --resume goes on from there."""

from __future__ import annotations

import csv
import signal

import pytest
from builders import write_video

from emoclip_sdk import EmoCLIP

OPTIONS = ("--labels", "joy,anger", "--window", "1", "--step", "0.5")


@pytest.fixture(scope="module")
def long_video(tmp_path_factory, stripes):
    """Six seconds, to be read with ``faces="none"``."""
    return write_video(tmp_path_factory.mktemp("videos") / "long.mp4", stripes(150))


def stop_after(monkeypatch, method, n):
    """Let Ctrl-C come while the row after `n` is made."""
    rows = getattr(EmoCLIP, method)

    def stopped(*args, **options):
        for number, row in enumerate(rows(*args, **options)):
            if number == n:
                signal.raise_signal(signal.SIGINT)
            yield row

    monkeypatch.setattr(EmoCLIP, method, stopped)


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("command", "method", "options", "n"),
    [
        ("timeline", "timeline_rows", OPTIONS, 10),
        ("actions", "actions_rows", (), 36),
        pytest.param("actions", "actions_rows", ("--rate", "all"), 130, marks=pytest.mark.slow),
    ],
)
def test_a_table_keeps_its_rows_and_goes_on(
    emoclip, monkeypatch, tiny, long_video, tmp_path, command, method, options, n
):
    """Resumed, it is the table of a run that was not stopped, to the last digit."""
    options = (command, long_video, *tiny, *options)
    whole, out = tmp_path / "whole.csv", tmp_path / "out.csv"
    assert emoclip(*options, "-o", whole)[0] == 0
    with monkeypatch.context() as patch:
        stop_after(patch, method, n)
        code, printed, err = emoclip(*options, "-o", out)
    assert (code, printed) == (130, "")
    assert f"stopped: {out} has {n} rows; the same command with --resume goes on" in err
    assert read(out) == read(whole)[:n]
    assert emoclip(*options, "-o", out, "--resume")[0] == 0
    assert read(out) == read(whole)
    assert emoclip(*options, "-o", out, "--resume")[0] == 0  # nothing is left to do
    assert read(out) == read(whole)
    with monkeypatch.context() as patch:  # before anything new was read: it stays as it is
        stop_after(patch, method, 0)
        code, _, err = emoclip(*options, "-o", out, "--resume")
    assert (code, err.splitlines()[-1]) == (130, "Stopped.") and read(out) == read(whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "whole.csv"]


@pytest.mark.slow
def test_actions_of_several_videos_go_on(
    emoclip, monkeypatch, tiny, crop_video, long_video, tmp_path
):
    options = ("actions", crop_video, long_video, *tiny)
    whole, out = tmp_path / "whole.csv", tmp_path / "out.csv"
    assert emoclip(*options, "-o", whole)[0] == 0
    first = sum(row["source"] == str(crop_video) for row in read(whole))
    rows = EmoCLIP.actions_rows

    def stopped(self, video, **more):
        for number, row in enumerate(rows(self, video, **more)):
            if number == 30:
                signal.raise_signal(signal.SIGINT)
            yield row

    with monkeypatch.context() as patch:
        patch.setattr(EmoCLIP, "actions_rows", stopped)
        code, _, err = emoclip(*options, "-o", out)
    assert code == 130 and f"has {first + 30} rows" in err
    assert emoclip(*options, "-o", out, "--resume")[0] == 0
    assert read(out) == read(whole)


def test_resume_needs_a_table_of_this_video(emoclip, tiny, crop_video, long_video, tmp_path):
    options = ("timeline", crop_video, *tiny, *OPTIONS)
    code, _, err = emoclip(*options, "-o", tmp_path / "a.eaf", "--resume")
    assert code == 2 and "goes on with one .csv" in err
    out = tmp_path / "a.csv"
    assert emoclip(*options, "-o", out, "--resume")[0] == 0  # there is nothing yet: it begins
    other = ("timeline", long_video, *tiny)
    code, _, err = emoclip(*other, *OPTIONS, "-o", out, "--resume")
    assert code == 2 and "is about" in err
    code, _, err = emoclip(*options[:2], *tiny, "--labels", "joy,fear", "-o", out, "--resume")
    assert code == 1 and "begun with other labels" in err
    assert len(read(out)) == 3  # as before


def test_classify_prints_what_is_done(emoclip, monkeypatch, tiny, crop_video, tmp_path):
    classify = EmoCLIP.classify
    calls = []

    def second_is_stopped(self, video, *args, **options):
        calls.append(video)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return classify(self, video, *args, **options)

    monkeypatch.setattr(EmoCLIP, "classify", second_is_stopped)
    code, out, err = emoclip("classify", crop_video, crop_video, crop_video, *tiny)
    assert code == 130 and out.count("crop.mp4") == 1
    assert err.splitlines()[-1] == "stopped: 1 of 3 videos are done"
    calls.clear()
    code, out, err = emoclip("classify", crop_video, crop_video, *tiny, "--json")
    assert code == 130 and '"source"' in out
