"""What both command lines have in common, and what is asked for before any work."""

from __future__ import annotations

import io
import logging
import shlex
import sys
import time

import pytest

from emoclip_sdk.cli.application import app
from emoclip_sdk.cli.commands import log_to_stderr
from emoclip_sdk.runtime import progress_bar


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        (["timeline", "no.mp4", "-o", "out.parquet"], "pyarrow", "parquet"),
        (["timeline", "no.mp4", "--plot", "out.png"], "matplotlib", "plot"),
        (["timeline", "no.mp4", "--heatmap", "out.png"], "matplotlib", "plot"),
        (["actions", "no.mp4", "-o", "out.parquet"], "pyarrow", "parquet"),
        (["actions", "no.mp4", "--heatmap", "out.png"], "matplotlib", "plot"),
        (["explain", "no.mp4", "-o", "out.png"], "matplotlib", "plot"),
        (["batch", "no.mp4", "-o", "out.parquet"], "pyarrow", "parquet"),
        (["batch", "no.mp4", "-o", "out.parquet", "--engine", "ray"], "ray", "ray"),
        (["export-onnx", "out"], "onnx", "onnx"),
    ],
)
def test_a_missing_package_is_told_before_any_work(
    emoclip, monkeypatch, tmp_path, arguments, package, extra
):
    """No model is loaded, and the video, which is not there, is not looked for."""

    def load(*args, **options):
        raise AssertionError("loaded")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("emoclip_sdk.EmoCLIP.from_pretrained", load)
    monkeypatch.setitem(sys.modules, package, None)
    code, out, err = emoclip(*arguments)
    assert code == 1 and out == "" and len(err.splitlines()) == 1
    assert f"'{package}'" in err and f'pip install "emoclip_sdk[{extra}]"' in err
    assert not list(tmp_path.iterdir())


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("options", "shown"), [([], True), (["--quiet"], False)])
def test_a_terminal_sees_how_far_it_is(
    emoclip, monkeypatch, tiny, crop_video, tmp_path, options, shown
):
    """Percent, speed and time left, of a file that takes longer than a bar waits for."""
    terminal = Terminal()
    monkeypatch.setattr(progress_bar, "DELAY", 0.0)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    from emoclip_sdk.runtime.progress_bar import ProgressBar

    show = ProgressBar.__call__

    def slow(self, progress):
        show(self, progress)
        time.sleep(0.02)

    monkeypatch.setattr(ProgressBar, "__call__", slow)
    monkeypatch.setattr(sys, "stderr", terminal)
    out = tmp_path / "out.csv"
    code, _, _ = emoclip(
        "timeline", crop_video, *tiny, "--labels", "joy,anger", "-o", out, *options
    )
    said = terminal.getvalue()
    assert code == 0 and f"wrote {out}" in said
    assert ("crop.mp4" in said.split("wrote")[0]) == shown
    assert ("%" in said) == shown


def test_help_names_no_types():
    """Of options, that is; and every command can be told to be quiet."""
    import typer.main

    group = typer.main.get_command(app)
    with group.make_context("emoclip", ["doctor"]) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            for child in getattr(command, "commands", {"": command}).values():
                text = child.get_help(context)
                assert "-q, --quiet" in text and "range" not in text, name
                assert not any(
                    word in text.split("Options:")[1]
                    for word in ("<float", "<int", "<str", "<path")
                ), name


def test_log_lines_follow_standard_error(monkeypatch):
    """A bar puts itself in its place, so that lines stand above it."""
    logger = logging.getLogger()
    monkeypatch.setattr(logger, "handlers", [])
    log_to_stderr(logging.WARNING, "%(levelname)s: %(message)s")
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)
    logging.getLogger("emoclip_sdk.test").warning("look")
    assert later.getvalue() == "WARNING: look\n"


def test_examples_of_the_help_are_right(tmp_path, monkeypatch):
    """Their options are there, and take such values."""
    import typer.main

    for given in ("mine.yaml", "authors.pth"):
        (tmp_path / given).touch()
    monkeypatch.chdir(tmp_path)
    group = typer.main.get_command(app)
    n = 0
    with group.make_context("emoclip", ["doctor"]) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            for line in (command.epilog or "").splitlines()[2:]:
                program, first, *words = shlex.split(line.split(">")[0])
                assert (program, first) == ("emoclip", name)
                with command.make_context(name, words, parent=context):
                    n += 1
    assert n > 15
