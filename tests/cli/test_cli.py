"""The command as a user meets it: exit codes, clean standard output, one line per error."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from emoclip_sdk.cli import main

# Classify


def test_table(emoclip, tiny, crop_video):
    code, out, err = emoclip("classify", crop_video, *tiny, "--top", "2")
    assert code == 0 and err == ""
    assert str(crop_video) in out and "tiny" in out
    row = next(line for line in out.splitlines() if str(crop_video) in line)
    assert len([word for word in row.split() if word.startswith("0.")]) == 2


def test_json(emoclip, tiny, crop_video):
    code, out, err = emoclip("classify", crop_video, *tiny, "--json", "--labels", "joy, wibbled")
    (result,) = json.loads(out)
    assert code == 0 and err == ""
    assert result["source"] == str(crop_video)
    assert list(result["scores"]) == ["joy", "wibbled"]
    assert result["prompts"] == {"joy": "bank", "wibbled": "template"}


def test_one_broken_does_not_stop_the_rest(emoclip, tiny, crop_video, broken):
    videos = (broken, crop_video, "missing.mp4")
    code, out, err = emoclip("classify", *videos, *tiny, "--json")
    results = json.loads(out)
    assert code == 1 and [r["source"] for r in results] == list(map(str, videos))
    assert [r["error"] is None for r in results] == [False, True, False]
    assert len(err.splitlines()) == 2 and "missing.mp4: no such file or folder" in err
    code, out, err = emoclip("classify", *videos, *tiny)
    assert code == 1 and out.count("failed") == 2 and "no such file" in out


def test_csv(emoclip, tiny, crop_video, broken):
    code, out, _ = emoclip("classify", crop_video, broken, *tiny, "--csv", "--labels", "joy,fear")
    good, bad = csv.DictReader(io.StringIO(out))
    assert code == 1
    assert (
        float(good["score:joy"]) + float(good["score:fear"]) == pytest.approx(1)
        and good["error"] == ""
    )
    assert bad["label"] == "" and bad["error"]


def test_no_face_is_fine(emoclip, tiny_checkpoint, two_faces, tmp_path):
    from PIL import Image

    Image.fromarray(two_faces[-1]).save(tmp_path / "wall.png")
    pytest.importorskip("facenet_pytorch")
    arguments = (tmp_path / "wall.png", "--model", tiny_checkpoint, "--device", "cpu")
    code, out, _ = emoclip("classify", *arguments)
    assert code == 0 and "no face" in out
    code, out, _ = emoclip("classify", *arguments, "--json", "--track", "all")
    (result,) = json.loads(out)
    assert code == 0 and result["face_found"] is False
    assert set(result["scores"].values()) == {None}


def test_labels_files_and_compounds(emoclip, tiny, crop_video, tmp_path):
    lines, described = tmp_path / "labels.txt", tmp_path / "labels.yaml"
    lines.write_text("# mine\nboredom\n\n  happily surprised \n")
    described.write_text("zest: Bright, wide eyes above an open smile.\nanger: Brows lowered.\n")
    code, out, _ = emoclip("classify", crop_video, *tiny, "--json", "--labels-file", lines)
    assert json.loads(out)[0]["prompts"] == {"boredom": "bank", "happily surprised": "compound"}
    arguments = ("--labels", "joy", "--labels-file", described, "--compound", "wry=2*zest + joy")
    code, out, _ = emoclip("classify", crop_video, *tiny, "--json", *arguments)
    kinds = {"joy": "bank", "zest": "custom", "anger": "custom", "wry": "compound"}
    assert code == 0 and json.loads(out)[0]["prompts"] == kinds


def test_compound_beside_the_own_labels(emoclip, tiny, tiny_model, crop_video):
    _, out, _ = emoclip("classify", crop_video, *tiny, "--json", "--compound", "mixed=joy+fear")
    assert list(json.loads(out)[0]["scores"]) == [*tiny_model.labels, "mixed"]


def test_prompts_replace_descriptions(emoclip, tiny, crop_video, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("anger: Brows lowered.\n")
    _, out, _ = emoclip("classify", crop_video, *tiny, "--json", "--prompts", file)
    assert json.loads(out)[0]["prompts"]["anger"] == "custom"


def test_folders(emoclip, tiny, crop_video, stripes, tmp_path):
    from PIL import Image

    for name in ("b.mp4", "a.MOV", ".hidden.mp4"):
        (tmp_path / name).write_bytes(crop_video.read_bytes())
    frames = tmp_path / "frames"
    frames.mkdir()
    for i, frame in enumerate(stripes(3)):
        Image.fromarray(frame).save(frames / f"{i}.png")
    code, out, _ = emoclip("classify", tmp_path, frames, *tiny, "--json")
    sources = [result["source"] for result in json.loads(out)]
    assert code == 0 and sources == [str(tmp_path / "a.MOV"), str(tmp_path / "b.mp4"), str(frames)]


def test_a_bug_in_one_video_does_not_lose_the_others(emoclip, tiny, crop_video, monkeypatch):
    from emoclip_sdk import EmoCLIP

    classify, calls = EmoCLIP.classify, []

    def sometimes(self, video, *args, **options):
        print("a library talks")
        calls.append(video)
        if len(calls) == 1:
            raise RuntimeError("what nobody\nthought of")
        return classify(self, video, *args, **options)

    monkeypatch.setattr(EmoCLIP, "classify", sometimes)
    code, out, err = emoclip("classify", crop_video, crop_video, *tiny, "--json")
    first, second = json.loads(out)
    assert code == 1 and "RuntimeError: what nobody" in first["error"] and second["error"] is None
    assert "EMOCLIP_DEBUG" in err and "a library talks" in err


# Wrong usage


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


@pytest.mark.parametrize("name", ["clip-vit-b-33", "./nowhere"])
def test_unknown_model(emoclip, crop_video, name):
    code, out, err = emoclip("classify", crop_video, "--model", name)
    assert code == 2 and out == "" and "clip-vit-b-32" in err


def test_model_without_text_tower(emoclip, textless_checkpoint, crop_video, tmp_path):
    arguments = (crop_video, "--model", textless_checkpoint, "--faces", "none")
    code, out, err = emoclip("classify", *arguments)
    assert code == 2 and out == "" and "no text tower" in err
    code, _, _ = emoclip("embed", *arguments, "-o", tmp_path / "out.npz")
    assert code == 0


def test_broken_checkpoint_is_no_usage_error(emoclip, crop_video, tiny_checkpoint, tmp_path):
    (tmp_path / "config.json").write_bytes((tiny_checkpoint / "config.json").read_bytes())
    code, out, err = emoclip("classify", crop_video, "--model", tmp_path)
    assert code == 1 and out == "" and "model.safetensors" in err and len(err.splitlines()) == 1


def test_unreachable_hub(crop_video, tmp_path):
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "emoclip_sdk", "classify", crop_video, "--model", "org/name"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert "can't be reached" in done.stderr and "Traceback" not in done.stderr


# What can go wrong outside


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


# Timeline


def test_timeline_table(emoclip, tiny, crop_video):
    code, out, err = emoclip("timeline", crop_video, *tiny, "--window", "1", "--step", "0.5")
    assert code == 0 and err == ""
    assert [line.split()[1] for line in out.splitlines()[2:5]] == ["0.00", "0.50", "1.00"]


def test_timeline_files(emoclip, tiny, crop_video, tmp_path):
    arguments = ("timeline", crop_video, *tiny, "--window", "1", "--step", "1")
    code, out, err = emoclip(*arguments, "-o", tmp_path / "out.csv")
    assert code == 0 and out == "" and "2 rows" in err
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
    code, out, _ = emoclip(*arguments, "--json", "-o", tmp_path / "out.json")
    assert json.loads(out) == json.loads((tmp_path / "out.json").read_text())
    _, out, _ = emoclip(*arguments, "--csv")
    assert out == (tmp_path / "out.csv").read_text()


def test_timeline_files_of_several_kinds(emoclip, tiny, crop_video, tmp_path):
    files = [tmp_path / f"out.{ending}" for ending in ("csv", "vtt", "TextGrid")]
    wanted = [part for file in files for part in ("-o", file)]
    code, out, err = emoclip("timeline", crop_video, *tiny, *wanted)
    assert code == 0 and out == "" and err.count("wrote") == 3
    assert all(file.stat().st_size for file in files)


def test_annotate(emoclip, tiny, crop_video, tmp_path):
    code, out, err = emoclip("annotate", crop_video, *tiny, "-o", tmp_path / "out.mp4")
    assert code == 0 and out == "" and "wrote" in err
    assert (tmp_path / "out.mp4").stat().st_size > 1000
    code, _, err = emoclip("annotate", crop_video, *tiny, "-o", tmp_path / "out.gif")
    assert code == 2 and ".mkv" in err
    code, _, err = emoclip("annotate", "missing.mp4", *tiny, "-o", tmp_path / "out.mp4")
    assert (code, err) == (1, "Error: missing.mp4: no such file or folder\n")
    code, _, err = emoclip("annotate", crop_video, *tiny, "-o", crop_video)
    assert code == 1 and "take the place" in err


def test_timeline_plot(emoclip, tiny, crop_video, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, _ = emoclip("timeline", crop_video, *tiny, "--plot", tmp_path / "out.png")
    assert code == 0 and out == "" and (tmp_path / "out.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "arguments",
    [
        ["--window", "0"],
        ["--step", "-1"],
        ["--step", "nan"],
        ["-o", "out.txt"],
        ["--json", "--csv"],
    ],
)
def test_timeline_wrong_usage(emoclip, crop_video, arguments):
    assert emoclip("timeline", crop_video, *arguments)[0] == 2


def test_timeline_failures(emoclip, tiny, crop_video, tmp_path):
    code, out, err = emoclip("timeline", "missing.mp4", *tiny)
    assert (code, out, err) == (1, "", "Error: missing.mp4: no such file or folder\n")
    code, _, err = emoclip("timeline", crop_video, *tiny, "-o", tmp_path / "no" / "out.csv")
    assert code == 1 and "can't be written" in err


# Embed


def test_embed(emoclip, tiny, crop_video, broken, tmp_path, tiny_model):
    out_file = tmp_path / "out.npz"
    code, out, err = emoclip("embed", crop_video, broken, *tiny, "-o", out_file)
    assert code == 1 and out == "" and "broken.mp4" in err
    with np.load(out_file) as found:
        assert found["embeddings"].shape == (2, 32) and found["embeddings"].dtype == np.float32
        np.testing.assert_array_equal(
            found["embeddings"][0], tiny_model.embed(crop_video, faces="none")
        )
        assert np.isnan(found["embeddings"][1]).all()
        assert found["sources"].tolist() == [str(crop_video), str(broken)]
        assert found["face_found"].tolist() == [True, False]
        assert found["errors"][0] == "" and found["errors"][1]
        assert str(found["model"]) == tiny_model.name


@pytest.mark.parametrize("arguments", [[], ["-o", "out.csv"], ["-o", "out.npz", "--track", "all"]])
def test_embed_wrong_usage(emoclip, crop_video, arguments):
    assert emoclip("embed", crop_video, *arguments)[0] == 2


# Prompts


def test_prompts_list(emoclip):
    code, out, _ = emoclip("prompts", "list")
    assert code == 0 and "happiness" in out and "boredom" in out
    _, out, _ = emoclip("prompts", "list", "--json")
    found = json.loads(out)
    assert "happy" in found["labels"]["happiness"]["aliases"]
    assert found["compounds"]["happiness_surprise"]["parts"] == {"happiness": 1.0, "surprise": 1.0}


def test_prompts_show(emoclip):
    code, out, err = emoclip("prompts", "show", "Happy")
    assert code == 0 and err == "" and out.startswith("happiness (bank)")
    _, out, err = emoclip("prompts", "show", "hapiness", "--json")
    assert json.loads(out)["kind"] == "template" and "Did you mean happiness" in err
    assert emoclip("prompts", "show", "")[0] == 2


def test_prompts_check(emoclip, tmp_path):
    code, out, err = emoclip("prompts", "check")
    assert code == 0 and out == "" and "no problems" in err
    file = tmp_path / "mine.yaml"
    file.write_text(f"joy: A happy smile.\nlong: {'very ' * 80}wide eyes.\n")
    code, out, _ = emoclip("prompts", "check", file)
    assert code == 1 and "names an emotion" in out and "82 tokens" not in out
    assert "tokens, the text tower reads 77" in out
    assert emoclip("prompts", "check", tmp_path / "missing.yaml")[0] == 2
    file.write_text("joy: [\n")
    code, out, err = emoclip("prompts", "check", file)
    assert code == 1 and out == "" and "mine.yaml" in err


# Convert, info, and the rest


def test_convert(emoclip, tmp_path):
    import torch

    (tmp_path / "weights.pt").write_bytes(b"nothing")
    arguments = ("convert", tmp_path / "weights.pt", tmp_path / "out")
    code, _, err = emoclip(*arguments, "--from", "emoclip")
    assert code == 1 and "weights.pt" in err and len(err.splitlines()) == 1
    assert emoclip(*arguments)[0] == 2
    assert emoclip(*arguments, "--from", "tensorflow")[0] == 2
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pt")
    code, _, err = emoclip(*arguments, "--from", "farl")
    assert code == 1 and not (tmp_path / "out").exists()


def test_info(emoclip, tiny_checkpoint, tiny_model):
    arguments = ("info", "--model", tiny_checkpoint, "--device", "cpu")
    code, out, _ = emoclip(*arguments, "--json")
    found = json.loads(out)
    assert code == 0 and found["model"] == tiny_model.name
    parts = dict(found["parameters"])
    assert parts.pop("all") == sum(parts.values())
    assert found["prompt_bank"]["hash"] == tiny_model.prompts.hash
    dtype = str(tiny_model.encoder.dtype).removeprefix("torch.")
    assert (found["device"], found["dtype"], found["embedding"]) == ("cpu", dtype, 32)
    code, out, _ = emoclip(*arguments)
    assert code == 0 and "neutral, happiness" in out


def test_info_of_a_broken_checkpoint_still_shows_versions(emoclip, tmp_path):
    code, out, err = emoclip("info", "--model", tmp_path, "--json")
    assert code == 1 and json.loads(out)["versions"]["torch"] and "config.json" in err


def test_version_and_help(emoclip):
    import emoclip_sdk

    assert emoclip("--version")[:2] == (0, f"emoclip_sdk {emoclip_sdk.__version__}\n")
    code, out, _ = emoclip("--help")
    assert code == 0 and "not what a person feels" in out
    for command in ("classify", "timeline", "annotate", "embed", "prompts", "convert", "info"):
        assert command in out
        assert emoclip(command, "--help")[0] == 0
    assert emoclip("nonsense")[0] == 2


def test_embedded_model_from_the_command(emoclip, embedded_model, shared):
    code, out, _ = emoclip("classify", shared / "media/synthetic_actors/happy.mp4", "--json")
    (result,) = json.loads(out)
    assert code == 0 and result["label"] == "happiness"
    assert result["model"]["name"] == "emoclip-mini"


# ONNX


def test_export_onnx(emoclip, tiny_checkpoint, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    out = tmp_path / "onnx"
    code, stdout, err = emoclip("export-onnx", out, "--model", tiny_checkpoint)
    assert code == 0 and stdout == "" and "float32, worst cosine to torch 1.000000" in err
    assert {p.name for p in out.iterdir()} == {"image.onnx", "temporal.onnx", "emoclip.json"}
    assert emoclip("export-onnx", out, "--model", tiny_checkpoint, "--int8")[0] == 2
