"""The whole recipe, end to end, on pictures drawn by code and a stand-in teacher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import CheckpointError, DatasetError, EmoCLIPError
from emoclip_sdk.nn.shape import SHAPE_FEATURES
from emoclip_sdk.training.data.datasets import open_clips
from emoclip_sdk.training.data.ferplus import load_ferplus
from emoclip_sdk.training.engine.process import Process
from emoclip_sdk.training.evaluation import evaluate_pictures
from emoclip_sdk.training.mini import leave_classes_out, run_mini
from emoclip_sdk.training.mini import stages as module
from emoclip_sdk.training.mini.datasets import FerPlusDataset
from emoclip_sdk.training.mini.heads import PosedHeads, TalkingHeads
from emoclip_sdk.training.mini.settings import read_mini_settings
from emoclip_sdk.training.mini.stages import MiniStages


def stages_of(recipe: dict[str, Any], pictures: Path, folder: Path) -> MiniStages:
    settings = read_mini_settings(recipe)
    dataset = FerPlusDataset(pictures, settings.captions, settings.seed)
    return MiniStages(settings, recipe, dataset, folder, folder, Process())


def test_recipe_makes_a_model_and_finished_stages_are_kept(
    pictures: Path,
    recipe: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = run_mini(recipe, pictures, tmp_path / "model", tmp_path / "run")
    for stage in ("text", "images", "network"):
        assert (tmp_path / f"run/{stage}.safetensors").is_file()
        assert (tmp_path / f"run/{stage}/log.csv").is_file()
    assert figures["FER+ valid, 8 classes, prompts: bank"]["n"] == 80
    assert json.loads((tmp_path / "run/metrics.json").read_text()) == figures

    model = EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")
    measured = evaluate_pictures(model, load_ferplus(pictures, "valid"), "words")
    assert measured["war"] == pytest.approx(
        figures["FER+ valid, 8 classes, prompts: words"]["WAR"], abs=1e-4
    )
    card = (tmp_path / "model" / "README.md").read_text()
    assert "FER2013" in card and "WordNet" in card
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["info"]["name"] == "emoclip-mini"

    # Finished stages are not done again: the second run needs no teacher.
    monkeypatch.setattr(module, "load_teacher", lambda name: pytest.fail("stage was run again"))
    again = stages_of(recipe, pictures, tmp_path / "run").network().state_dict()
    kept = load_file(tmp_path / "run/network.safetensors")
    assert again.keys() == kept.keys()
    assert all(torch.equal(value, again[key]) for key, value in kept.items())

    # A stage of other settings is refused by name, and the stages before it are still good.
    recipe["temporal"]["steps"] = 20
    recipe["run"]["log_every"] = 7  # changes no result
    with pytest.raises(
        EmoCLIPError, match=r"network: holds a run.*temporal\.steps .was 10, now 20"
    ):
        run_mini(recipe, pictures, tmp_path / "model", tmp_path / "run")
    stages_of(recipe, pictures, tmp_path / "run").images()
    recipe["images"]["optim"]["average"] = 0.5
    with pytest.raises(EmoCLIPError, match=r"images\.optim\.average .was 0\.9, now 0\.5"):
        stages_of(recipe, pictures, tmp_path / "run").images()


def test_shape_stream_beside_the_towers_of_another_model(
    pictures: Path, recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_mini(recipe, pictures, tmp_path / "model", tmp_path / "run")
    weights = tmp_path / "model/model.safetensors"
    recipe["text"]["pretrained"] = recipe["images"]["pretrained"] = str(weights)
    recipe["images"]["sizes"] = []
    recipe["model"]["shape"] = {"hidden": 8}

    def bar(pictures: np.ndarray) -> torch.Tensor:
        """Where the bar is, in place of landmarks; one picture has none."""
        rows = torch.from_numpy(pictures).float().mean(dim=2)
        shapes = torch.zeros(len(pictures), SHAPE_FEATURES)
        shapes[:, : rows.shape[1]] = rows
        shapes[0] = float("nan")
        return shapes.half()

    monkeypatch.setattr(module, "measure_shapes", bar)
    monkeypatch.setattr(module, "load_teacher", lambda name: pytest.fail("a tower was trained"))
    stages = stages_of(recipe, pictures, tmp_path / "shape")
    network = stages.network()
    start, end = load_file(weights), network.state_dict()
    for name, tensor in start.items():
        assert torch.equal(end[name], tensor.float()) == name.startswith(
            ("towers.visual.", "towers.text.")
        ), name
    assert network.shape is not None and network.shape.gain > 0
    shapes = bar(stages.dataset.valid.images)[1:].float()
    assert network.shape(shapes).std(dim=0).max() > 0

    recipe["model"]["shape"] = {"hidden": 16}
    with pytest.raises(EmoCLIPError, match=r"model\.shape\.hidden .was 8, now 16"):
        stages_of(recipe, pictures, tmp_path / "shape").network()


def test_rendered_heads_pose_in_the_stages_after_the_towers(
    pictures: Path, recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_mini(recipe, pictures, tmp_path / "model", tmp_path / "run")
    weights = tmp_path / "model/model.safetensors"
    recipe["text"]["pretrained"] = recipe["images"]["pretrained"] = str(weights)
    recipe["images"]["sizes"] = []
    recipe["model"]["shape"] = {"hidden": 8}
    recipe["heads"].update(path="heads.npz", posed=0.5, talking=0.0)
    recipe["shape"].update(steps=200, shape_noise=0.0, without_pixels=1.0)
    pose = torch.linspace(0, 1, SHAPE_FEATURES)
    rendered = []

    def measure(path: Path, people: int, size: int) -> PosedHeads:
        """Only heads have landmarks that differ: by these, fear is posed, and nothing."""
        rendered.append((path, people, size))
        shapes = torch.stack([pose, -pose] * 20).half()
        emotions = ("fear", "neutral") * 20
        return PosedHeads(
            np.zeros((40, size, size), np.uint8), shapes, emotions, np.ones(40, np.float32)
        )

    monkeypatch.setattr(module, "measure_posed_heads", measure)
    monkeypatch.setattr(
        module, "measure_shapes", lambda images: torch.rand(len(images), SHAPE_FEATURES).half()
    )
    stages = stages_of(recipe, pictures, tmp_path / "posed")
    network = stages.network()
    size = stages.dataset.valid.images.shape[1]
    assert rendered == [(Path("heads.npz"), 2, size)]
    frames = load_file(tmp_path / "posed/network/frames.safetensors")["frames"]
    assert len(frames) == len(stages.dataset.train) + 40
    measured = load_file(tmp_path / "posed/network/train_shapes.safetensors")["shapes"].float()
    assert len(measured) == len(stages.dataset.train)
    assert torch.allclose(network.shape.mean, measured.mean(dim=0), atol=1e-3), "of photographs"
    texts = network.towers.text_head(
        torch.nn.functional.normalize(network.towers.text(stages.tokenize(["fear", "neutral"])))
    )
    with torch.no_grad():
        shown = network.shape(torch.stack([pose, -pose]))
        told = torch.nn.functional.cosine_similarity(shown[:, None], texts[None], dim=-1)
    assert told[0, 0] - told[0, 1] > told[1, 0] - told[1, 1] + 0.05

    # Another share is another run; without heads nothing is rendered.
    recipe["heads"]["posed"] = 0.2
    with pytest.raises(EmoCLIPError, match=r"heads\.posed .was 0\.5, now 0\.2"):
        stages_of(recipe, pictures, tmp_path / "posed").network()
    recipe["heads"]["path"], recipe["shape"]["steps"] = None, 5
    stages_of(recipe, pictures, tmp_path / "plain").network()
    assert len(rendered) == 1


def test_a_mouth_that_moves_is_no_expression(
    pictures: Path, recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads that hold still show fear; those that alternate between two shapes are neutral."""
    run_mini(recipe, pictures, tmp_path / "model", tmp_path / "run")
    weights = str(tmp_path / "model/model.safetensors")
    recipe["text"]["pretrained"] = recipe["images"]["pretrained"] = weights
    recipe["images"]["sizes"] = []
    recipe["model"]["shape"] = {"hidden": 8}
    recipe["heads"].update(path="heads.npz", posed=0.0, talking=0.6)
    recipe["temporal"].update(steps=150, frame_noise=0.0)
    recipe["temporal"]["optim"]["lr"] = {"temporal": 5e-3, "text_head": 5e-3}
    pose = torch.linspace(-1, 1, SHAPE_FEATURES).half()
    rendered = []

    def measure(path: Path, people: int, size: int) -> TalkingHeads:
        rendered.append((path, people, size))
        still, moving = pose.expand(6, -1), torch.stack([pose, -pose] * 3)
        images = np.zeros((40, 6, size, size), np.uint8)
        shapes = torch.stack([still, moving] * 20)
        return TalkingHeads(images, shapes, ("fear", "neutral") * 20, np.ones(40, np.float32))

    monkeypatch.setattr(module, "measure_talking_heads", measure)
    monkeypatch.setattr(
        module, "measure_shapes", lambda images: torch.rand(len(images), SHAPE_FEATURES).half()
    )
    stages = stages_of(recipe, pictures, tmp_path / "talking")
    network = stages.network()
    assert rendered == [(Path("heads.npz"), 1, stages.dataset.size)], "half as many people"
    assert len(load_file(tmp_path / "talking/network/frames.safetensors")["frames"]) == 560
    texts = network.towers.text_head(
        torch.nn.functional.normalize(network.towers.text(stages.tokenize(["fear", "neutral"])))
    )
    heads = TalkingHeads.load(tmp_path / "talking/talking.npz")
    frames = stages._talking_frames(network, heads)[:2]
    with torch.no_grad():
        video = network.temporal(frames)
        told = torch.nn.functional.cosine_similarity(video[:, None], texts[None], dim=-1)
    assert told[0, 0] - told[0, 1] > told[1, 0] - told[1, 1] + 0.05


