"""``emoclip classify`` as a user meets it."""

from __future__ import annotations

import csv
import io
import json
import sys

import pytest

from emoclip_sdk.cli import videos

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


def test_a_single_broken_video_is_a_message_and_no_table(emoclip, tiny, broken):
    code, out, err = emoclip("classify", broken, *tiny)
    assert code == 1 and out == "" and len(err.splitlines()) == 1
    assert err.startswith(f"Error: {broken}: ")


def test_a_long_video_points_to_timeline(emoclip, tiny, crop_video, monkeypatch):
    _, _, err = emoclip("classify", crop_video, *tiny)
    assert err == ""
    monkeypatch.setattr("emoclip_sdk.cli.classify._LONG", 1.5)  # seconds; the video has 2
    _, _, err = emoclip("classify", crop_video, *tiny)
    assert f"emoclip timeline {crop_video}" in err and len(err.splitlines()) == 1
    _, _, err = emoclip("classify", crop_video, *tiny, "--json")
    assert err == ""


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
    both = [str(tmp_path / "a.MOV"), str(tmp_path / "b.mp4")]

    def sources(*arguments):
        code, out, _ = emoclip("classify", *arguments, *tiny, "--json")
        assert code == 0
        return [result["source"] for result in json.loads(out)]

    assert sources(tmp_path) == both
    assert sources(tmp_path, frames, "--as", "video") == [*both, str(frames)]
    assert sources(frames, "--as", "pictures") == [str(frames / f"{i}.png") for i in range(3)]
    (frames / "crop.json").write_text('{"rate": 5}')
    assert sources(frames) == [str(frames)]


@pytest.mark.parametrize(
    "command",
    [["classify"], ["embed", "-o", "o.npz"], ["actions"], ["compare", "a", "b"],
     ["batch", "-o", "o.csv"]],
)  # fmt: skip
def test_every_command_asks_what_the_pictures_of_a_folder_are(emoclip, tmp_path, command):
    from PIL import Image

    for name in ("a.png", "b.png"):
        Image.new("RGB", (48, 48)).save(tmp_path / name)
    code, _, err = emoclip(*command, tmp_path)
    words = " ".join(err.replace("│", " ").split())
    assert code == 2 and "2 pictures and no video" in words
    assert "--as pictures" in words and "--as video" in words


def test_commands_of_one_video_take_a_folder_of_one(emoclip, tiny, crop_video, stripes, tmp_path):
    from PIL import Image

    frames = tmp_path / "frames"
    frames.mkdir()
    for i, frame in enumerate(stripes(30)):
        Image.fromarray(frame).save(frames / f"{i}.png")
    code, out, _ = emoclip("timeline", frames, *tiny, "--json")
    assert code == 0 and json.loads(out)["duration"] == 30 / 25
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "a.mp4").write_bytes(crop_video.read_bytes())
    code, out, _ = emoclip("timeline", videos, *tiny, "--json")
    assert code == 0 and json.loads(out)["source"] == str(videos / "a.mp4")
    (videos / "b.mp4").write_bytes(crop_video.read_bytes())
    for command in (["timeline"], ["annotate", "-o", tmp_path / "o.mp4"], ["explain"], ["live"]):
        code, _, err = emoclip(*command, videos, *tiny)
        words = " ".join(err.replace("│", " ").split())
        assert code == 2 and "holds 2 videos" in words and "emoclip batch" in words


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


def test_embedded_model_from_the_command(emoclip, embedded_model, shared):
    code, out, _ = emoclip("classify", shared / "media/synthetic_actors/happy.mp4", "--json")
    (result,) = json.loads(out)
    assert code == 0 and result["label"] == "happiness"
    assert result["model"]["name"] == "emoclip-mini"


class _Pipe:
    def __init__(self, data):
        self.buffer = io.BytesIO(data)

    def isatty(self):
        return False


def test_a_video_from_a_pipe(emoclip, tiny, crop_video, monkeypatch, tmp_path):
    videos.standard_input.cache_clear()
    monkeypatch.setattr(sys, "stdin", _Pipe(crop_video.read_bytes()))
    code, out, _ = emoclip("classify", "-", *tiny, "--json")
    _, expected, _ = emoclip("classify", crop_video, *tiny, "--json")
    assert code == 0 and out == expected.replace(json.dumps(str(crop_video)), '"-"')
    code, _, err = emoclip("timeline", "-", *tiny, "-o", tmp_path / "out.csv")
    assert code == 0 and "wrote" in err  # from what was kept: a pipe is read once
    videos.standard_input.cache_clear()


