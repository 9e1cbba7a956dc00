"""Options of the commands that train, whatever the recipe."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.cli import app

from ..mini.conftest import small_recipe, word_teacher, write_pictures, write_wordnet
from ..paper.conftest import CLASSES, colors, tiny_recipe


def train(*arguments: str | Path) -> Any:
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The clips as a manifest with folders of frames."""
    rows = []
    for split, clips in colors(2).splits.items():
        for clip in clips:
            folder = tmp_path / "data" / clip.id
            folder.mkdir(parents=True)
            for t, frame in enumerate(clip.video):
                Image.fromarray(frame).save(folder / f"{t:03d}.png")
            caption = clip.caption or ""
            rows.append([clip.id, split, CLASSES[clip.label or 0], caption, clip.subject])
    with (tmp_path / "data/manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "split", "label", "caption", "subject"])
        writer.writerows(rows)
    return tmp_path / "data"


def test_an_experiment_from_the_command_line(manifest: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("supervised")
    recipe["objective"] = {"texts": "descriptions", "positives": "class"}
    recipe["data"] = {"views": 1, "workers": 0}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    arguments = ["supervised", "--dataset", "manifest", "--cropped", "--device", "cpu",
                 "--root", str(manifest), "--output", str(tmp_path / "model"),
                 "--recipe", str(tmp_path / "tiny.yaml"),
                 "--set", "optim.epochs=1", "--seed", "5"]  # fmt: skip
    best = train(*arguments)
    assert best["epoch"] == 1 and 0 <= best["uar"] <= 1
    kept = yaml.safe_load((tmp_path / "model-run/recipe.yaml").read_text())
    assert kept["seed"] == 5 and kept["optim"]["epochs"] == 1
    assert set(EmoCLIP.from_pretrained(tmp_path / "model", device="cpu").labels) == set(CLASSES)

    with pytest.raises(EmoCLIPError, match=r"recipe\.seed .was 5, now 6"):
        train(*arguments[:-1], "6")
    with pytest.raises(EmoCLIPError, match="is for 'emoclip-train supervised'"):
        train("loco", *arguments[1:])


def test_the_embedded_model_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emoclip_sdk.training.mini.stages.load_teacher", lambda name: word_teacher)
    pictures = write_pictures(tmp_path / "ferplus.npz")
    recipe = small_recipe(write_wordnet(tmp_path / "wordnet"))
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(recipe))
    shared = ("--root", pictures, "--recipe", tmp_path / "small.yaml", "--device", "cpu",
              "--run", tmp_path / "run", "--seed", "5", "--set", "text.epochs=1",
              "--set", "images.sizes=[[32, 1]]",
              "--set", "images.optim.lr.visual=5e-4")  # fmt: skip
    figures = train("contrastive", "--output", tmp_path / "model", *shared)
    assert figures["FER+ valid, 8 classes, prompts: words"]["n"] == 80
    kept = yaml.safe_load((tmp_path / "run/images/recipe.yaml").read_text())
    assert kept["seed"] == 5 and kept["images"]["optim"]["lr"]["visual"] == 5e-4
    EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")

    recalls = train("loco", "--output", tmp_path / "loco", *shared, "--set", "loco.classes=[anger]")
    assert list(recalls) == ["anger"]
    with pytest.raises(EmoCLIPError, match="is for 'emoclip-train contrastive' and 'emoclip-t"):
        train("probe", "--output", tmp_path / "model", *shared)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("contrastive --recipe mini --fold 2", "--fold can't be used here: ferplus has no folds"),
        ("contrastive --recipe mini --task single", "--task can't be used here: ferplus is"),
        ("contrastive --recipe mini --cropped", "--cropped can't be used here: the layout of fer"),
        ("contrastive --recipe mini --reference", "--reference can't be used here"),
        ("loco --recipe mini --reference", "--reference can't be used here"),
        (
            "contrastive --recipe mafw-frozen --reference --set model.shape={hidden:8}",
            "the paper has no shape stream",
        ),
        ("contrastive --recipe mini --dataset afew --fold 1", "--fold can't be used here: afew"),
        ("supervised --dataset dfew --task compound", "--task can't be used here: dfew is"),
        ("supervised --dataset manifest --fold 3", "--fold can't be used here: manifest"),
        ("probe --dataset mafw --no-cropped", "--no-cropped can't be used here: the layout of ma"),
        ("supervised --dataset mafww", "mafww: no such dataset"),
        ("supervised --set experiment=other", "experiment is 'other', and none of"),
        ("contrastive --set images.lr=1e-3", "expected key=value with a key of mini.yaml"),
        ("contrastive --set images.optim.lr=[", "the value is not YAML"),
    ],
)
def test_options_without_effect_are_refused(arguments: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(EmoCLIPError, match=message.replace("[", r"\[")):
        train(*arguments.split(), "--root", tmp_path, "--output", tmp_path / "out")
    assert not list(tmp_path.iterdir())