def test_a_text_tower_from_elsewhere_is_taken_and_named(
    pictures: Path,
    recipe: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "load_teacher", lambda name: pytest.fail("distilled again"))
    stages = stages_of(recipe, pictures, tmp_path)
    weights = stages.new_network().towers.text.state_dict()
    save_file(weights, tmp_path / "text.safetensors")
    taken = stages.text()
    assert all(torch.equal(taken[key], value) for key, value in weights.items())
    assert "text.safetensors: taken as it is" in caplog.text
    recipe["text"]["longest"] = 50
    with pytest.raises(EmoCLIPError, match="text.longest .was 60, now 50"):
        stages_of(recipe, pictures, tmp_path).text()


@pytest.mark.slow
def test_a_class_is_left_out_and_the_text_tower_is_shared(
    pictures: Path,
    recipe: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe["loco"]["classes"] = ["surprise", "anger"]
    recipe["images"]["sizes"] = [[32, 1]]
    recalls = leave_classes_out(recipe, pictures, tmp_path / "out", tmp_path / "run")
    assert set(recalls) == {"surprise", "anger"}
    assert json.loads((tmp_path / "run/metrics.json").read_text()) == recalls
    assert (tmp_path / "run/text.safetensors").is_file()
    assert not (tmp_path / "run/anger/text.safetensors").exists()
    identity = json.loads((tmp_path / "run/anger/images/run.json").read_text())
    assert identity["dataset"]["left out"] == "anger"

    monkeypatch.setattr(module.Trainer, "_step", lambda *_: pytest.fail("trained again"))
    assert leave_classes_out(recipe, pictures, tmp_path / "out", tmp_path / "run") == recalls
    recipe["images"]["text_noise"] = 0.4
    with pytest.raises(EmoCLIPError, match=r"images\.text_noise"):
        leave_classes_out(recipe, pictures, tmp_path / "out", tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": {"learning_rate": 1.0}}, "images: unknown keys.*learning_rate"),
        ({"images": {"texts": "both"}}, "images.texts is 'both'.*teacher, student"),
        ({"images": {"sizes": [], "pretrained": None}}, "images.sizes is empty"),
        ({"images": {"sizes": [[64]]}}, r"images\.sizes is \[64\] and should be a list of 2"),
        ({"text": {"epochs": "many"}}, "text.epochs is 'many' and should be int"),
        ({"captions": {"words": 1.5}}, "captions.words is 1.5.*from 0 to 1"),
        ({"model": {"temporal": {"heads": 0}}}, "model.temporal.heads is 0"),
        ({"temporal": {"optim": {"lr": {"visual": 1e-3}}}}, "temporal.optim.lr.*not visual"),
        ({"text": {"optim": {"lr": {}}}}, "text.optim.lr.*not nothing"),
        ({"loco": {"classes": ["anger"]}}, "loco.classes is for 'emoclip-train loco'"),
    ],
)
def test_wrong_recipes_are_named(
    change: dict[str, Any], message: str, recipe: dict[str, Any], tmp_path: Path
) -> None:
    for key, value in change.items():
        recipe[key] = {**recipe[key], **value}
    with pytest.raises(EmoCLIPError, match=f"recipe: {message}"):
        run_mini(recipe, Path("gone.npz"), tmp_path / "out", tmp_path / "run")


