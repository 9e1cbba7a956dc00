"""``emoclip-train supervised`` and its kin, from recipe and folder to the figures."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import EmoCLIPError
from emoclip_sdk.training.cli import app
from emoclip_sdk.training.engine.recipe import load_recipe
from emoclip_sdk.training.paper import read_settings

from .conftest import CLASSES, colours, tiny_recipe


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The clips as a manifest with folders of frames."""
    rows = []
    for split, clips in colours(2).splits.items():
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


def test_supervised_from_the_command_line(root: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("supervised")
    recipe["objective"] = {"texts": "descriptions", "positives": "class"}
    recipe["data"] = {"views": 1, "workers": 0}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    arguments = ["supervised", "--dataset", "manifest", "--cropped", "--device", "cpu",
                 "--root", str(root), "--output", str(tmp_path / "model"),
                 "--recipe", str(tmp_path / "tiny.yaml"),
                 "--set", "optim.epochs=1", "--seed", "5"]  # fmt: skip
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    best = json.loads(done.stdout)
    assert best["epoch"] == 1 and 0 <= best["uar"] <= 1
    kept = yaml.safe_load((tmp_path / "model-run/recipe.yaml").read_text())
    assert kept["seed"] == 5 and kept["optim"]["epochs"] == 1
    assert set(EmoCLIP.from_pretrained(tmp_path / "model", device="cpu").labels) == set(CLASSES)

    with pytest.raises(EmoCLIPError, match=r"recipe\.seed .was 5, now 6"):
        CliRunner().invoke(app, [*arguments[:-1], "6"], catch_exceptions=False)
    with pytest.raises(EmoCLIPError, match="is for 'emoclip-train supervised'"):
        CliRunner().invoke(app, ["loco", *arguments[1:]], catch_exceptions=False)


@pytest.mark.parametrize(
    ("name", "experiment"),
    [
        ("mafw-frozen", "contrastive"),
        ("mafw-finetuned", "contrastive"),
        ("clip-frame-ensemble", "contrastive"),
        ("fixture", "contrastive"),
        ("supervised", "supervised"),
        ("loco", "loco"),
        ("probe", "probe"),
    ],
)
def test_recipes_of_the_package_are_understood(name: str, experiment: str) -> None:
    settings = read_settings(load_recipe(name, ["optim.precision=bf16"]))
    assert settings.experiment == experiment
    assert settings.optim.precision == "bf16"
