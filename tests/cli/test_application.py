"""Wrong usage, errors and interruptions of the command."""

from __future__ import annotations

import subprocess
import sys

import pytest

from emoclip_sdk.cli import main

# Classify


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["clip.mp4", "--unknown"],
        ["clip.mp4", "--json", "--csv"],
        ["clip.mp4", "--top", "0"],
        ["clip.mp4", "--track", "left"],
        ["clip.mp4", "--dtype", "int8"],
        ["clip.mp4", "--labels-file", "missing.txt"],
    ],
)
def test_wrong_usage(emoclip, arguments):
    code, out, err = emoclip("classify", *arguments)
    assert code == 2 and out == "" and err.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--labels", "joy,happiness"], "mean the same"),
        (["--labels", " , "], "at least one label"),
        (["--compound", "wry"], "NAME=A+B"),
        (["--compound", "wry=joy+"], "NAME=A+B"),
        (["--compound", "wry=x*joy+fear"], "not a weight"),
        (["--compound", "wry=0*joy+fear"], "positive"),
        (["--compound", "wry=joy+joy"], "twice"),
        (["--compound", "wry=joy+wibbled"], "wibbled"),
        (["--device", "warp"], "warp"),
    ],
)
def test_unusable_values(emoclip, tiny, crop_video, arguments, complaint):
    code, out, err = emoclip("classify", crop_video, *tiny, *arguments)
    assert code == 2 and out == "" and complaint in err.splitlines()[-1]


def test_unexpected_error_is_one_line(emoclip, crop_video, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("what nobody\nthought of")

    monkeypatch.setattr("emoclip_sdk.EmoCLIP.from_pretrained", fail)
    code, out, err = emoclip("classify", crop_video)
    assert code == 1 and out == "" and len(err.splitlines()) == 1
    assert "RuntimeError: what nobody thought of" in err and "EMOCLIP_DEBUG=1" in err
    monkeypatch.setenv("EMOCLIP_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["emoclip", "classify", str(crop_video)])
    with pytest.raises(RuntimeError):
        main()


def test_interrupted(emoclip, crop_video, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("emoclip_sdk.EmoCLIP.from_pretrained", interrupted)
    assert emoclip("classify", crop_video)[0] == 130


def test_reader_that_leaves():
    command = [sys.executable, "-m", "emoclip_sdk", "prompts", "list", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_version_and_help(emoclip):
    import emoclip_sdk

    assert emoclip("--version")[:2] == (0, f"emoclip_sdk {emoclip_sdk.__version__}\n")
    code, out, _ = emoclip("--help")
    assert code == 0 and "not what a person feels" in out
    for command in ("classify", "timeline", "annotate", "embed", "prompts", "convert", "info"):
        assert command in out
        assert emoclip(command, "--help")[0] == 0
    assert emoclip("nonsense")[0] == 2