def test_nothing_is_not_the_current_folder(emoclip, tiny, monkeypatch, tmp_path):
    from PIL import Image

    Image.new("RGB", (40, 40)).save(tmp_path / "1.png")
    monkeypatch.chdir(tmp_path)
    code, _, err = emoclip("classify", "", *tiny, "--csv")
    assert code == 2 and "'' is the name of no file: it is empty" in err
    code, _, err = emoclip("classify", ".", "--as", "video", "--model", "")
    assert code == 2 and "the name of no model" in err
    code, _, err = emoclip("timeline", "1.png", *tiny, "--baseline", "")
    assert code == 2 and "--baseline" in err
    code, _, err = emoclip("batch", "", *tiny, "-o", "out.parquet")
    assert code == 2 and "empty" in err


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.json", '["joy", "anger"]', "one label per line"),
        ("a.csv", "clip,mark\nx,joy\n", "none is called 'label'. Its first row is clip, mark"),
        ("a.csv", "label\n", "holds no label"),
    ],
)
def test_no_list_of_labels(emoclip, tiny, crop_video, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    code, _, err = emoclip("classify", crop_video, *tiny, "--labels-file", tmp_path / name)
    assert code == 2 and message in err


@pytest.mark.parametrize(
    "name, text, kinds",
    [
        ("a.csv", "label\njoy\nfear\n", ["bank", "bank"]),
        ("a.csv", "joy,fear\n", ["bank", "bank"]),
        ("a.csv", "joy\nfear\n", ["bank", "bank"]),
        ("a.csv", "id;Label;description\n1;joy;\n2;fear;Wide, open eyes\n", ["bank", "custom"]),
        ("a.tsv", "label\tdescription\njoy\t\nfear\tOne\nfear\tTwo\n", ["bank", "custom"]),
        ("a.txt", "# mine\njoy; fear\n", ["bank", "bank"]),
    ],
)
def test_files_of_labels(tiny_model, tmp_path, name, text, kinds):
    from emoclip_sdk.cli.loading import requested_labels

    (tmp_path / name).write_text(text)
    labels = requested_labels(tiny_model, None, None, tmp_path / name, None)
    assert labels == ["joy", "fear"]
    assert [label.kind for label in tiny_model.embed_labels(labels)[1]] == kinds
    if name == "a.tsv":
        assert tiny_model.prompts.descriptions("fear") == ("One", "Two")


def test_labels_that_are_not_what_they_seem(
    emoclip, tiny, crop_video, tmp_path, monkeypatch, caplog
):
    monkeypatch.chdir(tmp_path)
    code, out, err = emoclip("classify", crop_video, "sad", *tiny, "--labels", "happy")
    assert code == 2 and out == "" and "--labels 'happy,sad'" in err
    code, out, err = emoclip("classify", crop_video, *tiny, "--labels", "happy", "wibbled")
    assert code == 2 and out == "" and "--labels 'happy,wibbled'" in err
    code, _, err = emoclip("batch", crop_video, "sad", "-o", "o.parquet", "--labels", "happy")
    assert code == 2 and "--labels 'happy,sad'" in err
    code, _, err = emoclip("classify", crop_video, *tiny, "--compound", "foo=happiness")
    assert code == 2 and "that label twice" in err
    sentence = "the eyes are wide, the lips apart"
    arguments = ("--label", sentence, "--label", "hapiness", "--json")
    code, out, err = emoclip("classify", crop_video, *tiny, *arguments)
    assert list(json.loads(out)[0]["scores"]) == [sentence, "hapiness"]
    assert "mean 'happiness'?" in caplog.text
    code, out, err = emoclip("classify", crop_video, *tiny, "--labels", f"joy; fear,{sentence}")
    assert code == 0 and "split at its commas: 'the eyes are wide' and 'the lips apart'" in err
    emoclip("classify", crop_video, *tiny, "--labels", "joy")
    assert "'joy' is the only label: its score is 1" in caplog.text


def test_smallest_face(emoclip, crop_video, tiny):
    for wrong in ("0", "-20", "nan", "big"):
        code, _, err = emoclip("classify", crop_video, *tiny, "--min-face", wrong)
        assert code == 2 and "Traceback" not in err
    code, _, err = emoclip("classify", crop_video, *tiny, "--min-face", "30")
    assert code == 2 and "leave one of the two out" in err


def test_multi_label_needs_a_calibrated_model(emoclip, tiny, crop_video, tmp_path):
    for command in (("classify", crop_video), ("timeline", crop_video)):
        code, out, err = emoclip(*command, *tiny, "--labels", "joy,fear", "--multi-label")
        assert code and out == "" and "emoclip-train reliability" in " ".join(err.split())