def test_several_processes_are_refused(recipe: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(EmoCLIPError, match="trains in one process, and here are 2"):
        run_mini(recipe, Path("gone.npz"), tmp_path, tmp_path, Process(rank=1, world=2))


def test_goes_on_from_weights_with_captions_of_measured_actions(
    pictures: Path, recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "measure_shapes", lambda pictures: torch.rand(len(pictures), SHAPE_FEATURES)
    )
    weights = tmp_path / "whole.safetensors"
    recipe["text"]["epochs"] = 1
    recipe["images"].update(sizes=[[32, 1]], pretrained=str(weights), texts="student", actions=0.5)
    recipe["images"]["optim"]["lr"] = {"visual": 0.0, "text_head": 0.0, "logit_scale": 0.0}
    recipe["captions"]["actions"] = 30
    stages = stages_of(recipe, pictures, tmp_path / "run")
    torch.manual_seed(1)
    given = {key: torch.rand_like(v) for key, v in stages.new_network().state_dict().items()}
    given["logit_scale"] = torch.tensor(2.0)
    save_file(given, weights)

    lines: list[list[str]] = []
    read = MiniStages._read
    monkeypatch.setattr(
        MiniStages,
        "_read",
        lambda self, net, texts: (lines.append(texts), read(self, net, texts))[1],
    )
    trained = stages.images()
    assert "logit_scale" in trained and any(key.startswith("towers.visual.") for key in trained)
    for key, value in trained.items():
        torch.testing.assert_close(value, given[key])
    assert {8 * 50, 30} <= {len(texts) for texts in lines}, "captions of votes, and of actions"

    save_file({"logit_scale": given["logit_scale"]}, weights)
    text = tmp_path / "other"
    with pytest.raises(CheckpointError, match=r"whole\.safetensors: the recipe's model has"):
        stages_of(recipe, pictures, text).images()


def test_an_image_tower_without_a_rate_stays_as_it_is(
    pictures: Path, recipe: dict[str, Any], tmp_path: Path
) -> None:
    weights = tmp_path / "whole.safetensors"
    recipe["text"]["epochs"] = 1
    recipe["images"].update(sizes=[[32, 3]], pretrained=str(weights), texts="student")
    recipe["images"]["optim"]["lr"] = {"text_head": 3e-3, "logit_scale": 3e-3}
    stages = stages_of(recipe, pictures, tmp_path / "run")
    torch.manual_seed(1)
    start = stages.new_network()
    given = {key: torch.rand_like(v) for key, v in start.state_dict().items()}
    save_file(given, weights)
    trained = stages.images()
    for key, value in trained.items():
        if key.startswith("towers.visual."):
            torch.testing.assert_close(value, given[key])
    head = "towers.text_head.fc1.weight"
    assert not torch.equal(trained[head], given[head])
    assert not torch.equal(trained[head], stages.new_network().state_dict()[head])


@pytest.mark.slow
def test_trains_on_clips_with_captions_of_their_own(
    recipe: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from PIL import Image

    rng = np.random.default_rng(1)
    sentences = ("eyes wide open", "a broad smile", "brows pulled down", "a dropped jaw")
    lines = ["path,caption,split"]
    for i in range(72):
        folder = tmp_path / f"clip{i}"
        folder.mkdir()
        for t in range(1 + i % 3):  # pictures and clips
            picture = rng.integers(0, 60, (48, 48)).astype(np.uint8)
            picture[12 * (i % 4) : 12 * (i % 4) + 12] = 220
            Image.fromarray(picture).save(folder / f"{t}.png")
        split = "valid" if i >= 60 else "train"
        lines.append(f"clip{i},{sentences[i % 4]},{split}")
    lines.append("gone,never read,train")
    table = tmp_path / "manifest.csv"
    table.write_text("\n".join(lines))

    recipe["model"]["faces"]["detector"] = "none"
    recipe["images"]["optim"]["batch_size"] = 30
    recipe["text"]["epochs"] = 1
    dataset = open_clips("manifest", table)
    figures = run_mini(recipe, dataset, tmp_path / "model", tmp_path / "run")
    retrieval = figures["caption retrieval, validation split"]
    assert retrieval["captions"] == 4
    assert 0 <= retrieval["recall@1"] <= 1
    assert "gone: no such file" in caplog.text
    EmoCLIP.from_pretrained(tmp_path / "model", device="cpu")
    with pytest.raises(DatasetError, match="captions name no class that could be left out"):
        leave_classes_out(recipe, dataset, tmp_path / "model", tmp_path / "run")
